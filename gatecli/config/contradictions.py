"""What no type can say of a policy: names that must exist, circles, and evidence that would ask for less."""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from gatecli.config.document import At, Document, Problem, did_you_mean, quote
from gatecli.config.requirements import Ask, Border, Condition, Pace, Required, looks_at_evidence, parts

MAX_STARS = 10
MAX_TIERS = 50


def contradictions(
    document: Document,
    tiers: Mapping[str, Condition],
    requirements: tuple[Required, ...],
    pace: Pace,
    zones: Mapping[str, tuple[str, ...]],
) -> Iterator[Problem]:
    """Every problem, at the line of the requirement or tier that it is in.

    A circle of tiers is found first: nothing else is looked at while there is one.
    """
    circles = list(_circles(document, tiers))
    if circles:
        yield from circles
        return
    for at, condition in _conditions(tiers, requirements, pace):
        yield from _in_condition(document, at, condition, tiers, zones)
    seen: set[str] = set()
    for number, one in enumerate(requirements):
        if one.name in seen:
            yield document.problem(("requirements", number), f"a second requirement is called {quote(one.name)}")
        seen.add(one.name)
        for ask in one.requires:
            yield from _in_ask(document, ("requirements", number), ask)
    yield from _in_pace(document, pace, tiers)


def _conditions(
    tiers: Mapping[str, Condition], requirements: tuple[Required, ...], pace: Pace
) -> Iterator[tuple[At, Condition]]:
    for name, condition in tiers.items():
        yield ("tiers", name), condition
    for number, one in enumerate(requirements):
        yield ("requirements", number), one.if_
    yield ("pace", "applies"), pace.applies


def _circles(document: Document, tiers: Mapping[str, Condition]) -> Iterator[Problem]:
    if len(tiers) > MAX_TIERS:
        yield document.problem(("tiers",), f"more than {MAX_TIERS} tiers")
        return
    named = {name: {one.tier for one, _ in parts(condition) if one.tier} for name, condition in tiers.items()}
    for start in tiers:
        reached, waiting = set(), list(named[start])
        while waiting:
            name = waiting.pop()
            if name == start:
                yield document.problem(("tiers", start), f"the tier {quote(start)} is defined by itself")
                break
            if name not in reached:
                reached.add(name)
                waiting += named.get(name, ())


def _in_condition(
    document: Document,
    at: At,
    condition: Condition,
    tiers: Mapping[str, Condition],
    zones: Mapping[str, tuple[str, ...]],
) -> Iterator[Problem]:
    for one, negated in parts(condition):
        if one.tier is not None and one.tier not in tiers:
            yield document.problem(at, f"no tier is called {quote(one.tier)}{did_you_mean(one.tier, tiers)}")
        for zone in one.zones or ():
            if zone not in zones:
                yield document.problem(at, f"no zone is called {quote(zone)}{did_you_mean(zone, zones)}")
        for pattern in (*(one.paths or ()), *(one.only_paths or ())):
            if pattern.count("*") > MAX_STARS:
                yield document.problem(at, f"{quote(pattern)} has more than {MAX_STARS} wildcards")
        own = Condition(**{name: getattr(one, name) for name in one.__struct_fields__ if name not in _NESTED})
        if negated and looks_at_evidence(own, tiers):
            yield document.problem(at, "not stands before what was found: more evidence would then ask for less")


_NESTED = ("all", "any", "not_")


def unknown_zones(
    document: Document, borders: Mapping[str, Border], zones: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    """Borders of or with zones that nobody declared."""
    for name, border in borders.items():
        for zone in (name, *border.imports):
            if zone not in zones:
                yield document.problem(("borders", name), f"no zone is called {quote(zone)}{did_you_mean(zone, zones)}")


def _in_ask(document: Document, at: At, ask: Ask) -> Iterator[Problem]:
    if (ask.any is not None or ask.all is not None) and ask != Ask(any=ask.any, all=ask.all):
        yield document.problem(at, "an ask with any or all says nothing of its own: write it into each of them")
    if ask.any == () or ask.all == () or (ask.any is not None and ask.all is not None):
        yield document.problem(at, "an ask has either any or all, with at least one ask in it")
    if ask.another_model and ask.kind != "agent":
        yield document.problem(at, "another_model is asked of agents: add kind: agent")
    for one in (*(ask.any or ()), *(ask.all or ())):
        yield from _in_ask(document, at, one)


def _in_pace(document: Document, pace: Pace, tiers: Mapping[str, Condition]) -> Iterator[Problem]:
    for tier in pace.cooling_off.tiers if pace.cooling_off else ():
        if tier not in tiers:
            yield document.problem(
                ("pace", "cooling_off"), f"no tier is called {quote(tier)}{did_you_mean(tier, tiers)}"
            )
    for number, window in enumerate(pace.windows):
        at = ("pace", "windows", number)
        if not window.days:
            yield document.problem(at, "a window without days never opens")
        try:
            ZoneInfo(window.zone)
        except (KeyError, ValueError, OSError):
            yield document.problem(at, f"{quote(window.zone)} is no time zone of the IANA list, such as Europe/Berlin")
