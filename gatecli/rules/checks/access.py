"""A01: a check of who may call was removed, although what it guarded is still there.

Checks are known by their names: decorators and dependencies that say both *who* and *must* (``login_required``,
``require_role``), permission classes, mixins, middleware.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.model import Confidence, FunctionKind
from gatecli.rules import code
from gatecli.rules.checks.refusals import forbidden_less
from gatecli.rules.code import Code, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_WHO = re.compile(
    r"login|auth(?:n|z|enticated|entication|orized|orization)?|perms?|permissions?|roles?|admin|staff|superuser|jwt|scopes?"
    r"|privileges?|csrf|apikey|bearer|oauth|token|user|access|member|owner|requester|credentials"
)
_MUST = re.compile(
    r"requir(?:e|es|ed)|check(?:s|ed)?|only|protect(?:ed)?|verify|verified|validate|passes|has|needs|ensure|enforce|assert"
    r"|current"
)
_NAMED_CHECKS = frozenset({"authenticated", "authorized", "permission_classes", "authentication_classes"})
_MIXIN = re.compile(
    r"(?:Login|Permission|Auth|Staff|Superuser|Admin|Role|UserPasses)\w{0,30}(?:Required|Mixin)\w{0,10}$"
)
_SETTING = re.compile(r"(?i)(?:auth|csrf|permission|login)\w{0,40}middleware$|\.Is[A-Z]\w{1,40}$")
_OPEN = frozenset({"AllowAny", "permissions.AllowAny", ""})

_STATEMENTS = Pattern("[(expression_statement (call) @match) (expression_statement (await (call) @match))]")
_ASSIGNED = Pattern("""
((assignment left: (identifier) @key right: (_) @value) @match
  (#any-of? @key "permission_classes" "authentication_classes" "permissions" "permission_required"))
""")
_DEPENDS = Pattern("""
((call function: [(identifier) (attribute)] @key arguments: (argument_list . (_) @value)) @match
  (#match? @key "(^|[.])(Depends|Security)$"))
""")
_BASES = Pattern("(class_definition superclasses: (argument_list) @match)")
_STRINGS = Pattern("[(list (string) @match) (tuple (string) @match)]")

_Checks = list[tuple[str, int]]
"""Text and line of each check, in document order."""


def access_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """Checks that a surviving function, class or module lost; that another one came in its place is a guess."""
    pairs = [
        (touched, _checks(view, touched.before), _checks(view, touched.after))
        for touched in view.functions
        if touched.before is not None and touched.after is not None
    ]
    gained, came = _gained(view), _came(view)
    for touched, old, new in pairs:
        gone = _more(old, new)
        path, qualname = touched.change.id.path, touched.change.id.qualname
        replaced = bool(_more(new, old)) or not gained.isdisjoint({(path, qualname.partition(".")[0]), (path, "")})
        for text, line in old:
            if _SETTING.search(text) and (path, text) in came:
                continue  # the same middleware, listed elsewhere in the settings
            if gone[text] > 0:
                gone[text] -= 1
                says = f"{'changed' if replaced else 'lost'} its access check `{snippet(text)}`"
                confidence = Confidence.MEDIUM if replaced else Confidence.HIGH
                yield seen(touched, touched.line_after(line), says, text, confidence=confidence)
    yield from forbidden_less(view, gained)


def _gained(view: View) -> set[tuple[str, str]]:
    """Where checks were added: file and outermost class or function, ``""`` for the whole file."""
    gained: set[tuple[str, str]] = set()
    for touched in view.functions:
        new = Counter(_called(view, touched.after)) - Counter(_called(view, touched.before))
        new += _more(_checks(view, touched.after), _checks(view, touched.before))
        if new:
            id, is_module = touched.change.id, touched.change.function.kind is FunctionKind.MODULE
            gained.add((id.path, "" if is_module else id.qualname.partition(".")[0]))
    return gained


def _came(view: View) -> set[tuple[str, str]]:
    """Path and text of the checks that a function or class has more of than before."""
    return {
        (touched.change.id.path, text)
        for touched in view.functions
        for text in _more(_checks(view, touched.after), _checks(view, touched.before))
    }


def _called(view: View, side: Code | None) -> list[str]:
    """The checks that a function calls, wherever it does."""
    found = view.own(code.CALLS, side) if side is not None else []
    return [name for match in found if is_check(name := code.callee(match["match"]))]


def _more(here: _Checks, there: _Checks) -> Counter[str]:
    return Counter(text for text, _ in here) - Counter(text for text, _ in there)


def is_check(name: str) -> bool:
    """Whether a dotted name says that someone must be allowed: ``login_required``, ``auth.require_role``."""
    last = name.replace("()", "").rpartition(".")[2]
    words = [word.lower() for word in _WORD.findall(last)]
    return last in _NAMED_CHECKS or (any(map(_WHO.fullmatch, words)) and any(map(_MUST.fullmatch, words)))


def _checks(view: View, side: Code | None) -> _Checks:
    if side is None:
        return []
    found = [*_decorators(side), *_attributes(view, side), *_mixins(view, side), *_dependencies(view, side)]
    found += [
        (f"{name}()", code.line(match["match"]))
        for match in view.own(_STATEMENTS, side)
        if is_check(name := code.callee(match["match"]).rpartition(".")[2])
    ]
    if "settings" in side.module.path:
        strings = (match["match"] for match in view.own(_STRINGS, side))
        found += [(text, code.line(node)) for node in strings if _SETTING.search(text := code.text(node).strip("\"'"))]
    return sorted(found, key=lambda check: check[1])


def _shown(node: "Node") -> str:
    """The normal text of a check; ``@login_required()`` is ``@login_required``."""
    return code.normal(node).replace("( )", "").replace(" ", "")


def _decorators(side: Code) -> Iterator[tuple[str, int]]:
    for node in side.node.children if side.node.type == "decorated_definition" else ():
        if node.type != "decorator" or not node.named_children:
            continue
        named = node.named_children[0]
        arguments = named.child_by_field_name("arguments") if named.type == "call" else None
        wrapped = arguments.named_children[:1] if arguments and code.callee(named).endswith("method_decorator") else []
        if is_check(code.callee(named)) and "AllowAny" not in code.text(node):
            yield _shown(node), code.line(node)
        yield from ((_shown(inner), code.line(node)) for inner in wrapped if is_check(code.callee(inner)))


def _attributes(view: View, side: Code) -> Iterator[tuple[str, int]]:
    """Elements of permission lists. ``permissions`` is a choice elsewhere (any of them will do): it counts as one."""
    if side.function.kind is not FunctionKind.CLASS_BODY:
        return
    for match in view.own(_ASSIGNED, side):
        value, name = match["value"], code.text(match["key"])
        items = value.named_children if value.type in ("list", "tuple") else [value]
        names = [_named(item) for item in items if item.type not in ("comment", "tuple", "none")]
        kept = [item for item in names if item not in _OPEN]
        if kept and name in ("permissions", "permission_required"):
            yield name, code.line(match["match"])
        elif kept:
            yield from ((f"{name}: {item}", code.line(match["match"])) for item in kept)


def _named(item: "Node") -> str:
    """A permission by its dotted name, a combination of some (``A | B``) by its text."""
    return code.callee(item) if item.type in ("identifier", "attribute", "call") else code.normal(item)


def _mixins(view: View, side: Code) -> Iterator[tuple[str, int]]:
    for match in view.own(_BASES, side):
        for base in match["match"].named_children:
            if base.type in ("identifier", "attribute") and _MIXIN.search(code.callee(base)):
                yield code.callee(base), code.line(base)


def _dependencies(view: View, side: Code) -> Iterator[tuple[str, int]]:
    for match in view.own(_DEPENDS, side):
        if is_check(code.callee(match["value"])):
            yield _shown(match["match"]), code.line(match["match"])
