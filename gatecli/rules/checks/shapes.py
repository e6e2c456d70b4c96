"""C03: what functions return to whoever reads it: the keys of dictionaries, the number of values."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.model import Confidence, UsageStatus
from gatecli.rules import code
from gatecli.rules.checks.contracts import callers_outside
from gatecli.rules.checks.interface import routes
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import listed

if TYPE_CHECKING:
    from tree_sitter import Node

_WRAPPER = re.compile(r"(?:^|\.)(?:OrderedDict|Response|JsonResponse|JSONResponse|jsonify)$")
_RETURNS = Pattern("(return_statement (_) @key) @match")
_BARE_RETURNS = Pattern('((return_statement) @match (#match? @match "^return[ \\t]{0,9}(#.{0,200})?$"))')
_KINDS = {
    "list": "a list",
    "list_comprehension": "a list",
    "dictionary": "a dictionary",
    "dictionary_comprehension": "a dictionary",
    "set": "a set",
    "set_comprehension": "a set",
    "generator_expression": "a generator",
    "expression_list": "a tuple",
    "tuple": "a tuple",
    "string": "a string",
    "concatenated_string": "a string",
    "integer": "a number",
    "float": "a number",
    "true": "True or False",
    "false": "True or False",
    "none": "None",
}


def return_shape_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """Keys that a returned dictionary lost, or another number of values; sure only if someone outside reads it."""
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.is_container or touched.change.behaviour is None:
            continue
        old, new = _shape(view, touched.before), _shape(view, touched.after)
        what = _lost(old, new)
        if what:
            line = new.line or touched.after.function.span.def_line
            confidence = Confidence.HIGH if _is_read(view, touched) else Confidence.LOW
            yield seen(touched, line, f"returns something else: {what}", what, confidence=confidence)
        elif nothing := _nothing_now(touched, old, new):
            says = "can now return None, where it always returned a value"
            yield seen(touched, nothing, says, "None", confidence=Confidence.LOW)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the returns of a function have in common, None or empty where they are no dictionaries or tuples.

    ``keys`` are in the dictionary under some condition, ``always`` under any; ``lengths`` are those of tuples;
    ``kinds`` are those of all values, as far as the text tells (``""`` where it does not).
    """

    keys: frozenset[str] | None
    always: frozenset[str]
    lengths: frozenset[int]
    kinds: frozenset[str]
    others: bool
    line: int | None


def _shape(view: View, side: Code) -> _Shape:
    keys: set[str] = set()
    always: set[str] = set()
    lengths: set[int] = set()
    kinds: set[str] = set()
    has_keys = others = False
    line = None
    made, put = _made_once(view, side), _put(view, side)
    for match in view.own(_RETURNS, side):
        value = _unwrapped(match["key"])
        name = code.text(value) if value.type == "identifier" else ""
        value = _unwrapped(made.get(name, value)) if name else value
        kinds.add(_KINDS.get(value.type, ""))
        named, later = _named_keys(value), put.get(name, {})
        if named is not None and (named or later):
            has_keys = True
            line = line or code.line(value)
            keys |= named | later.keys()
            always |= named | {key for key, is_sure in later.items() if is_sure}
        elif value.type == "expression_list" or (value.type == "tuple" and value.named_child_count > 1):
            lengths.add(sum(child.type != "comment" for child in value.named_children))
            line = line or code.line(value)
        elif value.type != "none":
            others = True
    if view.own(_BARE_RETURNS, side):
        kinds.add("None")
    return _Shape(
        keys=frozenset(keys) if has_keys else None,
        always=frozenset(always),
        lengths=frozenset(lengths),
        kinds=frozenset(kinds),
        others=others,
        line=line,
    )


_MADE = Pattern("(assignment left: (identifier) @key right: (_) @value) @match")


def _made_once(view: View, side: Code) -> "dict[str, Node]":
    """The value of each local name that is assigned once."""
    found: dict[str, list[Node]] = defaultdict(list)
    for match in view.own(_MADE, side):
        found[code.text(match["key"])].append(match["value"])
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _unwrapped(value: "Node") -> "Node":
    """What a response is made of: the first argument of ``Response(...)``, ``OrderedDict(...)`` and the like."""
    for _ in range(3):
        arguments = value.child_by_field_name("arguments") if value.type == "call" else None
        if arguments is None or not arguments.named_children or not _WRAPPER.search(code.callee(value)):
            break
        if arguments.named_children[0].type == "keyword_argument":
            break
        value = arguments.named_children[0]
    return value


