"""Recordings to one profile of the functions of a tree."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from gatecli import __version__
from gatecli.errors import UsageError
from gatecli.model import FunctionId, Tree
from gatecli.runtime.counted import count
from gatecli.runtime.entries import Routes, by_handler
from gatecli.runtime.frames import FunctionsOf, Match, resolve
from gatecli.runtime.merging import merged, renamed
from gatecli.runtime.paths import Reason
from gatecli.runtime.profile import Meta, Profile, Source, Unmatched, UnmatchedFrame, Window
from gatecli.runtime.recording import Basis, Recording, TraceSpan
from gatecli.runtime.rows import Sums, edge_rows, entry_rows, function_rows, moment, text
from gatecli.runtime.sampled import BUCKETS, measure
from gatecli.runtime.stacks import Stacks
from gatecli.runtime.traces import trace

# Rates from a shorter stretch of spans are noise: two spans a millisecond apart are not 60,000 a minute.
LEAST_WINDOW_S = 60.0
MAX_EXAMPLES = 50
# A helper that every test runs names none of them.
MAX_TESTS = 200

_BASES: dict[Basis, Literal["counted", "spans", "sampled", "coverage"]] = {
    Basis.COUNTED: "counted", Basis.SPANS: "spans", Basis.SAMPLED: "sampled", Basis.COVERAGE: "coverage",
}  # fmt: skip
_PROJECT = (Reason.AMBIGUOUS, Reason.NO_FILE, Reason.NO_FUNCTION)


def build_profile(
    recordings: Sequence[Recording],
    *,
    tree: Tree,
    functions_of: FunctionsOf,
    maps: tuple[tuple[str, str], ...] = (),
    window_s: float | None = None,
    revision: str | None = None,
    service: str | None = None,
    environment: str | None = None,
    generated_at: int,
    routes: Mapping[str, FunctionId] | None = None,
) -> Profile:
    """Match recordings against the tree they were recorded from, and add them up.

    Counted recordings and spans give calls, sampled ones shares of time; where only counted ones are there, shares
    are of the measured time. ``maps`` are pairs of a recorded prefix and a folder of the tree. ``window_s`` is the time
    that the counts are of; without it, spans give their own and other counts have no rate. ``revision`` is that of the
    tree, None if it may not be what was recorded; ``service`` and ``environment`` default to what the recordings say.
    ``routes`` names the handlers of entry points by label ("POST /orders/<int:size>", "/orders" for any method).
    ``generated_at`` is UTC epoch seconds.

    Raises:
        UsageError: there is no recording, one is there twice, or the window is no length of time.
    """
    _check(recordings, window_s)
    # Rows name their sources by position: those that come with a profile are added behind the new ones.
    recordings = sorted(recordings, key=lambda recording: recording.profile is not None)
    new = sum(recording.profile is None for recording in recordings)
    sums, prefixes, warnings = _sums(
        recordings,
        tree=tree,
        functions_of=functions_of,
        maps=maps,
        window_s=window_s,
        service=service,
        routes=routes or {},
    )
    warnings += _mismatches(recordings, sums, revision)
    seen = [_occurrences(recording, of) for recording, of in zip(recordings, sums.matches, strict=True)]
    edges = edge_rows(sums)
    made = Profile(
        meta=Meta(
            service=_text(service or _only(recording.service for recording in recordings)),
            environment=_text(environment or _joined(recording.environment for recording in recordings)),
            window=_window(recordings, sums),
            revision=_text(revision),
            revision_source=_revision_source(recordings, revision),
            path_prefixes=tuple(text(prefix) for prefix in prefixes),
            generated_at=moment(generated_at),
            generator=f"gate {__version__}",
            sources=tuple(
                _source(recording, sums.matches[position], seen[position], [w for at, w in warnings if at == position])
                for position, recording in enumerate(recordings[:new])
            ),
        ),
        functions=function_rows(replace(sums, matches=sums.matches[:new]), edges),
        edges=edges,
        entry_points=entry_rows(sums),
        tests=_tests(recordings, sums.matches),
        unmatched=_unmatched(recordings, sums.matches, seen),
    )
    return merged([made, *_carried(recordings, sums.matches, warnings)])


def _tests(recordings: Sequence[Recording], matches: Sequence[Sequence[Match]]) -> dict[str, tuple[str, ...]] | None:
    """The tests that executed a line of each function's body, None where no recording says."""
    found: dict[str, set[str]] = defaultdict(set)
    for recording, of in zip(recordings, matches, strict=True):
        for line in recording.covered:
            function = of[line.frame].function
            if function is not None and function.kind not in BUCKETS:
                found[str(function.id)].update(recording.tests[test] for test in line.tests)
    if not any(recording.covered for recording in recordings):
        return None
    return {id: tuple(text(test) for test in sorted(tests)[:MAX_TESTS]) for id, tests in sorted(found.items())}


