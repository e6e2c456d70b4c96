"""A replayed history as the arrays that learning and back-testing work on, one row a change that touches code."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatecli.history.outcomes import Apart, Outcome, OutcomeKind
from gatecli.history.replay import Replayed
from gatecli.history.signals import SIGNALS, Signal
from gatecli.scoring.learned import Head

HORIZON_DAYS = 90
"""A change that nobody took back or blamed for so long counts as good, as the public labels have it."""
GAP_DAYS = 30
"""Changes of so many days before an origin are not learned from: most of what is wrong with them is not known yet."""
LEAST_GAP_DAYS = 7
KNOWN_DELAYS = 20
"""With so many outcomes the gap is that in which nine of ten became known here, a week at least."""
MAX_FILES = 200
"""A change of more code files is an import or a reformatting: it is scored, never learned from."""

_DAY = 86_400

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Label = tuple[bool, Head]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The changes that touch code, oldest first.

    ``values`` has a column a signal. ``known_at`` is, by head, the number of the mainline change that made an outcome
    known, -1 where none did; ``number`` that of the row itself. ``immediate`` are those that were taken back within the
    hour and nothing worse: no head counts them as bad, and nothing is learned from them. ``apart`` counts outcomes
    that do not make a change bad: planned ones, immediate reverts, and those that came after ``HORIZON_DAYS``.
    """

    shas: tuple[str, ...]
    subjects: tuple[str, ...]
    times: NDArray[np.int64]
    number: NDArray[np.int64]
    values: Floats
    known_at: Mapping[Head, NDArray[np.int64]]
    agent: Flags
    immediate: Flags
    files: NDArray[np.int64]
    apart: Mapping[str, int]
    shallow: bool = False

    def __len__(self) -> int:
        return len(self.shas)

    def column(self, signal: Signal) -> Floats:
        """The values of one signal."""
        return np.asarray(self.values[:, SIGNALS.index(signal)])

    def bad(self, head: Head) -> Flags:
        """Which rows turned out bad, as far as is known today."""
        return np.asarray(self.known_at[head] >= 0)

    def bad_before(self, head: Head, number: int) -> Flags:
        """Which rows were known to be bad before a change of the mainline."""
        known = self.known_at[head]
        return np.asarray((known >= 0) & (known < number))

    def gap_days(self, number: int) -> float:
        """How old a change must be to be learned from before a change of the mainline: its outcome is known by then.

        The 90th percentile of the delays that were known that day, from a week to ``HORIZON_DAYS``; ``GAP_DAYS`` where
        too few are known. An outcome is taken to be of the day of the last row before it.
        """
        rows = np.flatnonzero(self.bad_before(Head.ANY, number))
        if len(rows) < KNOWN_DELAYS:
            return GAP_DAYS
        by = np.searchsorted(self.number, self.known_at[Head.ANY][rows], side="right") - 1
        delays = (self.times[by] - self.times[rows]) / _DAY
        return float(np.clip(np.percentile(delays, 90), LEAST_GAP_DAYS, HORIZON_DAYS))

    @property
    def lines(self) -> Floats:
        """Lines of code added and removed."""
        return self.column(Signal.LINES_ADDED) + self.column(Signal.LINES_REMOVED)


