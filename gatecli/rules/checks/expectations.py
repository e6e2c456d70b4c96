"""T04, T05, T06: surviving tests that expect something else, expect less, or no longer run what they are for."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gatecli.model import Confidence
from gatecli.rules import code
from gatecli.rules.checks.numbers import replaced
from gatecli.rules.checks.tested import is_at_home, words_of
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import amount, listed, snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_COMPARED = Pattern("(assert_statement (comparison_operator) @key) @match")
_EQUAL = Pattern("""
((call function: (attribute attribute: (identifier) @key) arguments: (argument_list)) @match (#match? @key "^assert"))
""")
_CALLED = Pattern("""
(call function: (identifier) @match)
(call function: (attribute attribute: (identifier) @match))
""")
_LITERALS = frozenset(
    {"integer", "float", "string", "true", "false", "none", "list", "dictionary", "tuple", "unary_operator"}
)
_WEAK = re.compile(r"^assert(?:True|IsNotNone|In|Greater|GreaterEqual|IsInstance)$")
_STRONG = frozenset(
    {
        "assertEqual",
        "assertEquals",
        "assertDictEqual",
        "assertListEqual",
        "assertCountEqual",
        "assertIsNone",
        "assertIs",
    }
)
_TOLERANCE = re.compile(r"^(?:rel|abs|abs_tol|rel_tol|atol|rtol|delta|tolerance|timeout|timeout_s|max_seconds)$")
_PATCHES = Pattern("""
((call function: [(identifier) (attribute)] @name arguments: (argument_list . (string) @key)) @match
  (#match? @name "(^|[.])(patch|setattr)$"))
((call
  function: (attribute object: [(identifier) (attribute)] @name attribute: (identifier) @how)
  arguments: (argument_list . (_) . (string) @key)) @match
  (#match? @name "(patch|monkeypatch)$") (#any-of? @how "object" "setattr"))
""")
FACTOR = 3


def expected_value_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """T04: tests, by file, that expect another value of a function which this change edits; as grave as it is busy."""
    edited = {touched.change.id.name: touched for touched in _edited(view)}
    found: dict[tuple[str, str], list[tuple[str, _Expected]]] = {}
    known: dict[int, frozenset[str]] = {}  # by module: what it names, read once for all of its tests
    for touched in _tests(view):
        assert touched.before is not None
        assert touched.after is not None
        named = sorted(_called(view, touched.after) & edited.keys())
        module = touched.after.module
        if named and id(module) not in known:
            known[id(module)] = words_of(module.source)
        subjects = [name for name in named if is_at_home(edited[name], known[id(module)])]
        values = _changed_values(view, touched.before, touched.after) if subjects else []
        for value in values:
            found.setdefault((touched.change.id.path, subjects[0]), []).append((touched.change.id.name, value))
    for (path, subject), changes in found.items():
        test, first = changes[0]
        more = f" (and {len(changes) - 1} more)" if len(changes) > 1 else ""
        says = f"{test} expects {first.shown}{more} of {snippet(subject)}, which this change edits"
        text = " ".join(sorted(f"{name} {value.text}" for name, value in changes))
        yield Observation(says=says, path=path, line=first.line, text=text, usage=edited[subject].usage)


def _edited(view: View) -> Iterator[Touched]:
    for touched in view.functions:
        if touched.survives and not touched.is_container and view.is_production(touched.change.id.path):
            yield touched


def _tests(view: View) -> Iterator[Touched]:
    for touched in view.functions:
        id = touched.change.id
        if touched.survives and not touched.is_container and id.name.startswith("test") and view.is_test(id.path):
            yield touched


def _called(view: View, side: Code | None) -> set[str]:
    found = view.own(_CALLED, side) if side is not None else []
    return {name for match in found if len(name := code.text(match["match"])) >= 5}


@dataclass(frozen=True, slots=True)
class _Expected:
    """A literal that became another one: what differs, in words; both in normal form; the line of the new one."""

    shown: str
    text: str
    line: int


def _changed_values(view: View, before: Code, after: Code) -> list[_Expected]:
    """The assertions that are the same but for a literal."""
    old: dict[str, list[Node]] = {}
    for shape, value in _values(view, before):
        old.setdefault(shape, []).append(value)
    changed = []
    for shape, value in _values(view, after):
        known, now = old.get(shape, []), _meaning(value)
        if known and now not in [_meaning(one) for one in known]:
            was = known.pop(0)
            changed.append(_Expected(_difference(was, value), f"{_meaning(was)} {now}", code.line(value)))
    return changed


def _meaning(value: "Node") -> str:
    """The normal text of a literal; the keys of a dictionary have no order."""
    items = [code.normal(item) for item in value.named_children] if value.type == "dictionary" else []
    return " ".join(sorted(items)) if items else code.normal(value)


def _difference(old: "Node", new: "Node") -> str:
    """The first thing in which two literals differ: of dictionaries and lists an item, not the whole."""
    if old.type == new.type and new.type in ("dictionary", "list", "tuple", "set"):
        was, now = ([item for item in node.named_children if item.type != "comment"] for node in (old, new))
        gone, came = _surplus(was, now), _surplus(now, was)
        if gone and came:
            return f"{snippet(code.text(came[0]), 40)} where it expected {snippet(code.text(gone[0]), 40)}"
        if came:
            return f"{snippet(code.text(came[0]), 40)} more than it did"
        if gone:
            return f"no {snippet(code.text(gone[0]), 40)} any more"
    return f"{snippet(code.text(new), 40)} where it expected {snippet(code.text(old), 40)}"


def _surplus(here: "list[Node]", there: "list[Node]") -> "list[Node]":
    known = Counter(code.normal(item) for item in there)
    surplus = []
    for item in here:
        if known[text := code.normal(item)] > 0:
            known[text] -= 1
        else:
            surplus.append(item)
    return surplus


def _values(view: View, side: Code) -> "Iterator[tuple[str, Node]]":
    """What is compared, in normal form, and the literal that it must be equal to."""
    for match in view.own(_COMPARED, side):
        children = match["key"].named_children
        if len(children) == 2 and children[1].type in _LITERALS:
            yield code.normal(children[0]), children[1]
    for match in view.own(_EQUAL, side):
        given = match["match"].child_by_field_name("arguments")
        children = [child for child in (given.named_children if given else ()) if child.type != "comment"]
        if code.text(match["key"]) in _STRONG and len(children) >= 2:
            for value, what in ((children[1], children[0]), (children[0], children[1])):
                if value.type in _LITERALS:
                    yield code.normal(what), value
                    break


# --------------------------------------------------------------------------- T05


def test_loosened(rule: Rule, view: View) -> Iterator[Observation]:
    """T05: an equality that became a weaker check of the same thing, and tolerances that became three times wider."""
    for touched in _tests(view):
        assert touched.before is not None
        assert touched.after is not None
        before, after = list(_checks(view, touched.before)), list(_checks(view, touched.after))
        exact = Counter(check.what for check in before if check.is_exact)
        exact.subtract(check.what for check in after if check.is_exact)
        weak = Counter(check.what for check in before if not check.is_exact)
        fewer = sum(check.is_exact for check in after) < sum(check.is_exact for check in before)
        loosened = []
        for check in after:
            if not check.is_exact and weak[check.what] > 0:
                weak[check.what] -= 1
            elif not check.is_exact and exact[check.what] > 0:
                exact[check.what] -= 1
                loosened.append(check)
        if loosened and fewer:
            names = list(dict.fromkeys(check.shown for check in loosened))
            says = f"no longer says what {listed(names)} must be"
            yield seen(touched, loosened[0].line, says, " ".join(check.what for check in loosened))
        for name, old, new in replaced(view, touched.before, touched.after, _is_tolerance):
            was, now = code.number(old), code.number(new)
            if was and now and now >= FACTOR * was > 0:
                says = f"widens {snippet(name)} from {amount(was)} to {amount(now)}"
                yield seen(touched, code.line(new), says, name, confidence=_sure(name))


def _sure(name: str) -> Confidence:
    return Confidence.LOW if "timeout" in name or "seconds" in name else Confidence.HIGH


def _is_tolerance(name: str) -> bool:
    return bool(_TOLERANCE.match(name))


_ASSERTED = Pattern("(assert_statement . (_) @key) @match")


@dataclass(frozen=True, slots=True)
class _Check:
    """What is checked (normalised, and as the source has it), whether for equality with something, on which line."""

    what: str
    shown: str
    is_exact: bool
    line: int


def _check(node: "Node", *, is_exact: bool, line: int) -> _Check:
    return _Check(code.normal(node), code.text(node), is_exact, line)


def _checks(view: View, side: Code) -> Iterator[_Check]:
    for match in view.own(_ASSERTED, side):
        checked = match["key"]
        line = code.line(match["match"])
        if checked.type == "comparison_operator" and len(checked.named_children) == 2:
            left, right = checked.named_children
            operator = next((child.type for child in checked.children if not child.is_named), "")
            if operator == "==":
                yield _check(left, is_exact=True, line=line)
            elif operator == "in":
                yield _check(right, is_exact=False, line=line)
                yield _check(left, is_exact=False, line=line)
            elif operator in ("is not", "is") and right.type == "none":
                yield _check(left, is_exact=operator == "is", line=line)
            elif operator in ("!=", ">", ">="):
                yield _check(left, is_exact=False, line=line)
        elif checked.type in ("identifier", "attribute", "call", "subscript"):
            yield _check(checked, is_exact=False, line=line)
    for match in view.own(_EQUAL, side):
        name = code.text(match["key"])
        given = match["match"].child_by_field_name("arguments")
        for child in (given.named_children if given else ())[:2]:
            if name in _STRONG or _WEAK.match(name):
                yield _check(child, is_exact=name in _STRONG, line=code.line(match["match"]))


# --------------------------------------------------------------------------- T06


def unit_mocked(rule: Rule, view: View) -> Iterator[Observation]:
    """T06: a test that now replaces the very function it is for, and which this change edits."""
    edited = {touched.change.id.name: touched.change.id.path for touched in _edited(view)}
    for touched in view.functions:
        id = touched.change.id
        if touched.before is None or touched.after is None or not view.is_test(id.path) or touched.is_container:
            continue
        known = {target for target, _ in _patched(view, touched.before)}
        for target, line in _patched(view, touched.after):
            name = target.rpartition(".")[2]
            path = edited.get(name)
            if target in known or path is None or name not in _called(view, touched.after):
                continue
            if _module_fits(target, path):
                says = f"now replaces {snippet(target)}, which it tests and this change edits"
                yield seen(touched, line, says, target)


def _patched(view: View, side: Code) -> list[tuple[str, int]]:
    return [(_unquoted(match["key"]), code.line(match["match"])) for match in view.own(_PATCHES, side)]


def _unquoted(node: "Node") -> str:
    return code.text(node).strip("\"'")


def _module_fits(target: str, path: str) -> bool:
    """Whether a patch target names the module of a file, or no module at all."""
    parts = target.split(".")[:-1]
    return not parts or PurePosixPath(path).stem in parts or PurePosixPath(path).parent.name in parts
