"""``gate profile``: the runtime profile, made from recordings and looked at."""

import difflib
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.cli import profile_compare, profile_fetch, profile_record
from gatecli.cli.profile_fetch import prefix_and_folder
from gatecli.cli.profile_summary import console, print_summary
from gatecli.cli.profile_summary import plain_text as _text
from gatecli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from gatecli.runtime.profile import Profile, ProfiledFunction, TimeShare

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_WORTH_A_BAR = 20_000_000
_IMPORT_EPILOG = """\b
Examples:
  py-spy record -d 60 --full-filenames -f raw -o prod.txt --pid PID
  gate profile import prod.txt --revision v1.42
  gate profile import traces.jsonl --window 7d --service shop
  gate profile import run.pstats --map /app/src=src
"""
_SHOW_EPILOG = """\b
Examples:
  gate profile show
  gate profile show --function shop/pricing.py::price_order
"""
app.command("diff", epilog=profile_compare.DIFF_EPILOG)(profile_compare.diff)
app.command("fetch", epilog=profile_fetch.FETCH_EPILOG)(profile_fetch.fetch)
app.command("record", epilog=profile_record.RECORD_EPILOG)(profile_record.record)
app.command("export", epilog=profile_compare.EXPORT_EPILOG)(profile_compare.export)


@app.command("import", epilog=_IMPORT_EPILOG)
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="pstats, OTLP JSON, py-spy raw, austin.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: .gate/profile.json.gz.")
    ] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(metavar="PREFIX=DIR", help="A recorded folder is this folder of the repository; repeatable."),
    ] = None,
    window: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long was counted, such as 7d, 3h, 15m, 90s.")
    ] = None,
    revision: Annotated[
        str | None, typer.Option(metavar="REVISION", help="The commit that ran; default: what the recordings say.")
    ] = None,
    service: Annotated[str | None, typer.Option(metavar="NAME", help="Spans of other services are left out.")] = None,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="Where it ran, such as production.")] = None,
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
) -> None:
    """Turn recordings of the running program into the profile that gate reads."""
    from gatecli import pipeline
    from gatecli.runtime.profile import save

    with _progress(files) as told:
        profile = pipeline.import_profile(
            files,
            directory=repo,
            maps=tuple(prefix_and_folder(text) for text in map or ()),
            window_s=pipeline.seconds(window) if window is not None else None,
            revision=revision,
            service=service,
            environment=environment,
            progress=told,
        )
    target = output or pipeline.default_profile(repo)
    save(profile, target)
    print_summary(profile, target)


@contextmanager
def _progress(files: list[Path]) -> "Iterator[Callable[[Path, int], None] | None]":
    """A bar on the terminal, for files that take more than a moment."""
    sizes = {file: file.stat().st_size for file in files if file.is_file()}
    if sum(sizes.values()) < _WORTH_A_BAR or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=sum(sizes.values()))
        read: dict[Path, int] = {}

        def told(file: Path, position: int) -> None:
            read[file] = position
            bar.update(task, completed=sum(read.values()))

        yield told


@app.command("show", epilog=_SHOW_EPILOG)
def show(
    profile: Annotated[
        Path | None, typer.Argument(metavar="PROFILE", help="Default: .gate/profile.json.gz of the repository.")
    ] = None,
    function: Annotated[
        str | None, typer.Option(metavar="PATH::QUALNAME", help="All that is known of one function.")
    ] = None,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="How many functions.")] = 20,
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
) -> None:
    """Show where a profile is from, how far to trust it, and the functions that run most."""
    from gatecli import pipeline
    from gatecli.runtime.profile import load

    path = profile or pipeline.default_profile(repo)
    loaded = load(path)
    if function is not None:
        console().print(_card(loaded, _named(loaded, function)))
        return
    print_summary(loaded, path)
    console().print(_hottest(loaded, top))


def _named(profile: "Profile", wanted: str) -> "ProfiledFunction":
    rows = {row.id: row for row in profile.functions}
    if wanted in rows:
        return rows[wanted]
    close = difflib.get_close_matches(wanted, rows, n=3) or [id for id in rows if id.endswith(f"::{wanted}")][:3]
    hint = f"did you mean {' or '.join(close)}?" if close else "gate profile show lists what runs most"
    raise UsageError(f"the profile has no function {wanted}", hint)