def _carried(
    recordings: Sequence[Recording], matches: Sequence[Sequence[Match]], warnings: Sequence[tuple[int, str]]
) -> Iterator[Profile]:
    """The profiles among the recordings, with the ids that their functions have in the tree."""
    for position, (recording, of) in enumerate(zip(recordings, matches, strict=True)):
        if recording.profile is not None:
            ids = {
                row.id: str(match.function.id)
                for row, match in zip(recording.profile.functions, of, strict=True)
                if match.function is not None
            }
            yield renamed(recording.profile, ids, [warning for at, warning in warnings if at == position])


def _check(recordings: Sequence[Recording], window_s: float | None) -> None:
    if not recordings:
        raise UsageError("no recording to import", "name at least one file")
    if window_s is not None and not (math.isfinite(window_s) and window_s > 0):
        raise UsageError(f"a window of {window_s} seconds is no length of time", "give the time recorded, such as 7d")
    files: dict[str, str] = {}
    for recording in recordings:
        if recording.sha256 in files:
            raise UsageError(
                f"{recording.file} is the same recording as {files[recording.sha256]}", "name each recording once"
            )
        if recording.sha256:
            files[recording.sha256] = recording.file


def _sums(
    recordings: Sequence[Recording],
    *,
    tree: Tree,
    functions_of: FunctionsOf,
    maps: tuple[tuple[str, str], ...],
    window_s: float | None,
    service: str | None,
    routes: Mapping[str, FunctionId],
) -> tuple[Sums, tuple[str, ...], list[tuple[int, str]]]:
    """Everything added up, the project's recorded prefixes, and warnings with the position of their recording."""
    resolved = resolve(
        (recording.frames for recording in recordings),
        tree=tree,
        functions_of=functions_of,
        maps=maps,
        wanted=routes.values(),
    )
    named = Routes({label: id for label, id in routes.items() if id in resolved.functions})
    pairs = tuple(zip(recordings, resolved.matches, strict=True))
    counts = count(pairs)
    traces = trace(pairs, named, service)
    sums = Sums(
        functions=resolved.functions,
        matches=resolved.matches,
        samples=measure(pairs, by_handler((entry for entry, _ in traces.entries.values()), named)),
        counts=counts,
        traces=traces,
        counted_s=window_s or _counted_window(recordings),
        spans_s=window_s or _spans_window(recordings),
    )
    warnings = [(0, warning) for warning in resolved.warnings]
    warnings += [*counts.warnings, *traces.warnings]
    return sums, resolved.prefixes, warnings


def _counted_window(recordings: Sequence[Recording]) -> float | None:
    windows = [recording.window_s for recording in recordings if recording.basis is Basis.COUNTED]
    known = [window for window in windows if window]
    return sum(known) if known and len(known) == len(windows) else None


def _spans_window(recordings: Sequence[Recording]) -> float | None:
    """Seconds that the recordings of spans cover together, None where that is too short for a rate."""
    stretches = sorted(
        (recording.started_at, recording.ended_at)
        for recording in recordings
        if recording.basis is Basis.SPANS and recording.started_at and recording.ended_at
    )
    covered, reached = 0.0, -math.inf
    for start, end in stretches:
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered if covered >= LEAST_WINDOW_S else None


def _window(recordings: Sequence[Recording], sums: Sums) -> Window:
    starts = [recording.started_at for recording in recordings if recording.started_at]
    ends = [recording.ended_at for recording in recordings if recording.ended_at]
    sampled = sum(recording.window_s or 0.0 for recording in recordings if recording.basis is Basis.SAMPLED)
    observed = sums.spans_s or sums.counted_s or sampled or None
    return Window(
        start=moment(min(starts, default=None)),
        end=moment(max(ends, default=None)),
        observed_seconds=round(observed, 3) if observed else None,
    )


def _mismatches(recordings: Sequence[Recording], sums: Sums, revision: str | None) -> Iterator[tuple[int, str]]:
    """What the recordings do not have in common with each other or with the tree."""
    for position, recording in enumerate(recordings):
        if recording.basis is Basis.COUNTED and not sums.counted_s:
            yield position, "the time that the counts are of is not known: no calls per minute (give --window)"
        if recording.basis is Basis.SPANS and not sums.spans_s:
            yield position, f"the spans cover less than {LEAST_WINDOW_S:.0f} s: no calls per minute (give --window)"
        if recording.revision and not (revision or "").startswith(recording.revision):
            yield position, f"recorded at revision {recording.revision}, matched at {revision or 'an unknown one'}"
    clocks = {recording.clock for recording in recordings if recording.basis is Basis.SAMPLED and recording.clock}
    if len(clocks) > 1:
        yield 0, f"samples of different clocks are added up: {', '.join(sorted(clocks))}"