def collect(
    replayed: Iterable[Replayed],
    *,
    labels: Mapping[str, bool] | None = None,
    incidents: Mapping[str, int] | None = None,
    shallow: bool = False,
) -> Past:
    """The arrays of a history.

    Args:
        replayed: Every change of the mainline, in order.
        labels: Outcomes from elsewhere, by commit: they replace what the history says. They are taken to be known
            ``HORIZON_DAYS`` after the change.
        incidents: Commits (or the first seven characters and more of one) that caused an incident, and the UTC epoch
            seconds from which that was known.
        shallow: The history is cut off.
    """
    rows: list[Replayed] = []
    times: list[int] = []
    outcomes: list[Outcome] = []
    for one in replayed:
        times.append(one.change.committed_at)
        outcomes += one.outcomes
        if one.python_files:
            rows.append(one)
    number = np.array([one.number for one in rows], dtype=np.int64)
    known, immediate, apart = _known(rows, times, [*_of_incidents(rows, times, incidents or {}), *outcomes])
    if labels is not None:
        known, immediate, apart = _labelled(rows, times, labels), np.zeros(len(rows), dtype=np.bool_), {}
    return Past(
        shas=tuple(one.change.sha for one in rows),
        subjects=tuple(one.change.subject for one in rows),
        times=np.array([one.change.committed_at for one in rows], dtype=np.int64),
        number=number,
        values=np.array([one.values for one in rows], dtype=np.float64).reshape(len(rows), len(SIGNALS)),
        known_at=known,
        agent=np.array([one.values[SIGNALS.index(Signal.AGENT)] > 0 for one in rows], dtype=np.bool_),
        immediate=immediate,
        files=np.array([one.python_files for one in rows], dtype=np.int64),
        apart=apart,
        shallow=shallow,
    )


def _known(
    rows: Sequence[Replayed], times: Sequence[int], outcomes: Iterable[Outcome]
) -> tuple[dict[Head, NDArray[np.int64]], Flags, dict[str, int]]:
    place = {one.number: row for row, one in enumerate(rows)}
    known = {head: np.full(len(rows), -1, dtype=np.int64) for head in Head}
    immediate = np.zeros(len(rows), dtype=np.bool_)
    apart = {"planned": 0, "immediate": 0, "late": 0}
    for outcome in outcomes:
        row = place.get(outcome.cause)
        if row is None or known[Head.ANY][row] >= 0:
            continue  # what was said first counts
        if times[outcome.by] - times[outcome.cause] >= HORIZON_DAYS * _DAY:
            apart["late"] += 1
            continue
        if outcome.apart is Apart.PLANNED:
            apart["planned"] += 1
            continue
        if outcome.apart is Apart.IMMEDIATE and outcome.kind is OutcomeKind.REVERT:
            apart["immediate"] += not immediate[row]
            immediate[row] = True
            continue
        head = Head.REVERT if outcome.kind is OutcomeKind.REVERT else Head.REGRESSION
        known[head][row] = known[Head.ANY][row] = outcome.by
    return known, immediate & (known[Head.ANY] < 0), apart


def _of_incidents(rows: Sequence[Replayed], times: Sequence[int], incidents: Mapping[str, int]) -> Iterator[Outcome]:
    """What somebody wrote down of changes, known with the first change after the incident and never before."""
    ordered = np.maximum.accumulate(np.array(times, dtype=np.int64)) if times else np.zeros(0, dtype=np.int64)
    numbers: dict[str, list[Replayed]] = {}
    for one in rows:
        numbers.setdefault(one.change.sha[:7], []).append(one)
    for cause, at in incidents.items():
        named = [one for one in numbers.get(cause[:7], ()) if one.change.sha.startswith(cause)]
        if len(named) == 1:
            by = int(np.searchsorted(ordered, at))
            yield Outcome(named[0].number, min(max(by, named[0].number), len(times) - 1), OutcomeKind.INCIDENT)


def _labelled(
    rows: Sequence[Replayed], times: Sequence[int], labels: Mapping[str, bool]
) -> dict[Head, NDArray[np.int64]]:
    known = {head: np.full(len(rows), -1, dtype=np.int64) for head in Head}
    ordered = np.maximum.accumulate(np.array(times, dtype=np.int64)) if times else np.zeros(0, dtype=np.int64)
    for row, one in enumerate(rows):
        if labels.get(one.change.sha):
            due = int(np.searchsorted(ordered, one.change.committed_at + HORIZON_DAYS * _DAY))
            known[Head.ANY][row] = known[Head.REVERT][row] = due
    return known
