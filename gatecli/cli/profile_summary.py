"""Where a profile is from, and what to mind about it: shown after it was made and before it is looked at."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType
    from rich.table import Table

    from gatecli.runtime.profile import Profile


def console(file: "TextIO | None" = None) -> "Console":
    """Where results go; what is printed is data, never markup."""
    from rich.console import Console

    return Console(file=file, highlight=False, markup=False, emoji=False)


def print_summary(profile: "Profile", file: Path, to: "TextIO | None" = None) -> None:
    """Where the profile is from, on stdout unless told otherwise; what to mind about it, on stderr."""
    from gatecli.reports.text import age, count, plain
    from gatecli.runtime.summary import summarise

    path = str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
    summary = summarise(profile, path, {}, (), int(time.time()))
    facts = [
        ("service", summary.service),
        ("environment", summary.environment),
        ("revision", summary.revision and summary.revision[:12]),
        ("window", summary.window_s and age(summary.window_s)),
        ("recorded", summary.age_s is not None and f"{age(summary.age_s)} ago"),
    ]
    out = console(to)
    out.print(plain_text(f"{path}  grade {summary.grade}", "bold"), soft_wrap=True)
    out.print(plain_text("  " + " · ".join(f"{name} {value or 'unknown'}" for name, value in facts)), soft_wrap=True)
    out.print(
        plain_text(
            f"  {count(len(profile.functions), 'function')} · {count(len(profile.edges), 'call')} between them · "
            f"{count(len(profile.entry_points), 'entry point')}"
        )
    )
    out.print(_sources(profile))
    for line in _unmatched(profile):
        out.print(plain_text(f"  {line}"), soft_wrap=True)
    for warning in summary.warnings:
        sys.stderr.write(f"gate: warning: {plain(warning)}\n")


def _sources(profile: "Profile") -> "Table":
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    for source in profile.meta.sources:
        samples = f"{source.samples:,} samples" if source.samples is not None else source.basis
        matched = f"{source.frames_matched:,} of {source.frames_project:,} project frames matched"
        grid.add_row(*(plain_text(cell) for cell in ("", source.file, source.kind, samples, matched)))
    return grid


def _unmatched(profile: "Profile") -> "Iterator[str]":
    """The project's frames that are no function of the tree, by reason, the heaviest named."""
    from gatecli.reports.text import count, listed

    reasons = dict.fromkeys(example.reason for example in profile.unmatched.examples)
    for reason in reasons:
        frames = [
            f"{example.file or '?'} {example.name}{f' (line {example.line})' if example.line else ''}"
            for example in profile.unmatched.examples
            if example.reason == reason
        ]
        yield f"{count(profile.unmatched.frames.get(reason, 0), 'frame')} not matched, {reason}: {listed(frames, 5)}"


def plain_text(value: str, style: str = "") -> "RenderableType":
    """Text from data: never markup, no control characters."""
    from rich.text import Text

    from gatecli.reports.text import plain

    return Text(plain(value), style=style)
