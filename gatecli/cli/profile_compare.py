"""``gate profile diff`` and ``gate profile export``: a profile beside another one, or for another tool."""

import sys
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.errors import UsageError

if TYPE_CHECKING:
    from gatecli.runtime.compare import Comparison, Difference

DIFF_EPILOG = """\b
Examples:
  gate profile diff last-week.json.gz .gate/profile.json.gz
"""
EXPORT_EPILOG = """\b
Examples:
  gate profile export --format csv > functions.csv
  gate profile export --format speedscope -o production.speedscope.json
"""
_MOST = 20


class FormatOption(StrEnum):
    """``--format``."""

    CSV = "csv"
    JSON = "json"
    SPEEDSCOPE = "speedscope"


def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="The earlier profile.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The later profile.")],
    show_all: Annotated[bool, typer.Option("--all", help="Show every difference.")] = False,
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository, to follow renamed functions.")] = Path(),
) -> None:
    """Compare two profiles: new, gone, hotter, slower, more errors; what chance could explain is left out."""
    from gatecli import pipeline
    from gatecli.reports.text import plain
    from gatecli.runtime.profile import load

    found, warnings = pipeline.compare_profiles(load(before), load(after), repo)
    for warning in warnings:
        sys.stderr.write(f"gate: warning: {plain(warning)}\n")
    sys.stdout.write(_listing(found, None if show_all else _MOST))


def export(
    profile: Annotated[
        Path | None, typer.Argument(metavar="PROFILE", help="Default: .gate/profile.json.gz of the repository.")
    ] = None,
    format: Annotated[FormatOption, typer.Option(metavar="csv|json|speedscope")] = FormatOption.CSV,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: stdout.")] = None,
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
) -> None:
    """Write a profile for another tool: a table, plain JSON, or a flame graph for speedscope."""
    from gatecli import pipeline
    from gatecli.runtime import export as exporting
    from gatecli.runtime.profile import load

    content = exporting.export(load(profile or pipeline.default_profile(repo)), format.value)
    if output is None:
        sys.stdout.write(content.decode("utf-8"))
    else:
        from gatecli.writing import write_whole

        try:
            write_whole(output, content)
        except OSError as error:
            raise UsageError(f"cannot write {output}: {error.strerror}", "name another file with --output") from error


def _listing(found: "Comparison", most: int | None) -> str:
    """The differences by trend, then what was left out."""
    from gatecli.reports.text import count, plain

    lines = []
    for trend, group in groupby(found.differences, key=lambda difference: difference.trend):
        differences = list(group)
        lines.append(f"{trend}  {len(differences):,}")
        lines += [f"  {plain(difference.id)}  {_figures(difference)}" for difference in differences[:most]]
        if most is not None and len(differences) > most:
            lines.append(f"  … {len(differences) - most:,} more (--all)")
    lines += [] if found.differences else ["no difference that chance could not explain"]
    if found.chance:
        lines.append(f"left out: {count(found.chance, 'difference')} that may be chance (5 % false discoveries)")
    if found.untold:
        lines.append(f"left out: {count(found.untold, 'difference')} with too little data to tell")
    return "".join(f"{line}\n" for line in lines)


def _figures(difference: "Difference") -> str:
    from gatecli.reports.text import UNKNOWN, milliseconds, rate, share
    from gatecli.runtime.compare import Figure

    say = {Figure.SHARE: share, Figure.ERRORS: share, Figure.CALLS: rate, Figure.P95: milliseconds}[difference.figure]
    before, after = (UNKNOWN if value is None else say(value) for value in (difference.before, difference.after))
    chance = ""
    if difference.p_value is not None:
        chance = " (p < 0.001)" if difference.p_value < 0.001 else f" (p = {difference.p_value:.3f})"
    return f"{difference.figure} {before} → {after}{chance}"