def _revision_source(recordings: Sequence[Recording], revision: str | None) -> str | None:
    """Where the revision is from: what the recordings say it by, else the user."""
    if revision is None:
        return None
    said = (r.revision_source for r in recordings if r.revision and revision.startswith(r.revision))
    return next(said, None) or "flag"


_Seen = Mapping[int, tuple[int, float]]


def _occurrences(recording: Recording, matches: Sequence[Match]) -> _Seen:
    """How often each frame stands in the recording, and with how much weight where it was not matched."""
    times: Counter[int] = Counter()
    weights: dict[int, float] = defaultdict(float)
    if recording.stacks:
        stacks = Stacks.of(recording.stacks)
        missed = [match.reason in _PROJECT for match in matches]
        times.update({frame: count for frame, count in enumerate(stacks.times(len(matches)).tolist()) if count})
        weights.update(enumerate(stacks.weight_of(missed).tolist()) if any(missed) else ())
    for frame, weight in _weighted_frames(recording):
        times[frame] += 1
        weights[frame] += weight
    return {frame: (count, weights.get(frame, 0.0)) for frame, count in times.items()}


def _weighted_frames(recording: Recording) -> Iterator[tuple[int, float]]:
    for record in recording.records:
        yield record.frame, float(record.calls if record.calls is not None else record.total_weight or 0.0)
    for operation in recording.operations:
        if operation.code is not None:
            yield operation.code, operation.count
    for passed in recording.raised:
        yield from ((frame, float(passed.times)) for frame in {frame for _, frame in passed.places})
    for span in _own_spans(recording):
        if span.code is not None:  # a task's name is no frame: that it names a function is a guess
            yield span.code, 1.0
        yield from ((frame, 1.0) for raised in span.raised for frame in raised.frames)
    for line in recording.covered:
        yield line.frame, 1.0


def _own_spans(recording: Recording) -> tuple[TraceSpan, ...]:
    """The spans that are counted: those beside sums are a sample of them."""
    return () if recording.operations else recording.spans


def _source(recording: Recording, matches: Sequence[Match], seen: _Seen, warnings: Iterable[str]) -> Source:
    matched = sum(times for frame, (times, _) in seen.items() if matches[frame].function)
    missed = sum(times for frame, (times, _) in seen.items() if matches[frame].reason in _PROJECT)
    moved = sum(times for frame, (times, _) in seen.items() if matches[frame].disagrees)
    said = [*recording.warnings, *warnings]
    if moved:
        said.append(f"{moved:,} frames have the name of a function but not its lines: was another revision recorded?")
    return Source(
        kind=recording.kind,
        file=text(recording.file),
        sha256=recording.sha256,
        basis=_BASES[recording.basis],
        selective=recording.selective,
        clock=recording.clock,
        samples=recording.samples,
        rate_hz=recording.rate_hz,
        sampling_ratio=_sampling_ratio(recording),
        processes=recording.processes,
        python=_text(recording.python),
        frames_project=matched + missed,
        frames_matched=matched,
        warnings=tuple(text(warning) for warning in said),
    )


def _sampling_ratio(recording: Recording) -> float | None:
    """The part of all operations that was recorded, where all spans say it."""
    if recording.contexts:
        known = all(operation.is_scaled for operation in recording.operations)
        recorded = sum(operation.spans for operation in recording.operations)
        whole = sum(operation.count for operation in recording.operations) if known else 0.0
    else:
        counts = [span.count for span in _own_spans(recording)]
        recorded, whole = len(counts), sum(count or 0.0 for count in counts) if all(counts) else 0.0
    return round(recorded / whole, 6) if whole else None


def _unmatched(recordings: Sequence[Recording], matches: Sequence[Sequence[Match]], seen: Sequence[_Seen]) -> Unmatched:
    frames: Counter[str] = Counter({reason.value: 0 for reason in Reason})
    examples = []
    for recording, found, occurrences in zip(recordings, matches, seen, strict=True):
        for index, (times, weight) in occurrences.items():
            reason = found[index].reason
            if reason is None:
                continue
            frames[reason.value] += times
            if reason in _PROJECT:
                examples.append((weight, recording.frames[index], reason))
    examples.sort(key=lambda example: (-example[0], example[1].file or "", example[1].name, example[1].line or 0))
    return Unmatched(
        frames=dict(frames),
        examples=tuple(
            UnmatchedFrame(
                file=_text(frame.file),
                name=text(frame.name),
                line=frame.line or frame.first_line,
                weight=weight,
                reason=reason.value,
            )
            for weight, frame, reason in examples[:MAX_EXAMPLES]
        ),
    )


def _only(values: Iterable[str | None]) -> str | None:
    known = {value for value in values if value}
    return known.pop() if len(known) == 1 else None


def _joined(values: Iterable[str | None]) -> str | None:
    return ", ".join(sorted({value for value in values if value})) or None


def _text(value: str | None) -> str | None:
    return text(value) if value else None
