"""What was asked for, and the change it is asked of."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from gatecli.config import FailOn
from gatecli.errors import UsageError
from gatecli.model import Mode
from gatecli.pipeline.clock import milliseconds_since
from gatecli.sources import source
from gatecli.sources.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for; None leaves it to the policy.

    ``call_tree`` asks for a picture of production, which takes as long as the rest on a large profile and only the HTML
    report shows. ``ledger`` is the record of earlier decisions,
    ``supposed`` are people whose approval a simulation assumes. ``now`` (epoch seconds) is the clock of every age.
    """

    profile: str | None = None
    policy: Path | None = None
    organisation: Path | None = None
    mode: Mode | None = None
    fail_on: FailOn | None = None
    approvals: bytes | None = None
    ledger: Path | None = None
    supposed: tuple[str, ...] = ()
    declared: Literal["auto", "yes", "no"] = "auto"
    call_tree: bool = False
    now: int = field(default_factory=lambda: int(time.time()))


def open_source(
    directory: Path, *, revisions: str | None = None, staged: bool = False, patch: tuple[str, bytes] | None = None
) -> Source:
    """The change that was asked for: a patch, the index, a range, or by default the working tree.

    Raises:
        UsageError: two of them at once, or the change cannot be found.
        EvidenceError: it cannot be read whole.
    """
    started = time.perf_counter()
    origin = _open_source(directory, revisions, staged, patch)
    return replace(origin, read_ms=milliseconds_since(started))


def _open_source(directory: Path, revisions: str | None, staged: bool, patch: tuple[str, bytes] | None) -> Source:
    if sum((revisions is not None, staged, patch is not None)) > 1:
        raise UsageError("REVISIONS, --staged and --diff exclude each other", "give one of them")
    if patch is not None:
        return source.open_patch(directory, patch[1], patch[0])
    if staged:
        return source.open_staged(directory)
    if revisions is not None:
        return source.open_range(directory, revisions)
    return source.open_worktree(directory)
