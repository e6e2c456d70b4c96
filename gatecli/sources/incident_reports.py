"""Incidents as others keep them: the rows of a CSV file, the issues of a repository on GitHub.

What they name as a cause is a revision of git, still to be looked up. Everything here was written by others.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from gatecli.config.document import did_you_mean, quote
from gatecli.config.incidents import function_id, severity_of
from gatecli.errors import UsageError
from gatecli.model import Incident, IncidentSeverity
from gatecli.sources.github import Label, read

MAX_BYTES = 10_000_000
MAX_ROWS = 10_000
MAX_BODY = 65_536
"""Characters: GitHub takes no longer text."""

MAX_PEOPLE = 50
MAX_PULLS = 10
"""Pull requests that caused one incident, or repaired it: each takes a request."""

_NEEDED = ("id", "caused_by", "severity", "date")
_KNOWN = (*_NEEDED, "lesson", "url", "functions", "fixed_by", "handled_by")
_MANY = re.compile(r"[\s;|]+")


# --------------------------------------------------------------------------- rows


def from_csv(data: bytes, where: str) -> tuple[Incident, ...]:
    """The incidents of a CSV file with the columns id, caused_by, severity, date, and any of the other known ones.

    Columns that are not known are passed over. Several commits or functions in one cell stand apart by spaces, ``;`` or
    ``|``, several people by ``;`` or ``|``.

    Raises:
        UsageError: it is no such file; the message lists every row that says too little.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"{where} has more than {MAX_BYTES:,} bytes", "split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{where} is not UTF-8", "save it as UTF-8") from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UsageError(f"{where} is no CSV: {error}", "the first row names the columns") from error
    if len(rows) > MAX_ROWS:
        raise UsageError(f"{where} has {len(rows):,} rows, more than {MAX_ROWS:,}", "split it")
    columns = {name.strip().casefold().replace(" ", "_"): name for name in (rows[0] if rows else {}) if name}
    for needed in _NEEDED if rows else ():
        if needed not in columns:
            raise UsageError(
                f"{where} has no column {needed}{did_you_mean(needed, columns)}", f"known columns: {', '.join(_KNOWN)}"
            )
    problems: list[str] = []
    found = []
    for number, row in enumerate(rows, 2):
        cells = {name: (row.get(columns[name]) or "").strip() for name in _KNOWN if name in columns}
        if any(cells.values()):
            incident, problem = _incident(cells)
            found += [incident] if incident else []
            problems += [f"{where}, row {number}: {problem}"] if problem else []
    if problems:
        raise UsageError(
            "\n".join([f"{len(problems):,} rows of {where} say too little", *problems[:50]]), "fill them in"
        )
    return tuple(found)


def _incident(cells: dict[str, str]) -> tuple[Incident | None, str | None]:
    severity = severity_of(cells["severity"])
    day = _day(cells["date"])
    if not cells["id"]:
        return None, "no id"
    if severity is None:
        return None, f"{quote(cells['severity'])} is no severity: sev1 to sev4"
    if day is None:
        return None, f"{quote(cells['date'])} is no day: 2026-08-14"
    causes = tuple(filter(None, _MANY.split(cells["caused_by"])))
    if not causes:
        return None, "no cause"
    functions = tuple(map(function_id, filter(None, _MANY.split(cells.get("functions", "")))))
    if any(not one.path or not one.qualname for one in functions):
        return None, f"{quote(cells['functions'])} is no function: path::qualname"
    return (
        Incident(
            id=cells["id"],
            day=day,
            severity=severity,
            caused_by=causes,
            lesson=_one_line(cells.get("lesson", "")),
            url=cells.get("url") or None,
            functions=functions,
            fixed_by=tuple(filter(None, _MANY.split(cells.get("fixed_by", "")))),
            handled_by=_people(re.split(r"[;|]", cells.get("handled_by", ""))),
        ),
        None,
    )


def _day(text: str) -> date | None:
    """The day of a date or a time (``2026-08-14T09:30:00Z``)."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _people(names: Iterable[str]) -> tuple[str, ...]:
    """Names, logins or addresses, each once."""
    return tuple(dict.fromkeys(filter(None, (" ".join(name.split())[:200] for name in names))))[:MAX_PEOPLE]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:2_000]


# --------------------------------------------------------------------------- issues


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignee:
    """An account that an issue was given to; ``type`` is User, Bot or Organization."""

    login: str
    type: str = "User"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue; ``pull_request`` is there where it is one of those."""

    number: int
    title: str = ""
    body: str | None = None
    created_at: str = ""
    html_url: str | None = None
    labels: tuple[Label, ...] = ()
    assignees: tuple[Assignee, ...] = ()
    pull_request: Any = None


