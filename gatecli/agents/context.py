"""What an engineer or an agent should know before touching a function: schema ``gate-context/1``, and compact text.

Every list is bounded and every bound that was hit is named in ``truncated``; what is not known is null, and says why.
"""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from gatecli import pipeline
from gatecli.errors import UsageError
from gatecli.model import (
    Certainty,
    Closeness,
    EdgeBasis,
    FunctionChange,
    FunctionId,
    ProfileSummary,
    Recollection,
    Usage,
    UsageStatus,
)
from gatecli.pipeline import Examination, Request
from gatecli.reports.text import age, count, listed, milliseconds, plain, rate, share, valid_unicode

MAX_FUNCTIONS = 40
MAX_CALLERS = 25
MAX_CALLEES = 25
MAX_ENTRY_POINTS = 15
MAX_TESTS = 20
MAX_AUTHORS = 5
MAX_INCIDENTS = 10
_SHOWN = 6
"""Items of one list in the text."""


class _Object(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Neighbour(_Object, frozen=True, kw_only=True):
    """A function that calls this one or is called by it: how that is known, and whether it is sure."""

    id: str
    basis: EdgeBasis
    certainty: Certainty
    line: int | None = None
    calls_per_minute: float | None = None


class Span(_Object, frozen=True, kw_only=True):
    """First and last line, decorators included."""

    start: int
    end: int


class EntryPoint(_Object, frozen=True, kw_only=True):
    """Where traffic comes in that reaches the function, and the share of the function's weight."""

    id: str
    share: float | None


class Runtime(_Object, frozen=True, kw_only=True):
    """How it runs; ``reason`` says what is missing or uncertain."""

    status: UsageStatus
    calls_per_minute: float | None
    share: float | None
    self_share: float | None
    error_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    critical_path_share: float | None
    critical_path_basis: str | None
    basis: str | None
    confidence: str | None
    reason: str | None


class Author(_Object, frozen=True, kw_only=True):
    """Someone who changed it, how often."""

    name: str
    changes: int


class CoChange(_Object, frozen=True, kw_only=True):
    """Another file that ``together`` of the ``changes`` of the function changed as well."""

    path: str
    together: int
    changes: int


class History(_Object, frozen=True, kw_only=True):
    """Past changes; ``status`` says how far that is known: where it is ``shallow`` there may be more and older ones."""

    status: str
    changes: int | None
    first_changed_at: int | None
    last_changed_at: int | None
    authors: list[Author]
    cochange: list[CoChange]


class Card(_Object, frozen=True, kw_only=True):
    """One function. ``tests`` is null where no recording says which tests execute it."""

    id: str
    span: Span
    usage: Runtime
    callers: list[Neighbour]
    callees: list[Neighbour]
    entry_points: list[EntryPoint]
    tests: list[str] | None
    owners: list[str]
    history: History
    incidents: list[str]
    truncated: list[str]


class Profile(_Object, frozen=True, kw_only=True):
    """What the figures are from."""

    path: str
    grade: str
    revision: str | None
    age_s: float | None
    commits_behind: int | None
    warnings: list[str]


class Context(_Object, frozen=True, kw_only=True):
    """The whole answer. ``profile`` is null where there is none; ``truncated`` says that functions are left out."""

    schema: Literal["gate-context/1"] = "gate-context/1"
    profile: Profile | None
    functions: list[Card]
    truncated: bool


def look_up(directory: Path, target: str, request: Request) -> Context:
    """What is known of ``PATH`` or ``PATH::QUALNAME``.

    Raises:
        UsageError: there is no such file or function; the message names close ones.
        EvidenceError: the file cannot be parsed.
    """
    path, _, qualname = target.replace("\\", "/").partition("::")
    path = path.removeprefix("./")
    if not path:
        raise UsageError(f"no path in {target!r}", "such as: gate context shop/pricing.py::price_order")
    found = pipeline.examine(directory, path, [qualname] if qualname else None, request)
    if qualname and not found.functions:
        raise _unknown(directory, path, qualname, request)
    cards = [_card(found, change) for change in found.functions[:MAX_FUNCTIONS]]
    return Context(
        profile=_profile(found.profile) if found.profile else None,
        functions=cards,
        truncated=len(found.functions) > MAX_FUNCTIONS,
    )


def _unknown(directory: Path, path: str, qualname: str, request: Request) -> UsageError:
    names = [change.id.qualname for change in pipeline.examine(directory, path, None, request).functions]
    last = qualname.rpartition(".")[2]
    close = [name for name in names if name.rpartition(".")[2] == last] or difflib.get_close_matches(qualname, names)
    hint = f"did you mean {listed([f'{path}::{name}' for name in close], 3, last='or')}?" if close else ""
    return UsageError(f"no function {qualname} in {path}", hint or f"gate context {path} shows all of them")


def _card(found: Examination, change: FunctionChange) -> Card:
    id = change.id
    usage, blast, history = found.usage[id], found.blast.get(id), found.history[id]
    callers = [
        Neighbour(
            id=_text(caller.id),
            basis=caller.basis,
            certainty=caller.certainty,
            line=caller.line,
            calls_per_minute=caller.calls_per_minute,
        )
        for caller in (blast.callers if blast else ())
        if caller.depth == 1
    ]
    entries = [EntryPoint(id=_text(label), share=part) for label, part in usage.entry_points]
    named = {entry.id for entry in entries}
    reached = map(_text, blast.entry_points if blast else ())
    entries += [EntryPoint(id=label, share=None) for label in reached if label not in named]
    callees = _callees(usage, found.callees.get(id, ()))
    incidents = [_incident(one) for one in found.incidents if id in one.touched]
    tests = None if found.tests is None else list(map(_text, found.tests.get(id, ())))
    lists: dict[str, tuple[Sequence[object], int]] = {
        "callers": (callers, MAX_CALLERS),
        "callees": (callees, MAX_CALLEES),
        "entry_points": (entries, MAX_ENTRY_POINTS),
        "tests": (tests or (), MAX_TESTS),
        "authors": (history.authors, MAX_AUTHORS),
        "incidents": (incidents, MAX_INCIDENTS),
    }
    cut = [name for name, (items, most) in lists.items() if len(items) > most]
    if blast is not None and blast.truncated and "callers" not in cut:
        cut.append("callers")
    return Card(
        id=_text(id),
        span=Span(start=change.function.span.first_line, end=change.function.span.end_line),
        usage=_usage(usage),
        callers=callers[:MAX_CALLERS],
        callees=callees[:MAX_CALLEES],
        entry_points=entries[:MAX_ENTRY_POINTS],
        tests=None if tests is None else tests[:MAX_TESTS],
        owners=list(found.owners),
        history=History(
            status=history.status.value,
            changes=history.changes,
            first_changed_at=history.first_changed_at,
            last_changed_at=history.last_changed_at,
            authors=[Author(name=_text(a.person.name), changes=a.changes) for a in history.authors[:MAX_AUTHORS]],
            cochange=[
                CoChange(path=_text(one.path), together=one.together, changes=one.changes) for one in history.cochange
            ],
        ),
        incidents=incidents[:MAX_INCIDENTS],
        truncated=cut,
    )


def _incident(one: Recollection) -> str:
    """``INC-42 (sev2, 2026-08-14): round half to even``; of a neighbour it says that it is one."""
    incident = one.incident
    near = "" if one.closeness is Closeness.SAME else ", one call away"
    lesson = f": {incident.lesson}" if incident.lesson else ""
    return _text(f"{incident.id} ({incident.severity}, {incident.day}{near}){lesson}")


def _callees(usage: Usage, named: Iterable[FunctionId]) -> list[Neighbour]:
    """What the code calls for certain and what the profile saw, together."""
    basis = dict.fromkeys(usage.callees, EdgeBasis.PROFILE)
    for id in named:
        basis[id] = EdgeBasis.BOTH if id in basis else EdgeBasis.STATIC
    return [Neighbour(id=_text(id), basis=how, certainty=Certainty.CERTAIN) for id, how in basis.items()]


def _usage(usage: Usage) -> Runtime:
    return Runtime(
        status=usage.status,
        calls_per_minute=usage.calls_per_minute,
        share=usage.share,
        self_share=usage.self_share,
        error_rate=usage.error_rate,
        p50_ms=usage.p50_ms,
        p95_ms=usage.p95_ms,
        critical_path_share=usage.critical_path_share,
        critical_path_basis=usage.critical_path_basis,
        basis=usage.basis,
        confidence=usage.confidence,
        reason=_text(usage.reason) if usage.reason else None,
    )


def _profile(summary: ProfileSummary) -> Profile:
    return Profile(
        path=_text(summary.path),
        grade=summary.grade.value,
        revision=_text(summary.revision) if summary.revision else None,
        age_s=summary.age_s,
        commits_behind=summary.commits_behind,
        warnings=list(map(_text, summary.warnings)),
    )


def _text(value: object) -> str:
    return valid_unicode(str(value))


def to_json(context: Context) -> bytes:
    """The answer as one JSON document on one line."""
    from gatecli.reports.text import json_source

    return json_source(msgspec.json.encode(context).decode()).encode() + b"\n"


# --------------------------------------------------------------------------- for reading


def to_text(context: Context, now: int) -> str:
    """The answer in as few words as carry it; ``now`` is UTC epoch seconds. Facts that are not known are left out."""
    lines = [_header(context)]
    for card in context.functions:
        lines += ["", *_card_lines(card, now, has_profile=context.profile is not None)]
    if context.truncated:
        lines += ["", f"only the first {MAX_FUNCTIONS} functions; name one: PATH::QUALNAME"]
    if not context.functions:
        lines += ["", "no functions"]
    return "".join(plain(line) + "\n" for line in lines)


def _header(context: Context) -> str:
    profile = context.profile
    if profile is None:
        return "no profile: callers and history are from the code alone"
    facts = [f"profile {profile.path}", f"grade {profile.grade}"]
    facts += [f"{age(profile.age_s)} old"] if profile.age_s is not None else []
    facts += [f"{count(profile.commits_behind, 'commit')} behind"] if profile.commits_behind else []
    return ", ".join(facts)


def _card_lines(card: Card, now: int, *, has_profile: bool) -> list[str]:
    path = card.id.rpartition("::")[0]
    facts = {
        "runs": _runs(card.usage) if has_profile else "",
        "entry points": listed([_with_share(entry) for entry in card.entry_points], _SHOWN),
        "callers": listed([_neighbour(one, path) for one in card.callers], _SHOWN),
        "calls": listed([_neighbour(one, path) for one in card.callees], _SHOWN),
        "tests": _tests(card),
        "owners": listed(card.owners, _SHOWN),
        "history": _history(card.history, now),
        "changes with": listed([f"{o.path} ({o.together} of {o.changes})" for o in card.history.cochange], _SHOWN),
        "incidents": "; ".join(card.incidents[:_SHOWN]),
        "cut off": listed(card.truncated, _SHOWN),
    }
    facts["callers"] = facts["callers"] or "none found in the code" + (" or the profile" if has_profile else "")
    title = f"{card.id}  lines {card.span.start}-{card.span.end}"
    return [title, *(f"  {name}: {text}" for name, text in facts.items() if text)]


def _runs(usage: Runtime) -> str:
    figures = [
        (usage.calls_per_minute, f"{rate(usage.calls_per_minute)} calls/min"),
        (usage.share, f"{share(usage.share)} of traffic"),
        (usage.p95_ms, f"p95 {milliseconds(usage.p95_ms)}"),
        (usage.error_rate, f"{share(usage.error_rate)} errors"),
        (usage.critical_path_share, f"{share(usage.critical_path_share)} of the critical path"),
    ]
    known = [text for value, text in figures if value is not None]
    words = [] if usage.status is UsageStatus.OBSERVED else [usage.status.value.replace("_", " ")]
    said = ", ".join([*words, *known])
    return f"{said} ({usage.reason})" if usage.reason else said


def _with_share(entry: EntryPoint) -> str:
    return entry.id if entry.share is None else f"{entry.id} ({share(entry.share)})"


def _neighbour(one: Neighbour, path: str) -> str:
    """An id with what is known of the call; in the same file without its path."""
    mark = "?" if one.certainty is Certainty.POSSIBLE else ""
    often = f" ({rate(one.calls_per_minute)}/min)" if one.calls_per_minute is not None else ""
    id = one.id.removeprefix(path)
    return f"{id}{f':{one.line}' if one.line else ''}{mark}{often}"


def _tests(card: Card) -> str:
    return "" if card.tests is None else listed(card.tests, _SHOWN) or "none executes it"


def _history(history: History, now: int) -> str:
    if history.changes is None or not history.changes:
        return "" if history.status == "known" else history.status
    least = "at least " if history.status == "shallow" else ""
    first = f", {least}{age(now - history.first_changed_at)} old" if history.first_changed_at is not None else ""
    last = f", last {age(now - history.last_changed_at)} ago" if history.last_changed_at is not None else ""
    cut = " or more (history cut short)" if history.status == "shallow" else ""
    authors = listed([f"{author.name} {author.changes}" for author in history.authors], _SHOWN)
    return f"{count(history.changes, 'change')}{cut}{first}{last}: {authors}"
