"""The kill switch: ``.gate/freeze.yml`` at the newest base says what may not merge now, until when, and why."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec
import yaml

from gatecli.config.document import Problem, mismatches, parse, refuse
from gatecli.config.requirements import Text, Texts
from gatecli.errors import UsageError

FREEZE_PATH = ".gate/freeze.yml"
EVERYTHING = "everything"
SERVICE = "service:"


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """One freeze: ``scope`` is ``everything``, gitignore patterns, or ``service:NAME``; times are ISO 8601 with zone.

    A ``dry_run`` says what it would stop, and stops nothing.
    """

    scope: Texts
    until: Text
    reason: Text
    since: Text | None = None
    by: Text = "unknown"
    dry_run: bool = False

    def is_in_force(self, now: int) -> bool:
        """Whether it holds at a time."""
        since = moment(self.since) if self.since is not None else None
        return (since is None or since <= now) and now < moment(self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    freezes: tuple[Freeze, ...] = ()


def moment(text: str) -> int:
    """Epoch seconds of ``2026-12-01T08:00+01:00``.

    Raises:
        ValueError: it is no time, or has no zone.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no zone")
    return int(at.timestamp())


def read_freezes(read: Callable[[str], bytes | None]) -> tuple[Freeze, ...]:
    """All freezes of a tree, also those that have ended; none without the file.

    Raises:
        UsageError: the file has problems: what is frozen is not known then, so nothing may merge.
    """
    data = read(FREEZE_PATH)
    if data is None:
        return ()
    document = parse(data, FREEZE_PATH)
    if document.value is None:
        return ()
    refuse([*document.problems, *mismatches(document, _File)], FREEZE_PATH)
    freezes = msgspec.convert(document.value, _File).freezes
    problems = []
    for number, one in enumerate(freezes):
        if not one.scope:
            problems.append(document.problem(("freezes", number), "a freeze without a scope: write everything"))
        problems += [
            Problem(document.lines.get(("freezes", number), 1), f"{text!r} is no time with a zone: 2026-12-01T08:00Z")
            for text in (one.until, one.since)
            if text is not None and not is_moment(text)
        ]
    refuse(problems, FREEZE_PATH)
    return freezes


def write_freezes(freezes: tuple[Freeze, ...]) -> str:
    """The file that says so."""
    text: str = yaml.safe_dump(
        {"freezes": [msgspec.to_builtins(one) for one in freezes]}, sort_keys=False, allow_unicode=True
    )
    if read_freezes(lambda _: text.encode()) != freezes:
        raise UsageError("a freeze holds text that YAML does not keep", "write a plain scope and reason")
    return text


def is_moment(text: str) -> bool:
    """Whether ``moment`` reads it."""
    try:
        moment(text)
    except (ValueError, OverflowError):
        return False
    return True
