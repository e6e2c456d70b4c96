"""M05 in part: whether Django's ``AlterField`` makes another type of column, or a smaller one.

The operation names only what the field is to be. What it was is read from the model in the same change, or else from
the migration of the app that made or altered it last.
"""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.checks.operations import Operation, arguments, nodes_of
from gatecli.rules.code import Touched, View
from gatecli.rules.matching import Pattern, search_one

if TYPE_CHECKING:
    from tree_sitter import Node

_FIELDS = Pattern("(assignment left: (identifier) @key right: (call) @value) @match")
_OPERATIONS = Pattern("""
((call function: [(identifier) (attribute)] @key arguments: (argument_list)) @match
  (#match? @key "(^|[.])(CreateModel|AddField|AlterField)$"))
""")
_SIZES = ("max_length", "max_digits", "decimal_places")
MAX_MIGRATIONS = 300
"""Migrations of an app that are looked through, newest first."""

# Classes of Django's fields that make the same type of column.
_SAME_COLUMN = {
    **dict.fromkeys(
        ("CharField", "SlugField", "URLField", "EmailField", "FilePathField", "FileField", "ImageField"), "char"
    ),
    **dict.fromkeys(("ForeignKey", "OneToOneField"), "key"),
    "TextField": "text",
}

_NAMESAKES = ("JSONField", "TextField", "CharField", "BooleanField", "DateTimeField", "UUIDField")


def is_altered(view: View, touched: Touched, operation: Operation) -> bool:
    """Whether a column becomes of another type or holds less than before, as far as that can be read."""
    fields = _of_model(view, operation) or _of_migrations(view, touched, operation)
    return fields is not None and is_narrower(*fields)


def _of_model(view: View, operation: Operation) -> "tuple[Node, Node] | None":
    """The field before and after, of a model that the change touches."""
    for touched in view.functions:
        name = touched.change.id.name.lower()
        if touched.before is None or touched.after is None or name != operation.model.lower():
            continue
        fields = [
            next((m["value"] for m in view.own(_FIELDS, side) if code.text(m["key"]) == operation.field), None)
            for side in (touched.before, touched.after)
        ]
        if fields[0] is not None and fields[1] is not None:
            return fields[0], fields[1]
    return None


def _of_migrations(view: View, touched: Touched, operation: Operation) -> "tuple[Node, Node] | None":
    """The field as an earlier migration made it, and as this one alters it."""
    new = _field(touched.change.id.path, operation.source.encode(), operation)
    tree, folder = view.around.base, PurePosixPath(touched.change.id.path).parent.as_posix()
    if tree is None or new is None:
        return None
    paths = [path for path in tree.paths() if path.startswith(f"{folder}/") and path.endswith(".py")]
    quoted = [f"{quote}{operation.field}{quote}".encode() for quote in "'\""]
    for path, content in tree.read_all(sorted(paths, reverse=True)[:MAX_MIGRATIONS]):
        if content is not None and any(name in content for name in quoted):
            old = _field(path, content, operation)
            if old is not None:
                return old, new
    return None


def _field(path: str, source: bytes, operation: Operation) -> "Node | None":
    """The last definition of a field in the operations of a source."""
    found = None
    module = code.read(path, source)
    for match in search_one(_OPERATIONS, module.nodes[0]) if module is not None else ():
        call = match["match"]
        if code.text(match["key"]).endswith("CreateModel"):
            if arguments(call, ("name",)).get("name", "").lower() == operation.model.lower():
                found = _listed(nodes_of(call, ("name", "fields")).get("fields"), operation.field) or found
            continue
        names = ("model_name", "name", "field")
        given = arguments(call, names)
        if (given.get("model_name", "").lower(), given.get("name")) == (operation.model.lower(), operation.field):
            found = nodes_of(call, names).get("field") or found
    return found


def _listed(fields: "Node | None", name: str) -> "Node | None":
    """The definition of a field in ``fields=[("total", models.IntegerField())]``."""
    for item in fields.named_children if fields is not None else ():
        parts = [part for part in item.named_children if part.type != "comment"] if item.type == "tuple" else []
        if len(parts) == 2 and code.text(parts[0]).strip("\"'") == name:
            return parts[1]
    return None


def _column_type(field: str) -> str:
    """What a class of fields stores; one that is derived from another by its name (``SanitizedJSONField``) the same."""
    base = next((name for name in _NAMESAKES if field.endswith(name)), field)
    return _SAME_COLUMN.get(field) or _SAME_COLUMN.get(base, base)


def is_narrower(old: "Node", new: "Node") -> bool:
    """Whether a field is of another class than before, or holds less."""
    kinds = [_column_type(code.callee(field).rpartition(".")[2]) for field in (old, new)]
    if kinds[0] != kinds[1] and kinds[1] != "text":
        return True
    was, now = code.keywords(old), code.keywords(new)
    sizes = [(code.number(was.get(name)), code.number(now.get(name))) for name in _SIZES]
    return any(one is not None and other is not None and other < one for one, other in sizes)
