"""``gate incident``: what went wrong before, which commits caused it, and who ended it."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.errors import UsageError

if TYPE_CHECKING:
    from gatecli.model import FunctionId, Incident, IncidentSeverity

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

EPILOG = """\b
Examples:
  gate incident add INC-42 --caused-by 1f3a9c2 --severity sev2 --date 2026-08-14 --lesson "round half to even"
  gate incident add INC-43 --caused-by 9b1c22d --severity 1 --date 2026-09-02 --fixed-by 71e0aa4 --handled-by ravi
  gate incident list
  gate incident show INC-42
  gate incident import incidents.csv
  gate incident import --github --label incident --repository acme/shop
"""

MANY = 10
"""A cause that changed more functions than this did more than one thing: most had no part in the incident."""

Repo = Annotated[Path, typer.Option(metavar="DIR", help="The repository.")]
AsJson = Annotated[bool, typer.Option("--json", help="Schema gate-incidents/1.")]


@app.command()
def add(
    id: Annotated[str, typer.Argument(metavar="ID", help="What it is called, such as INC-42.")],
    caused_by: Annotated[
        list[str], typer.Option("--caused-by", metavar="SHA", help="The commit that caused it; repeatable.")
    ],
    severity: Annotated[str, typer.Option(metavar="S", help="sev1 (the gravest) to sev4; also P1, 2, critical, high.")],
    day: Annotated[str, typer.Option("--date", metavar="D", help="The day it began, as 2026-08-14.")],
    lesson: Annotated[str | None, typer.Option(metavar="TEXT", help="What to remember; reports show it.")] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Where it is written up.")] = None,
    function: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH::QUALNAME", help="Where it came from, instead of all that the cause changed."),
    ] = None,
    fixed_by: Annotated[
        list[str] | None,
        typer.Option("--fixed-by", metavar="SHA", help="What repaired it; default: commits that say so. Repeatable."),
    ] = None,
    handled_by: Annotated[
        list[str] | None,
        typer.Option("--handled-by", metavar="NAME", help="Who ended it: a name, login or address; repeatable."),
    ] = None,
    repo: Repo = Path(),
) -> None:
    """Remember an incident: the functions its cause changed, and which agent and model wrote it."""
    from gatecli.history.causes import complete
    from gatecli.model import Incident
    from gatecli.pipeline import trace_cause, with_repairs

    told = Incident(
        id=id,
        day=_day(day),
        severity=_severity(severity),
        caused_by=tuple(caused_by),
        lesson=" ".join((lesson or "").split()),
        url=url,
        functions=tuple(map(_function, function or ())),
        fixed_by=tuple(fixed_by or ()),
        handled_by=tuple(dict.fromkeys(map(_name, handled_by or ()))),
    )
    causes = [trace_cause(repo, revision) for revision in caused_by]
    incident = with_repairs(repo, complete(told, causes))
    _write(repo, [incident])
    typer.echo(f"{incident.id} ({incident.severity}, {incident.day}) is remembered")
    for cause in causes:
        _line(f"  caused by {cause.commit[:12]} {cause.subject}")
    _line(f"  written by {_writer(incident)}")
    _line(f"  came from {_functions(incident)}")
    _line(f"  ended by {_ended(incident)}")
    if len(incident.functions) > MANY and not function:
        many = f"{len(incident.functions):,} functions"
        _line(f"  {many}: take those without a part in it off the list, or name the others with --function")
    typer.echo("it counts once .gate/incidents.yml is on the base branch: commit and push it there")


@app.command("import")
def import_(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="CSV with id, caused_by, severity, date; also lesson, url, functions, fixed_by, handled_by.",
        ),
    ] = None,
    github: Annotated[bool, typer.Option("--github", help="The issues of the repository on GitHub.")] = False,
    label: Annotated[str, typer.Option(metavar="LABEL", help="Of the issues that are incidents.")] = "incident",
    severity: Annotated[str, typer.Option(metavar="S", help="Of an issue that says none.")] = "sev3",
    repository: Annotated[str | None, typer.Option(metavar="OWNER/NAME", help="Default: GITHUB_REPOSITORY.")] = None,
    repo: Repo = Path(),
) -> None:
    """Remember the incidents of a CSV file, or the issues with a label; those that are known are passed over."""
    from gatecli.config.incident_edit import check
    from gatecli.errors import GateError
    from gatecli.history.causes import complete
    from gatecli.pipeline import trace_cause

    if github == (file is not None):
        raise UsageError("nothing to import, or two things", "name a CSV file, or give --github")
    reports = _issues(repository, label, _severity(severity)) if file is None else _rows(file)
    known = {one.id for one in _read(repo)}
    done: dict[str, Incident] = {}
    passed_over = 0
    for told, problem in reports:
        if told is None:
            _warn(problem)
        elif told.id in known or told.id in done:
            passed_over += 1
        else:
            try:
                found = complete(told, [trace_cause(repo, revision) for revision in told.caused_by])
                found = _with_known_repairs(repo, found)
                check(found)
                done[told.id] = found
            except GateError as error:
                _warn(f"{told.id} is left out: {error.message}")
    if done:
        _write(repo, list(done.values()))
    again = f", {passed_over:,} passed over as known" if passed_over else ""
    typer.echo(f"{len(done):,} remembered{again}; they count once .gate/incidents.yml is on the base branch")


def _with_known_repairs(repo: Path, incident: "Incident") -> "Incident":
    """What repaired it, where that is in this repository: a fix may have been made anywhere."""
    from dataclasses import replace

    from gatecli.pipeline import with_repairs

    try:
        return with_repairs(repo, incident)
    except UsageError as error:
        _warn(f"{incident.id} is remembered without what fixed it: {error.message}")
        return with_repairs(repo, replace(incident, fixed_by=()))


def _rows(file: Path) -> "Iterator[tuple[Incident | None, str]]":
    from gatecli.cli.check import read_file
    from gatecli.sources.incident_reports import from_csv

    for incident in from_csv(read_file(file) or b"", file.name):
        yield incident, ""


def _issues(
    repository: str | None, label: str, severity: "IncidentSeverity"
) -> "Iterator[tuple[Incident | None, str]]":
    import os

    from gatecli.sources.github import connect
    from gatecli.sources.incident_reports import from_issues

    client = connect(os.environ, repository=repository)
    return from_issues(client.issues(label), merged_as=client.merged_as, severity=severity)


def _warn(text: str) -> None:
    from gatecli.reports.text import plain

    sys.stderr.write(f"gate: {plain(text, 300)}\n")


@app.command("list")
def list_(repo: Repo = Path(), as_json: AsJson = False) -> None:
    """List the incidents that are remembered, newest first, and what each still weighs."""
    from gatecli.reports.text import age

    incidents = sorted(_read(repo), key=lambda one: (one.day, one.id), reverse=True)
    if as_json:
        sys.stdout.write(_json(incidents))
        return
    if not incidents:
        typer.echo("no incident is remembered: gate incident add writes one down")
    today = datetime.now(UTC).date()
    for one in incidents:
        ago = age(max(0, (today - one.day).days) * 86_400)
        _line(f"{one.id}  {one.severity}  {one.day} ({ago} ago)  {_writer(one)}  {_functions(one)}")


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="The incident.")], repo: Repo = Path(), as_json: AsJson = False
) -> None:
    """Show all that is remembered of an incident."""
    import difflib

    incidents = {one.id: one for one in _read(repo)}
    one = incidents.get(id)
    if one is None:
        close = difflib.get_close_matches(id, incidents, n=1)
        raise UsageError(
            f"no incident {id} is remembered", f"did you mean {close[0]}?" if close else "gate incident list names them"
        )
    if as_json:
        sys.stdout.write(_json([one]))
        return
    _line(f"{one.id}  {one.severity}  {one.day}")
    facts = [("caused by", " ".join(one.caused_by)), ("written by", _writer(one)), ("lesson", one.lesson)]
    facts += [("fixed by", " ".join(one.fixed_by)), ("handled by", ", ".join(one.handled_by))]
    facts += [("url", one.url or ""), *(("came from", str(function)) for function in one.functions)]
    for name, text in facts:
        if text:
            _line(f"  {name}: {text}", 2_000)


def _read(repo: Path) -> "tuple[Incident, ...]":
    from gatecli.config.incidents import INCIDENTS_PATH, read_incidents
    from gatecli.pipeline import root_of

    root = root_of(repo)
    return read_incidents(lambda _: _content(root / INCIDENTS_PATH))


def _content(path: Path) -> bytes | None:
    from gatecli.config.document import MAX_BYTES

    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check the file") from error


def _write(repo: Path, incidents: "Sequence[Incident]") -> None:
    from gatecli.cli.check import write_file
    from gatecli.config.incident_edit import with_incidents
    from gatecli.config.incidents import INCIDENTS_PATH
    from gatecli.pipeline import root_of

    path = root_of(repo) / INCIDENTS_PATH
    content = with_incidents(_content(path), incidents)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, content.decode("utf-8"))


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day", "such as 2026-08-14") from None
    if (day - datetime.now(UTC).date()).days > 1:  # somewhere it is tomorrow already
        raise UsageError(f"{day} is in the future", "give the day on which the incident began")
    return day


def _severity(text: str) -> "IncidentSeverity":
    from gatecli.config.incidents import severity_of

    found = severity_of(text)
    if found is None:
        raise UsageError(f"{text!r} is no severity", "sev1 (the gravest) to sev4; also P1 to P4, critical to low")
    return found


def _function(text: str) -> "FunctionId":
    from gatecli.config.incidents import function_id

    found = function_id(text)
    if not found.path or not found.qualname:
        raise UsageError(f"{text!r} is no function", "such as shop/pricing.py::price_order")
    return found


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise UsageError("a name with nothing in it", "such as --handled-by ravi@shop.example")
    return name


def _writer(incident: "Incident") -> str:
    from gatecli.reports.text import listed

    if incident.agents:
        return listed([str(agent) for agent in incident.agents], 3)
    return "an agent" if incident.provenance in ("ai", "assisted") else "no sign of an agent"


def _ended(incident: "Incident") -> str:
    from gatecli.reports.text import listed

    return listed([*incident.handled_by, *(commit[:12] for commit in incident.fixed_by)], 5) or "nobody that is known"


def _functions(incident: "Incident") -> str:
    from gatecli.reports.text import listed

    return listed(list(map(str, incident.functions)), 3) or "the lines of its causes"


def _line(text: str, limit: int = 300) -> None:
    from gatecli.reports.text import plain

    typer.echo(plain(text, limit))


def _json(incidents: "Sequence[Incident]") -> str:
    import msgspec

    from gatecli.config.incidents import entry_of

    data = msgspec.json.encode({"schema": "gate-incidents/1", "incidents": list(map(entry_of, incidents))})
    return msgspec.json.format(data, indent=2).decode() + "\n"