_SIDE = r"[ \t>*_#-]{0,20}"
_CAUSE = re.compile(
    rf"^{_SIDE}(?:(?:root )?cause|caused by|introduced (?:by|in)|regression (?:in|from|since|of))\b(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_FIX = re.compile(
    rf"^{_SIDE}(?:(?:fixed|resolved|repaired|reverted|mitigated) (?:by|in|with)|fix)\b(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_SAID = r"[*_ \t]{0,8}:[*_ \t]{0,8}(.+)$"
_LESSON = re.compile(rf"^{_SIDE}lessons?(?: learned)?{_SAID}", re.IGNORECASE | re.MULTILINE)
_SEVERITY = re.compile(rf"^{_SIDE}severity{_SAID}", re.IGNORECASE | re.MULTILINE)
_HANDLED = re.compile(
    rf"^{_SIDE}(?:handled by|responders?|incident (?:commander|lead)|on[- ]call){_SAID}", re.IGNORECASE | re.MULTILINE
)
_ACCOUNT = re.compile(r"(?<![\w.])@([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))(?![\w-])")
_COMMIT = re.compile(r"(?<![\w#])([0-9a-f]{7,40}|[0-9a-f]{64})(?!\w)")
_PULL = re.compile(r"(?:(?<!\w)#|/pull/)([0-9]{1,9})(?!\w)")


def from_issues(
    answers: list[Any], *, merged_as: Callable[[int], str | None], severity: IncidentSeverity
) -> Iterator[tuple[Incident | None, str]]:
    """Each issue as an incident, or None and why it is none.

    Its text names the cause on a line (``Caused by: 1f3a9c2`` or ``#1204``), maybe ``Severity:``, ``Lesson:``, what
    ended it (``Fixed by: #1207``) and who (``Handled by: @ravi``); without those the labels tell how bad it was, the
    title what to remember, and whoever it was assigned to handled it.

    Args:
        answers: GitHub's list of issues.
        merged_as: The commit that a pull request was merged as, None where it was not.
        severity: For an issue that says nothing of that.
    """
    for answer in answers:
        issue = read(answer, Issue)
        if issue.pull_request is None:
            yield _of_issue(issue, merged_as, severity)


def _of_issue(
    issue: Issue, merged_as: Callable[[int], str | None], severity: IncidentSeverity
) -> tuple[Incident | None, str]:
    body = (issue.body or "")[:MAX_BODY].replace("\r\n", "\n")
    id = f"#{issue.number}"
    causes, pulls = _commits(_CAUSE, body)
    for number in pulls:
        commit = merged_as(number)
        if commit is None:
            return None, f"{id}: pull request #{number} was not merged"
        causes.append(commit)
    day = _day(issue.created_at)
    if not causes or day is None:
        return None, f"{id} names no cause: a line of its text says Caused by: SHA, or #PULL"
    said = _SEVERITY.search(body)
    words = [said[1].strip().strip("*_ ")] if said else []
    words += [part for label in issue.labels for part in (label.name, label.name.rpartition(":")[2])]
    lesson = _LESSON.search(body)
    return (
        Incident(
            id=id,
            day=day,
            severity=next((found for word in words if (found := severity_of(word))), severity),
            caused_by=tuple(dict.fromkeys(causes)),
            lesson=_one_line(lesson[1] if lesson else issue.title),
            fixed_by=_fixes(body, merged_as),
            handled_by=_responders(body, issue),
            url=issue.html_url if issue.html_url and re.fullmatch(r"https?://\S{1,2000}", issue.html_url) else None,
        ),
        "",
    )


def _commits(pattern: re.Pattern[str], body: str) -> tuple[list[str], list[int]]:
    """The commits, and the pull requests, that the lines of a kind name."""
    lines = [match[1] for match in pattern.finditer(body)]
    pulls = [int(found) for line in lines for found in _PULL.findall(line)]
    return [name for line in lines for name in _COMMIT.findall(line)], list(dict.fromkeys(pulls))[:MAX_PULLS]


def _fixes(body: str, merged_as: Callable[[int], str | None]) -> tuple[str, ...]:
    """What repaired it; a pull request that was not merged did not."""
    commits, pulls = _commits(_FIX, body)
    merged = [commit for number in pulls if (commit := merged_as(number)) is not None]
    return tuple(dict.fromkeys([*commits, *merged]))


def _responders(body: str, issue: Issue) -> tuple[str, ...]:
    """Whom the text names, else the people whom it was given to."""
    named = [login for match in _HANDLED.finditer(body) for login in _ACCOUNT.findall(match[1])]
    return _people(named or [one.login for one in issue.assignees if one.type == "User"])
