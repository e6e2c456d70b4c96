"""D03: amounts that are counted or rounded in another way than before."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from gatecli.model import Confidence
from gatecli.rules import code
from gatecli.rules.checks.numbers import calls
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import amount, listed, plural, snippet

_MODES = Pattern('((identifier) @match (#match? @match "^ROUND_[A-Z0-5_]+$"))')
_FIELDS = Pattern("(assignment left: (identifier) @key right: (call) @value) @match")
_EXACT = re.compile(r"\b(?:DecimalField|Numeric|DECIMAL|MoneyField)\b")
_INEXACT = re.compile(r"\b(?:FloatField|Float|REAL|DOUBLE|(?:Big|Small|Positive){0,2}IntegerField|Integer)\b")
_BASES = Pattern("(class_definition superclasses: (argument_list) @match)")
_ROUNDS = re.compile(r"(?i)(?:^|[._])(?:round|quantize)(?:_\w{1,40})?$")
_MONEY = re.compile(
    r"(?i)price|amount|total|tax|cost|fee|money|pay|invoice|refund|discount|balance|charge|currency|vat|bill"
)


def precision_lost(rule: Rule, view: View) -> Iterator[Observation]:
    """Exact numbers that became inexact, and other rounding where the names speak of money."""
    rounded = [_rounding(view, touched.after) - _rounding(view, touched.before) for touched in view.functions]
    came = sum(rounded, Counter[str]())
    yield from _rounds_elsewhere(view, came)
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.change.behaviour is None:
            continue
        yield from _rounds_less(view, touched, came)
        yield from _floats(view, touched, touched.before, touched.after)
        yield from _modes(view, touched, touched.before, touched.after)
        yield from _places(view, touched, touched.before, touched.after)
        yield from _columns(view, touched, touched.before, touched.after)


def _rounding(view: View, side: Code | None) -> Counter[str]:
    """How often a function rounds, by the name that it calls."""
    return Counter({name: len(found) for name, found in calls(view, side).items() if _ROUNDS.search(name)})


def _rounds_less(view: View, touched: Touched, came: Counter[str]) -> Iterator[Observation]:
    """Roundings that went away and that no other function of the change took over."""
    for name, line in _lost_roundings(view, touched):
        if not came[name]:
            sure = _MONEY.search(name) or _MONEY.search(touched.change.id.qualname)
            confidence = Confidence.HIGH if sure else Confidence.LOW
            yield seen(touched, line, f"no longer rounds with {snippet(name)}", name, confidence=confidence)


def _rounds_elsewhere(view: View, came: Counter[str]) -> Iterator[Observation]:
    """One note a file and name for roundings that other functions of the change now make: not for every way there."""
    moved: dict[tuple[str, str], list[tuple[Touched, int]]] = defaultdict(list)
    for touched in view.functions:
        for name, line in _lost_roundings(view, touched):
            if came[name]:
                moved[touched.change.id.path, name].append((touched, line))
    for (_, name), lost in moved.items():
        touched, line = lost[0]
        more = f" (nor {plural(len(lost) - 1, 'more function')})" if len(lost) > 1 else ""
        says = f"no longer rounds with {snippet(name)}{more}, which others of this change now do"
        yield seen(touched, line, says, name, confidence=Confidence.LOW)


def _lost_roundings(view: View, touched: Touched) -> list[tuple[str, int]]:
    """Name and line of each rounding that a surviving function has fewer of, and none more."""
    if touched.before is None or touched.after is None or touched.change.behaviour is None:
        return []
    old, new = _rounding(view, touched.before), _rounding(view, touched.after)
    if new.total() >= old.total():
        return []
    found = calls(view, touched.before)
    return [(name, touched.line_after(code.line(found[name][0]))) for name in sorted(old - new)]


def _floats(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    old, new = calls(view, before), calls(view, after)
    exact = [name for name in old if name.rpartition(".")[2] in ("Decimal", "quantize", "Fraction")]
    lost = [name for name in exact if len(new.get(name, ())) < len(old[name])]
    floats = new.get("float", [])
    if lost and len(floats) > len(old.get("float", [])):
        says = f"now counts with float() where it had {listed(sorted(lost))}"
        yield seen(touched, code.line(floats[-1]), says, f"float {lost[0]}")


def _modes(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    old = Counter(code.text(match["match"]) for match in view.own(_MODES, before))
    found = view.own(_MODES, after)
    new = Counter(code.text(match["match"]) for match in found)
    gone, came = old - new, new - old
    if gone and came:
        line = next(code.line(match["match"]) for match in found if code.text(match["match"]) in came)
        says = f"now rounds with {listed(sorted(came))} where it had {listed(sorted(gone))}"
        yield seen(touched, line, says, " ".join(sorted(came)))


def _places(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    """``round(x, n)`` with another n."""
    old = dict(_rounded(view, before))
    for what, places in _rounded(view, after):
        was = old.get(what)
        if was is not None and was[0] != places[0]:
            says = f"rounds {snippet(what)} to {amount(places[0])} places where it had {amount(was[0])}"
            sure = _MONEY.search(what) or _MONEY.search(touched.change.id.qualname)
            confidence = Confidence.HIGH if sure else Confidence.LOW
            yield seen(touched, places[1], says, what, confidence=confidence)


def _rounded(view: View, side: Code) -> Iterator[tuple[str, tuple[float, int]]]:
    for call in calls(view, side).get("round", ()):
        arguments = call.child_by_field_name("arguments")
        given = [node for node in (arguments.named_children if arguments else ()) if node.type != "comment"]
        places = code.number(given[1]) if len(given) > 1 else 0.0
        if given and places is not None:
            yield code.text(given[0]), (places, code.line(call))


def _columns(view: View, touched: Touched, before: Code, after: Code) -> Iterator[Observation]:
    """Columns and classes of fields of an exact type that became floats or whole numbers."""
    old = {code.text(match["key"]): code.text(match["value"]) for match in view.own(_FIELDS, before)}
    new = [(code.text(match["key"]), match["value"]) for match in view.own(_FIELDS, after)]
    name = touched.change.id.name
    old.update((name, code.text(match["match"])) for match in view.own(_BASES, before))
    new += [(name, match["match"]) for match in view.own(_BASES, after)]
    for name, value in new:
        was, now = _EXACT.search(old.get(name, "")), _INEXACT.search(code.text(value))
        if was and now and not _EXACT.search(code.text(value)):
            says = f"keeps {snippet(name)} as {now[0]} where it was {was[0]}"
            yield seen(touched, code.line(value), says, name)
