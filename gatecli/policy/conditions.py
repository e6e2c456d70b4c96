"""Whether a condition of the policy holds for a change: yes, no, or not known, which asks for as much as yes.

``not`` of what is not known is not known either (Kleene's three values), so missing evidence cannot be turned round.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from gatecli.config import Config
from gatecli.config.contradictions import MAX_STARS
from gatecli.config.requirements import Condition, IncidentsAsked, parts
from gatecli.model import Case, Closeness, Finding, Grade, IncidentSeverity, Outcome, Person, Score
from gatecli.policy.owners import SENIORS, members
from gatecli.policy.patterns import Patterns
from gatecli.provenance.identity import Directory, directory

DESTRUCTIVE = frozenset(
    {
        *("table-dropped", "column-dropped", "table-or-column-renamed", "column-type-changed"),
        *("whole-table-written", "delete-everything-added", "on-delete-changed"),
    }
)
IRREVERSIBLE = frozenset({"migration-irreversible", "table-dropped", "column-dropped", "delete-everything-added"})

_ANSWERED = (Outcome.FLAGGED, Outcome.UNKNOWN, Outcome.ERROR)

Held = bool | None
"""None: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What conditions are asked about, looked up once for all of them."""

    case: Case
    score: Score
    config: Config
    known: Directory
    paths: tuple[str, ...]
    found: tuple[Finding, ...]
    names: frozenset[str]
    share: Held | float
    rate: Held | float
    entry_points: frozenset[str]
    services: frozenset[str]
    _patterns: dict[tuple[str, ...], Patterns] = field(default_factory=dict)

    def matching(self, patterns: Iterable[str]) -> list[str]:
        """The touched paths that one of some gitignore patterns selects."""
        compiled = self._compiled(tuple(patterns))
        return [path for path in self.paths if compiled.last(path) >= 0]

    def selects(self, patterns: Iterable[str], path: str) -> bool:
        """Whether one of some gitignore patterns selects a path, touched or not."""
        return self._compiled(tuple(patterns)).last(path) >= 0

    def _compiled(self, patterns: tuple[str, ...]) -> Patterns:
        if patterns not in self._patterns:
            compiled = Patterns()
            for number, pattern in enumerate(patterns):
                if pattern.strip("/") and pattern.count("*") <= MAX_STARS:
                    compiled.add(number, pattern)
            self._patterns[patterns] = compiled
        return self._patterns[patterns]


def facts(case: Case, findings: Iterable[Finding], score: Score, config: Config) -> Facts:
    """Everything that a condition may look at."""
    found = tuple(one for one in findings if one.outcome in _ANSWERED)
    running = case.running
    usage = [case.usage.get(one.id) for one in running]
    blasts = list(case.blast.values())
    shares = [one.share if one is not None else None for one in usage]
    shares += [one.share for one in blasts if one.share is not None]
    points = {name for one in case.usage.values() for name, _ in one.entry_points}
    services = {name for one in case.usage.values() for name in one.services}
    services |= {name for one in blasts for name in one.services}
    return Facts(
        case=case,
        score=score,
        config=config,
        known=directory(config.people),
        paths=tuple(dict.fromkeys(path for file in case.change.files for path in (file.path, file.old_path) if path)),
        found=found,
        names=frozenset(name for one in found for name in (one.rule, one.code)),
        share=_greatest(shares),
        rate=_greatest([one.calls_per_minute if one is not None else None for one in usage]),
        entry_points=frozenset(points | {name for one in blasts for name in one.entry_points}),
        services=frozenset(services),
    )


def _greatest(values: Collection[float | None]) -> float | None:
    """The largest figure; None (not known) where one of them is not, unless there is nothing to know."""
    return None if None in values else max((one for one in values if one is not None), default=0.0)


def holds(condition: Condition, about: Facts) -> Held:
    """Yes, no, or None: not known."""
    answers = [answer for _, answer in explain(condition, about)]
    return _all(answers)


def explain(condition: Condition, about: Facts) -> list[tuple[str, Held]]:
    """Each thing that a condition names, in words, with its answer."""
    found: list[tuple[str, Held]] = []
    for name, ask in _ASKS.items():
        value = getattr(condition, name)
        if value is not None:
            found.append((f"{name.rstrip('_')} {_said(value)}".strip(), ask(value, about)))
    if condition.all is not None:
        answers = [holds(one, about) for one in condition.all]
        found.append((f"all of {len(condition.all)}", _all(answers)))
    if condition.any is not None:
        answers = [holds(one, about) for one in condition.any]
        found.append((f"any of {len(condition.any)}", _any(answers)))
    if condition.not_ is not None:
        held = holds(condition.not_, about)
        inner = " and ".join(text for text, _ in explain(condition.not_, about)) or "anything"
        found.append((f"not ({inner})", None if held is None else not held))
    return found


def _said(value: object) -> str:
    if value is True:
        return ""
    if isinstance(value, IncidentsAsked):
        return _said_of_incidents(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _said_of_incidents(asked: IncidentsAsked) -> str:
    """``2 of sev2 or worse within 90 days with neighbours``."""
    parts = [f"{asked.count:,}"]
    if asked.severity is not None:
        parts.append(f"of {asked.severity}" + (" or worse" if asked.severity != IncidentSeverity.SEV1 else ""))
    if asked.within_days is not None:
        parts.append(f"within {asked.within_days:,} days")
    return " ".join(parts + (["with neighbours"] if asked.neighbours else []))


def _all(answers: Collection[Held]) -> Held:
    if False in answers:
        return False
    return None if None in answers else True


def _any(answers: Collection[Held]) -> Held:
    if True in answers:
        return True
    return None if None in answers else False


# --------------------------------------------------------------------------- what can be asked


def _tier(name: str, about: Facts) -> Held:
    condition = about.config.tiers.get(name)
    return holds(condition, about) if condition is not None else None


def _tools(names: tuple[str, ...], about: Facts) -> Held:
    wanted = {name.casefold() for name in names}
    return any(sign.tool.casefold() in wanted for sign in about.case.provenance.agents)


def _operator(names: tuple[str, ...], about: Facts) -> Held:
    operator = about.case.provenance.operator
    return None if operator is None else is_among(operator, names, about)


def _author(names: tuple[str, ...], about: Facts) -> Held:
    authors = about.case.provenance.authors
    return any(is_among(one, names, about) for one in authors) if authors else None


def is_among(person: Person, names: Iterable[str], about: Facts) -> bool:
    """Whether a list of names, teams and ``seniors`` holds somebody whom a commit names."""
    keys = {about.known.key(person), *filter(None, (person.email.casefold(), person.name.casefold()))}
    for name in names:
        if name == SENIORS:
            if about.known.is_senior(person):
                return True
        elif keys & about.known.keys_of(members(about.config.people, name)):
            return True
    return False


def _only_paths(patterns: tuple[str, ...], about: Facts) -> Held:
    return bool(about.paths) and len(about.matching(patterns)) == len(about.paths)


def _zones(names: tuple[str, ...], about: Facts) -> Held:
    return any(about.matching(about.config.zones.get(name, ())) for name in names)


def _rules(names: tuple[str, ...], about: Facts) -> Held:
    return any(matches_name(name, about.names) for name in names)


def unknown_rules(config: Config, known: Collection[str]) -> tuple[str, ...]:
    """The rules that conditions name and that nobody knows: such a condition would never hold."""
    conditions = [*config.tiers.values(), *(one.if_ for one in config.requirements), config.pace.applies]
    named = (name for condition in conditions for one, _ in parts(condition) for name in one.rules or ())
    return tuple(dict.fromkeys(name for name in named if not matches_name(name, known)))


def matches_name(wanted: str, names: Collection[str]) -> bool:
    """Whether a name, or one with ``*`` at its end, is that of one of some."""
    if wanted.endswith("*"):
        return any(name.startswith(wanted[:-1]) for name in names)
    return wanted in names


def _traffic(value: Held | float, asked: float, about: Facts) -> Held:
    """Whether so much traffic was seen; that there is little of it is not known from a weak profile."""
    profile = about.case.profile
    if value is not None and value < asked and profile is not None and profile.grade is Grade.WEAK:
        return None
    return None if value is None else value >= asked


def _crosses(_: bool, about: Facts) -> Held:
    from gatecli.policy.borders import crosses  # which asks about facts itself, and reads code where it has to

    return crosses(about)


def _incidents(asked: int | IncidentsAsked, about: Facts) -> Held:
    """Whether so many incidents came from the touched functions: a number asks for any of them."""
    wanted = IncidentsAsked(count=asked) if isinstance(asked, int) else asked
    found = [
        one
        for one in about.case.incidents
        if (wanted.neighbours or one.closeness is Closeness.SAME)
        and (wanted.within_days is None or one.age_days <= wanted.within_days)
        and (wanted.severity is None or one.incident.severity <= wanted.severity)  # sev1 is the gravest
    ]
    return len(found) >= wanted.count


def _drift(which: str, about: Facts) -> Held:
    """Whether something changes that the change did not say it is about, or (``undeclared``) it said nothing.

    Pull requests of one head are judged together: what one of them leaves out is outside, whatever the others say.
    """
    provenance = about.case.provenance
    scopes = (provenance.scope, *provenance.twin_scopes)
    if which == "undeclared" and not all(scopes):
        return bool(about.paths)
    return any(outside(declared, about) for declared in scopes if declared)


def outside(declared: tuple[str, ...], about: Facts) -> list[str]:
    """The touched paths that a declared scope does not cover: gitignore patterns of files, ``path::function`` of code.

    A file of which functions are named is covered if only those, and what is in them, were touched.
    """
    covered = set(about.matching(one for one in declared if "::" not in one))
    named: dict[str, list[str]] = {}
    for path, _, function in (one.partition("::") for one in declared if "::" in one):
        named.setdefault(path, []).append(function)
    touched: dict[str, set[str]] = {}
    for one in about.case.functions:
        touched.setdefault(one.id.path, set()).add(one.id.qualname)
    return [
        path
        for path in about.paths
        if path not in covered
        and not (path in touched and all(_is_within(each, named.get(path, ())) for each in touched[path]))
    ]


def _is_within(qualname: str, functions: Iterable[str]) -> bool:
    return any(qualname == one or qualname.startswith(f"{one}.") for one in functions)


def _within_top(share: float, about: Facts) -> Held:
    standing = about.score.standing
    if standing is None or standing.percentile is None:
        return None
    is_in = standing.percentile >= 1 - share
    return None if standing.missing and not is_in else is_in  # it may stand higher than what is known of it


_ASKS: Mapping[str, Callable[..., Held]] = {
    "tier": _tier,
    "provenance": lambda classes, about: about.case.provenance.klass in classes,
    "tools": _tools,
    "operator_in": _operator,
    "author_in": _author,
    "paths": lambda patterns, about: bool(about.matching(patterns)),
    "only_paths": _only_paths,
    "zones": _zones,
    "files": lambda count, about: len(about.case.change.files) >= count,
    "lines": lambda count, about: about.case.change.added_count + about.case.change.deleted_count >= count,
    "rules": _rules,
    "points": lambda count, about: about.score.total >= count,
    "likelihood": lambda count, about: about.score.likelihood >= count,
    "top_share": lambda share, about: _within_top(share, about),
    "traffic_share": lambda share, about: _traffic(about.share, share, about),
    "calls_per_minute": lambda rate, about: _traffic(about.rate, rate, about),
    "entry_points": lambda names, about: any(matches_name(name, about.entry_points) for name in names),
    "services": lambda names, about: any(matches_name(name, about.services) for name in names),
    "destructive_schema": lambda _, about: any(one.rule in DESTRUCTIVE for one in about.found),
    "irreversible": lambda _, about: any(one.rule in IRREVERSIBLE for one in about.found),
    "crosses_boundary": _crosses,
    "incidents": _incidents,
    "drift": _drift,
}
