"""C04, C05: what others read of a service: where and with what it answers, and what its messages hold."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gatecli.model import ChangeKind, FileChange, FunctionKind
from gatecli.rules import code
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.lines import decoded
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import listed, snippet

if TYPE_CHECKING:
    from tree_sitter import Node

# --------------------------------------------------------------------------- C04

_DECORATED = Pattern("""
(decorator (call
  function: (attribute object: (_) @router attribute: (identifier) @key)
  arguments: (argument_list) @args)) @match
""")
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "route", "api_route", "websocket"})
_ROUTER = re.compile(
    r"(?i)(?:^|[._])(?:\w{0,40}app|\w{0,40}router|\w{0,40}api|bp|\w{0,40}blueprint|application|routes)$"
)
_URLS = Pattern("""
((call function: [(identifier) (attribute)] @key arguments: (argument_list . (string) @value)) @match
  (#match? @key "^(path|re_path|url)$"))
""")
_REGISTERED = Pattern("""
((call
  function: (attribute object: (_) @router attribute: (identifier) @key)
  arguments: (argument_list . (string) @value)) @match (#eq? @key "register"))
""")
# A tree of resources, by path: ``resources["/orders"] = OrdersResource(app)``.
_MOUNTED = Pattern("""
((assignment left: (subscript value: (_) @router subscript: (string) @value)) @match (#match? @value "^.?['\\"]/"))
""")
_TREE = re.compile(r"(?i)(?:resources?|routes?|urls?|handlers?|endpoints?|paths)$")
_LISTS = Pattern("""
((assignment left: (identifier) @key right: [(list) (tuple)] @value) @match
  (#any-of? @key "fields" "http_method_names"))
""")
_MEMBERS = Pattern("(assignment left: (identifier) @key right: (call) @value) @match")
_SERIALIZER = re.compile(
    r"(?:Serializer|ObjectType|InputObjectType|Mutation|Interface|ModelObjectType|Schema|FilterSet)$"
)
_BASES = Pattern("(class_definition superclasses: (argument_list) @match)")
_QUOTED = re.compile(r"[\"'](\w{1,80})[\"']")
_MAX_CLASS = 100_000
_MAX_NAME = 200


def route_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """Routes, methods, statuses and serializer fields that no function or class of the change has any more."""
    came = Counter(route for touched in view.functions for route, _ in routes(view, touched.after))
    for touched in view.functions:
        kept = Counter(route for route, _ in routes(view, touched.after))
        for route, line in routes(view, touched.before):
            if kept[route] > 0:
                kept[route] -= 1
            elif came[route] > 0:
                came[route] -= 1
            else:
                yield seen(touched, touched.line_after(line), f"no longer answers {snippet(route)}", route)
        if touched.before is not None and touched.after is not None:
            yield from _fields_lost(view, touched, touched.before, touched.after)
            yield from _status_changed(view, touched, touched.before, touched.after)


def routes(view: View, side: Code | None) -> list[tuple[str, int]]:
    """``GET /orders`` and the line of each route that a function is registered for, or that a module lists."""
    if side is None:
        return []
    found = []
    for match in view.own(_DECORATED, side):
        verb, arguments = code.text(match["key"]), match["args"]
        first = arguments.named_children[0] if arguments.named_children else None
        if (
            verb in _VERBS
            and first is not None
            and first.type == "string"
            and _ROUTER.search(code.callee(match["router"]))
        ):
            path = code.text(first).strip("\"'")
            methods = _methods(match["match"]) if verb in ("route", "api_route") else [verb.upper()]
            found += [(f"{method} {path}", code.line(match["match"])) for method in methods]
    file = PurePosixPath(side.module.path)
    if file.stem == "urls" or file.parent.name == "urls":
        found += [
            (_plain_route(code.text(match["value"])), code.line(match["match"])) for match in view.own(_URLS, side)
        ]
    for match in view.own(_REGISTERED, side):
        if _ROUTER.search(code.callee(match["router"])):
            found.append((code.text(match["value"]).strip("\"'"), code.line(match["match"])))
    for match in view.own(_MOUNTED, side):
        if _TREE.search(code.text(match["router"])[:_MAX_NAME]):
            found.append((code.text(match["value"]).strip("\"'"), code.line(match["match"])))
    return found


def _plain_route(literal: str) -> str:
    """A route as people write it, whether it is a pattern or a path: ``^orders/(?P<pk>\\d+)/$`` is ``orders/<pk>/``."""
    route = literal[literal.find(literal[-1]) :].strip("\"'")
    route = re.sub(r"\(\?P<(\w{1,60})>(?:[^()]|\([^()]{0,60}\)){0,120}\)", r"<\1>", route)
    route = re.sub(r"<\w{1,30}:(\w{1,60})>", r"<\1>", route)
    return route.replace("\\", "").strip("^$")


def _methods(decorator: "Node") -> list[str]:
    call = decorator.named_children[0]
    named = code.keywords(call).get("methods")
    if named is None:
        return ["GET"]
    return [code.text(item).strip("\"'").upper() for item in named.named_children if item.type == "string"] or ["GET"]


def _fields_lost(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    """Fields that a serializer or a GraphQL type lost."""
    id, kind = touched.change.id, touched.change.function.kind
    if kind is not FunctionKind.CLASS_BODY:
        return
    owner = id.qualname.removesuffix(".Meta").rpartition(".")[2]
    if not (_SERIALIZER.search(owner) or any(_has_such_base(view, side) for side in (after, *_outer(after)))):
        return
    if id.name == "Meta":
        old, new = _listed(view, before), _listed(view, after)
    else:
        old = {code.text(match["key"]): code.line(match["match"]) for match in view.own(_MEMBERS, before)}
        new = {code.text(match["key"]): 0 for match in view.own(_MEMBERS, after)}
    kept = _named_in(after) if id.name != "Meta" else frozenset[str]()
    gone = sorted(name for name in old.keys() - new.keys() if not name.startswith("_") and name not in kept)
    if gone and new:
        line = touched.line_after(old[gone[0]])
        verb = "offers the filters" if "Filter" in owner else "shows"
        yield seen(touched, line, f"no longer {verb} {listed(gone)} to its clients", " ".join(gone))


def _outer(side: Code) -> Iterator[Code]:
    """The class that a ``Meta`` stands in."""
    outer = side.function.id.qualname.rpartition(".")[0]
    functions = side.module.functions
    yield from (
        Code(module=side.module, index=n) for n, one in enumerate(functions) if outer and one.id.qualname == outer
    )


def _named_in(side: Code) -> frozenset[str]:
    """What a class names in quotes, as in the ``fields`` of its Meta: it is still shown, declared in another way."""
    return frozenset(_QUOTED.findall(code.text(side.node)[:_MAX_CLASS]))


def _has_such_base(view: View, side: Code) -> bool:
    bases = [base for match in view.own(_BASES, side) for base in match["match"].named_children]
    return any(_SERIALIZER.search(code.callee(base)) for base in bases if base.type in ("identifier", "attribute"))


def _listed(view: View, side: Code) -> dict[str, int]:
    return {
        code.text(item).strip("\"'"): code.line(item)
        for match in view.own(_LISTS, side)
        for item in match["value"].named_children
        if item.type == "string"
    }


_STATUS = Pattern("""
((keyword_argument name: (identifier) @key value: (_) @value) @match (#any-of? @key "status" "status_code"))
""")
_NUMBER = re.compile(r"(\d{3})\D{0,60}$|HTTP_(\d{3})")


def _status_changed(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    """A single status that became another."""
    old, new = _statuses(view, before), _statuses(view, after)
    gone, came = Counter(old.values()) - Counter(new.values()), Counter(new.values()) - Counter(old.values())
    if gone.total() == 1 == came.total() and len(old) == len(new) and touched.change.kind is not ChangeKind.RENAMED:
        was, now = min(gone), min(came)
        line = next(line for line, status in new.items() if status == now)
        yield seen(touched, line, f"answers {now} where it answered {was}", f"{was} {now}")


def _statuses(view: View, side: Code) -> dict[int, str]:
    found = {}
    for match in view.own(_STATUS, side):
        number = _NUMBER.search(code.text(match["value"]))
        if number:
            found[code.line(match["match"])] = number[1] or number[2]
    return found


# --------------------------------------------------------------------------- C05

_TYPED = Pattern("(assignment left: (identifier) @key type: (type) @value) @match")
_MESSAGE = re.compile(
    r"(?:Event|Message|Payload|Command|Request|Response|Envelope|Notification|Webhook|EventData)(?:V\d{1,3})?$"
)
_MESSAGE_FILES = frozenset({"events", "messages", "payloads", "contracts", "wire", "webhooks"})
_DATA = re.compile(r"(?:BaseModel|TypedDict|Struct|NamedTuple|Schema|Message|Event\w{0,30}|Payload)$")
_PROTO = re.compile(
    r"^\s{0,20}(?:repeated\s{1,4}|optional\s{1,4}|required\s{1,4})?"
    r"([\w.<>, ]{1,80}?)\s{1,4}(\w{1,80})\s{0,4}=\s{0,4}(\d{1,9})\s{0,4}[;\[]"
)


def message_field_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """Fields of messages that went away, changed their type or are newly required, also in ``.proto`` files."""
    for touched in view.functions:
        if touched.before is not None and touched.after is not None and _is_message(view, touched):
            old, new = _members(view, touched.before), _members(view, touched.after)
            kept = _named_within(touched.after)
            gone = [name for name in old if name not in new and name not in kept]
            changed = [name for name in new if name in old and old[name][0] != new[name][0]]
            required = [name for name in new if name not in old and not new[name][1]]
            what = [f"{name} is gone" for name in gone]
            what += [f"{name} is {snippet(new[name][0])}, was {snippet(old[name][0])}" for name in changed]
            what += [f"{name} is required now" for name in required]
            if what:
                line = min(touched.change.changed_lines, default=touched.after.function.span.def_line)
                yield seen(
                    touched, line, f"changed what its readers and writers rely on: {listed(what)}", " ".join(what)
                )
    for file in view.case.change.files:
        if file.path.endswith(".proto") and file.before is not None and file.after is not None:
            yield from _proto(file)


def _is_message(view: View, touched: Touched) -> bool:
    id = touched.change.id
    if touched.change.function.kind is not FunctionKind.CLASS_BODY or touched.after is None:
        return False
    bases = [base for match in view.own(_BASES, touched.after) for base in match["match"].named_children]
    if any(code.callee(base) in ("Protocol", "typing.Protocol", "ABC") for base in bases):
        return False
    is_data = any(_DATA.search(code.callee(base)) for base in bases if base.type in ("identifier", "attribute"))
    is_data = is_data or any("dataclass" in text or "define" in text for text in touched.change.function.decorators)
    return is_data and bool(_MESSAGE.search(id.name) or PurePosixPath(id.path).stem in _MESSAGE_FILES)


def _named_within(side: Code) -> frozenset[str]:
    """The methods and properties of a class: what was a field may be had as one of them."""
    prefix = f"{side.function.id.qualname}."
    ids = (one.id for one in side.module.functions if one.id.qualname.startswith(prefix))
    return frozenset(id.qualname.removeprefix(prefix) for id in ids)


def _members(view: View, side: Code) -> dict[str, tuple[str, bool]]:
    """Type of each field, and whether it may be left out."""
    members = {}
    for match in view.own(_TYPED, side):
        name, kind = code.text(match["key"]), code.normal(match["value"])
        if not name.startswith("_") and "ClassVar" not in kind:
            optional = match["match"].child_by_field_name("right") is not None or "NotRequired" in kind
            members[name] = (kind, optional)
    return members


def _proto(file: FileChange) -> Iterator[Observation]:
    old, new = _proto_fields(decoded(file.before)), _proto_fields(decoded(file.after))
    reserved = set(re.findall(r"\breserved\s([^;]{1,200});", decoded(file.after)))
    kept = {name: (kind, number) for name, (kind, number, _) in new.items()}
    for name, (kind, number, _) in old.items():
        if name not in kept:
            if not any(re.search(rf"\b{number}\b", one) for one in reserved):
                says = f"no longer has the field {name.rpartition('.')[2]} = {number}, and does not reserve its number"
                yield Observation(says=says, path=file.path, line=1, text=f"{name} gone")
        elif kept[name] != (kind, number):
            now = f"{kept[name][0]} = {kept[name][1]}"
            says = f"changed the field {name.rpartition('.')[2]} from {snippet(kind)} = {number} to {snippet(now)}"
            yield Observation(says=says, path=file.path, line=new[name][2], text=f"{name} {now}")


def _proto_fields(text: str) -> dict[str, tuple[str, str, int]]:
    """``Message.field`` → type, number and line."""
    fields: dict[str, tuple[str, str, int]] = {}
    message = ""
    for number, line in enumerate(text.split("\n"), 1):
        if found := re.match(r"\s{0,20}message\s{1,4}(\w{1,80})", line):
            message = found[1]
        elif (field := _PROTO.match(line[:400])) and field[1].strip() not in ("option", "syntax", "return"):
            fields[f"{message}.{field[2]}"] = (field[1].strip(), field[3], number)
    return fields
