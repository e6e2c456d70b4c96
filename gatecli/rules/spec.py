"""A rule as data: ``rules/<family>/<id>.yml`` and a repository's own ``.gate/rules/<id>.yml``, read strictly."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from pathlib import PurePosixPath
from typing import Annotated

import msgspec
from msgspec import Meta

from gatecli.config import document
from gatecli.config.document import decode
from gatecli.model import Certainty, ChangeKind, Confidence, Mode, Severity
from gatecli.rules.pattern import why_unsafe

MIN_EXAMPLES = 2
"""Of each kind: changes that must be flagged, and near misses that must not."""

PLACEHOLDERS = ("text", "key", "value", "before", "after")
MATCHED = re.compile(r"#(?:not-)?match\?\s{1,20}@[\w.-]{1,60}\s{1,20}\"((?:[^\"\\\\]|\\\\.){0,4000})\"")
_PLACEHOLDER = re.compile(r"\{([^{}]{0,40})\}")

Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Code = Annotated[str, Meta(pattern=r"^[A-Z]{1,4}[0-9]{2,4}$")]
Sentence = Annotated[str, Meta(min_length=1, max_length=400)]
Rate = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(gt=0, le=1)]


class Side(StrEnum):
    """On which side of the change a query's matches are news."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Scope(StrEnum):
    """Which files a rule looks at, before its own ``paths``."""

    PRODUCTION = "production"
    TESTS = "tests"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What a finding is worth (+10 doubles the odds of a bad outcome), and where the figure comes from."""

    value: Annotated[int, Meta(ge=0, le=40)]
    source: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What must hold around a match, None where it does not matter."""

    in_async: bool | None = None
    in_loop: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A pattern that is searched in single lines of any file, for what has no syntax tree.

    Two matches are the same if their text is, white space aside. ``unless`` is a second pattern that must not be in the
    line, ``stood`` one that a line of the file's old side must hold; ``paths`` are gitignore patterns. The patterns are
    bounded (``pattern.why_unsafe``).
    """

    pattern: str
    says: str
    unless: str = ""
    stood: str = ""
    paths: tuple[str, ...] = ()
    confidence: Confidence = Confidence.HIGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A tree-sitter query as a check, and patterns for the lines of files that are not Python.

    The query captures ``@match``. Two matches are the same if their ``@key`` is (without one, the whole match), on side
    ``changed`` if their ``@key`` is but their ``@value`` is not. ``says`` continues a sentence that begins with the
    function; ``{text}``, ``{key}``, ``{value}`` (``{before}`` and ``{after}`` on side ``changed``) stand for code. With
    ``moves``, what went from one function of the change to another is no news; with ``grows``, only what a function has
    more of than before is, whatever the keys: one that is written another way is the old one.
    """

    side: Side = Side.ADDED
    query: str = ""
    says: str = ""
    where: Where = field(default_factory=Where)
    moves: bool = True
    grows: bool = False
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is left out: by file, by kind of change, by traffic (a function without a figure has none)."""

    scope: Scope = Scope.PRODUCTION
    paths: tuple[str, ...] = ()
    kinds: tuple[ChangeKind, ...] = ()
    min_calls_per_minute: Rate | None = None
    min_share: Share | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A severity that one of the thresholds is enough for."""

    severity: Severity
    min_calls_per_minute: Rate | None = None
    min_share: Share | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSides:
    """A file of an example; a side that is left out does not exist."""

    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleUsage:
    """What the profile says of a function of an example."""

    calls_per_minute: Rate | None = None
    share: Share | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleCaller:
    """A direct caller of a function of an example, and the texts of its calls."""

    id: str
    calls: tuple[str, ...] = ()
    certainty: Certainty = Certainty.CERTAIN
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A change that the rule must flag, or must not: its test and its documentation.

    ``missed`` makes it a known miss: a change that does harm and is not flagged, with the reason why the rule cannot
    see it. ``usage``, ``callers`` and ``entry_points`` go by function id; ``tree`` holds files that the change does not
    touch; ``says`` is a part of the message, ``severity`` that of the finding.
    """

    name: Sentence
    flags: bool
    missed: Annotated[str, Meta(max_length=400)] = ""
    files: Mapping[str, FileSides]
    tree: Mapping[str, str] = field(default_factory=dict)
    usage: Mapping[str, ExampleUsage] = field(default_factory=dict)
    callers: Mapping[str, tuple[ExampleCaller, ...]] = field(default_factory=dict)
    entry_points: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    says: str = ""
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A question asked of every change: a query or a ``check`` (a name of ``CHECKS``), patterns of lines, or both.

    ``severity`` is raised by the steps of ``escalate`` where the function's traffic reaches them. With mode ``advise``
    the findings are notes worth no points: a rule that is tried out.
    """

    id: Word
    code: Code
    family: Word
    severity: Severity
    asks: Sentence
    why: Annotated[str, Meta(min_length=1, max_length=2_000)]
    points: Points
    remedy: Sentence
    since: Annotated[str, Meta(max_length=20)]
    examples: tuple[Example, ...] = ()
    peers: tuple[str, ...] = ()
    mode: Mode = Mode.ENFORCE
    match: Match = field(default_factory=Match)
    check: str = ""
    filters: Filters = field(default_factory=Filters)
    escalate: tuple[Step, ...] = ()


