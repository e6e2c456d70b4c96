"""Part of C06: functions that no Python code calls, but templates do: filters, tags, and methods of what they show."""

import re
from collections.abc import Iterable, Iterator

from gatecli.model import FunctionKind, Tree
from gatecli.rules.code import Touched, View

_TEMPLATE = re.compile(r"(?i)\.(?:html?|jinja2?|j2|mjml|txt|xml)$")
_REGISTERS = re.compile(
    r"(?:^|[._])(?:filter|simple_tag|inclusion_tag|tag|simple_block_tag)(?:\(\s{0,9}(?:name\s{0,3}=\s{0,3})?[\"'](\w{1,80})[\"'])?"
)
_TELLING = 10
"""Characters from which a method's name in a template is that of this method."""

MAX_TEMPLATES = 5_000
MAX_TEMPLATE = 500_000
"""Templates of the head revision that are looked through, and bytes of each."""


def still_used(view: View, removed: Iterable[Touched]) -> Iterator[tuple[Touched, str, int]]:
    """Functions that went away and that a template still names, with the template and the line."""
    wanted = {touched.change.base_id: (touched, pattern) for touched in removed if (pattern := _pattern(touched))}
    tree = view.around.head
    if not wanted or tree is None:
        return
    paths = [path for path in tree.paths() if _TEMPLATE.search(path) and not view.is_test(path)][:MAX_TEMPLATES]
    for path, content in tree.read_all(paths):
        for id, (touched, pattern) in tuple(wanted.items()):
            if content is not None and (found := pattern.search(content, 0, MAX_TEMPLATE)):
                del wanted[id]
                if touched.change.function.kind is FunctionKind.METHOD and _has_namesake(tree, id.name):
                    continue
                yield touched, path, content.count(b"\n", 0, found.start()) + 1
        if not wanted:
            return


def _has_namesake(tree: Tree, name: str) -> bool:
    """Whether a function of that name is left: the template may mean it."""
    definition = re.compile(rb"\bdef[ ]{1,4}" + re.escape(name.encode()) + rb"\b")
    return any(definition.search(content) for _, content in tree.grep([name]))


def _pattern(touched: Touched) -> re.Pattern[bytes] | None:
    """What a template that uses the function holds; None for one that templates do not call."""
    function = touched.change.before
    if function is None:
        return None
    registered = next((found for text in function.decorators if (found := _REGISTERS.search(text))), None)
    if registered is not None:
        name = re.escape((registered[1] or function.id.name).encode())
        return re.compile(rb"\|[ ]{0,3}" + name + rb"\b|\{%-?[ ]{0,3}(?:filter[ ]{1,3})?" + name + rb"\b")
    name = function.id.name.encode()
    if function.kind is FunctionKind.METHOD and len(name) >= _TELLING and b"_" in name:
        return re.compile(rb"\{[{%][^{}]{0,200}\." + re.escape(name) + rb"\b")
    return None