def _named_keys(value: "Node") -> set[str] | None:
    """The keys of a dictionary: ``{"a": 1}``, ``dict(a=1)``, pairs ``[("a", 1)]``; None for anything else."""
    if value.type == "dictionary" and all(child.type in ("pair", "comment") for child in value.named_children):
        return {code.text(key).strip("\"'") for pair in value.named_children if (key := _key(pair)) is not None}
    if value.type == "call" and code.callee(value) in ("dict", "defaultdict") and not code.has_splat(value):
        return set(code.keywords(value))
    if value.type == "list" and value.named_children:
        pairs = [item for item in value.named_children if item.type == "tuple" and item.named_children]
        keys = {
            code.text(pair.named_children[0]).strip("\"'") for pair in pairs if pair.named_children[0].type == "string"
        }
        return keys if keys and len(pairs) == len(value.named_children) else None
    return None


_PUT = Pattern("(assignment left: (subscript) @key) @match")
_CONDITIONS = Pattern("[(if_statement) (for_statement) (while_statement) (except_clause)] @match")


def _put(view: View, side: Code) -> dict[str, dict[str, bool]]:
    """Local name → the keys that are put into it, and whether each is under any condition: ``found["total"] = 1``."""
    conditions = code.merged(code.byte_range(match["match"]) for match in view.own(_CONDITIONS, side))
    put: dict[str, dict[str, bool]] = defaultdict(dict)
    for match in view.own(_PUT, side):
        target = match["key"]
        holder = target.child_by_field_name("value")
        while holder is not None and holder.type == "subscript":
            target, holder = holder, holder.child_by_field_name("value")
        key = target.child_by_field_name("subscript")
        if holder is not None and holder.type == "identifier" and key is not None and key.type == "string":
            known, name = put[code.text(holder)], code.text(key).strip("\"'")
            known[name] = known.get(name, False) or not code.is_within(conditions, match["match"])
    return put


def _key(pair: "Node") -> "Node | None":
    key = pair.child_by_field_name("key") if pair.type == "pair" else None
    return key if key is not None and key.type == "string" else None


def _lost(old: _Shape, new: _Shape) -> str:
    if old.keys and new.keys is not None and not new.others and (gone := sorted(old.keys - new.keys)):
        came = sorted(new.keys - old.keys)
        instead = f", with {listed([repr(key) for key in came])} instead" if came else ""
        return f"{listed([repr(key) for key in gone])} gone from the dictionary{instead}"
    if old.always and new.keys is not None and not new.others and (unsure := sorted(old.always - new.always)):
        return f"{listed([repr(key) for key in unsure])} now left out under a condition"
    if (kind := _other_kind(old.kinds, new.kinds)) is not None:
        return kind
    if (
        len(old.lengths) == 1
        and len(new.lengths) == 1
        and old.lengths != new.lengths
        and not (old.others or new.others)
    ):
        return f"{min(new.lengths)} values where it returned {min(old.lengths)}"
    return ""


def _is_read(view: View, touched: Touched) -> bool:
    """Whether someone beyond the change reads what a function returns."""
    is_entry = touched.blast is not None and bool(touched.blast.entry_points) and not touched.blast.callers
    observed = touched.usage is not None and touched.usage.status is UsageStatus.OBSERVED
    return bool(callers_outside(view, touched)) or is_entry or observed or bool(routes(view, touched.after))


def _nothing_now(touched: Touched, old: _Shape, new: _Shape) -> int | None:
    """The line of a ``return None`` that is new in a function which always returned something."""
    behaviour, body = touched.change.behaviour, _body(touched.before)
    if behaviour is None or "None" in old.kinds or not old.kinds or new.kinds <= {"None"} or body is None:
        return None
    last = body.named_children[-1] if body.named_children else None
    if last is None or last.type not in ("return_statement", "raise_statement"):
        return None  # it fell off its end, which returns None
    return next((fact.line for fact in behaviour.returns.added if fact.text in ("return", "return None")), None)


def _body(side: Code | None) -> "Node | None":
    if side is None:
        return None
    node = side.node.child_by_field_name("definition") or side.node
    return node.child_by_field_name("body")


def _other_kind(old: frozenset[str], new: frozenset[str]) -> str | None:
    """Another kind of value than all that were returned."""
    was, now = old - {"None"}, new - {"None"}
    if len(was) == 1 == len(now) and was != now and "" not in was | now:
        return f"{min(now)} where it returned {min(was)}"
    return None