def _hottest(profile: "Profile", top: int) -> "RenderableType":
    """The functions with the most time, then the most calls; bodies that ran at import are left out."""
    from rich.table import Table

    from gatecli.reports.text import UNKNOWN, milliseconds, rate

    rows = [row for row in profile.functions if row.kind not in ("module", "class_body")]
    rows.sort(key=lambda row: (-(row.time_total.share if row.time_total else 0.0), -_calls(row), row.id))
    if not rows:
        return _text("no function of the repository")
    columns = {
        "calls": [UNKNOWN if row.calls is None else f"{row.calls:,}" for row in rows[:top]],
        "calls/min": [rate(row.calls_per_min) for row in rows[:top]],
        "time": [_share(row.time_total) for row in rows[:top]],
        "own": [_share(row.time_own or row.time_self, margin=False) for row in rows[:top]],
        "p95": [milliseconds(row.latency_ms.p95 if row.latency_ms else None) for row in rows[:top]],
        "errors": [UNKNOWN if row.errors is None else f"{row.errors:,}" for row in rows[:top]],
    }
    known = {heading: cells for heading, cells in columns.items() if set(cells) != {UNKNOWN}}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Function", overflow="fold")
    for heading in known:
        table.add_column(heading, justify="right", no_wrap=True)
    for index, row in enumerate(rows[:top]):
        table.add_row(_text(row.id), *(_text(cells[index]) for cells in known.values()))
    return table


def _share(time: "TimeShare | None", *, margin: bool = True) -> str:
    from gatecli.reports.text import share

    return share(time.share if time else None, time.pm95 if time and margin else None)


_WAITED = {"trace": "by traces", "inclusive": "by their samples", None: "by an unknown measure"}


def _calls(row: "ProfiledFunction") -> float:
    return row.calls_per_min if row.calls_per_min is not None else float(row.calls or 0)


def _card(profile: "Profile", row: "ProfiledFunction") -> "RenderableType":
    """All that is known of one function, one line a fact."""
    from rich.console import Group

    from gatecli.reports.text import UNKNOWN, listed, milliseconds, rate, share
    from gatecli.runtime.entries import label

    latency = row.latency_ms
    callers = [edge.caller for edge in profile.calls().callers(row.id)]
    callees = [edge.callee for edge in profile.calls().callees({row.id})]
    sources = [profile.meta.sources[index].file for index in row.sources if index < len(profile.meta.sources)]
    entries = [f"{label(entry.id)} ({share(entry.share)})" for entry in row.entry_points]
    known = ", resumptions counted as calls" if row.calls_overcounted else ""
    if row.calls_low is not None:
        known += f", {row.calls_low:,} {f'to {row.calls_high:,}' if row.calls_high is not None else 'or more'}"
    facts = {
        "kind": f"{row.kind}, lines {row.first_line or UNKNOWN} to {row.end_line or UNKNOWN}",
        "calls": f"{row.calls:,} ({row.calls_basis}{known})" if row.calls is not None else UNKNOWN,
        "calls/min": rate(row.calls_per_min),
        "time": _share(row.time_total),
        "with libraries": _share(row.time_own, margin=False),
        "own code": _share(row.time_self, margin=False),
        "latency": f"p50 {milliseconds(latency.p50)}, p95 {milliseconds(latency.p95)}, p99 {milliseconds(latency.p99)}"
        if latency
        else UNKNOWN,
        "errors": UNKNOWN if row.errors is None else f"{row.errors:,} ({share(row.error_rate)} of calls)",
        "error types": listed([f"{type} {count:,}" for type, count in (row.error_types or {}).items()], 5) or UNKNOWN,
        "entry points": listed(entries, 5) or UNKNOWN,
        "critical path": f"{share(row.critical_path_share)} of its requests' time, {_WAITED[row.critical_path_basis]}"
        if row.critical_path_share is not None
        else UNKNOWN,
        "callers": listed(list(dict.fromkeys(callers)), 10) or UNKNOWN,
        "callees": listed(list(dict.fromkeys(callees)), 10) or UNKNOWN,
        "matched by": f"{row.match or UNKNOWN} in {listed(sources, 5) or UNKNOWN}",
    }
    lines = [_text(row.id, "bold"), *(_text(f"  {name:<14}  {value}") for name, value in facts.items())]
    return Group(*lines)