def read_bare(data: bytes, where: str) -> Rule:
    """A rule that gate ships without its examples, which are the last key and most of the file; tests read it whole."""
    return decode(data.partition(b"\nexamples:")[0] + b"\n", Rule, where)


def read_rule(data: bytes, where: str, checks: Collection[str]) -> Rule:
    """One rule from its YAML; ``checks`` are the names that ``check`` may have.

    Raises:
        UsageError: the message lists every problem with file and line.
    """
    read = document.parse(data, where)
    document.refuse(chain(read.problems, document.mismatches(read, Rule)), where)
    rule = msgspec.convert(read.value, Rule)
    document.refuse((read.problem(at, text) for at, text in _problems(rule, where, checks)), where)
    return rule


_Problems = Iterator[tuple[document.At, str]]


def _problems(rule: Rule, where: str, checks: Collection[str]) -> _Problems:
    """What types cannot say, each with the place it belongs to."""
    if PurePosixPath(where).stem != rule.id:
        yield ("id",), f"id: {rule.id} is not the name of the file"
    if not (rule.match.query or rule.check or rule.match.lines):
        yield ("id",), "a rule has match.query, match.lines or check"
    if rule.check and rule.check not in checks:
        yield ("check",), f"check: there is no {document.quote(rule.check)}{document.did_you_mean(rule.check, checks)}"
    if rule.match.query:
        yield from _match_problems(rule.match)
    for index, line in enumerate(rule.match.lines):
        yield from _line_problems(index, line)
    for index, step in enumerate(rule.escalate):
        if step.min_calls_per_minute is None and step.min_share is None:
            yield ("escalate", index), f"escalate.{index} names neither min_calls_per_minute nor min_share"
    yield from _example_problems(rule.examples)


def _example_problems(examples: tuple[Example, ...]) -> _Problems:
    flagged = sum(example.flags for example in examples)
    near = sum(not example.flags and not example.missed for example in examples)
    if min(flagged, near) < MIN_EXAMPLES:
        needs = f"{MIN_EXAMPLES} with flags: true and {MIN_EXAMPLES} with flags: false"
        yield ("examples",), f"examples: needs {needs} (one that is missed counts as neither)"
    for index, example in enumerate(examples):
        if example.missed and example.flags:
            yield ("examples", index, "missed"), f"examples.{index}.missed: what is flagged (flags: true) is not missed"
        for key in ("says", "severity"):
            if getattr(example, key) and not example.flags:
                yield ("examples", index, key), f"examples.{index}.{key}: there is no finding without flags: true"
        for path, sides in example.files.items():
            if sides.before is None and sides.after is None:
                at = ("examples", index, "files", path)
                yield at, f"examples.{index}.files: {document.quote(path)} has neither before nor after"
        for id in (
            *example.usage,
            *example.callers,
            *example.entry_points,
            *(c.id for known in example.callers.values() for c in known),
        ):
            if "::" not in id:
                yield ("examples", index), f"examples.{index}: {document.quote(id)} is no function id (path::qualname)"


def _match_problems(match: Match) -> _Problems:
    from tree_sitter import QueryError

    from gatecli.syntax.trees import query

    try:
        compiled = query(match.query)
    except QueryError as error:
        yield ("match", "query"), f"match.query: {' '.join(str(error).split())}"
        return
    for text in MATCHED.findall(match.query):
        if problem := why_unsafe(text.replace("\\\\", "\\")):
            yield ("match", "query"), f"match.query: {problem}"
    names = {compiled.capture_name(number) for number in range(compiled.capture_count)}
    needed = {"match", "key", "value"} if match.side is Side.CHANGED else {"match"}
    for name in sorted(needed - names):
        yield ("match", "query"), f"match.query captures no @{name}"
    if not match.says:
        yield ("match",), "match has no says"
    for name in _PLACEHOLDER.findall(match.says):
        if name not in PLACEHOLDERS:
            yield ("match", "says"), f"match.says: {{{name}}} is none of {', '.join(PLACEHOLDERS)}"


def _line_problems(index: int, line: Line) -> _Problems:
    for key, text in (("pattern", line.pattern), ("unless", line.unless), ("stood", line.stood)):
        if problem := why_unsafe(text):
            yield ("match", "lines", index, key), f"match.lines.{index}.{key}: {problem}"
    for name in _PLACEHOLDER.findall(line.says):
        if name != "text":
            yield ("match", "lines", index, "says"), f"match.lines.{index}.says: {{{name}}} is not text"


def fill(says: str, values: Mapping[str, str]) -> str:
    """A ``says`` with its placeholders filled in one pass, so that code which contains one stays code."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], ""), says)
