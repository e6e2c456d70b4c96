"""From samples to shares of time, callers and entry points.

A function counts once a stack, however often it recurs. Library code below it is its own time up to the next project
frame. In call chains, library frames are left out, and so are the wrappers of decorators: what they join is unrelated.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gatecli.model import Function, FunctionId, FunctionKind
from gatecli.runtime.entries import Entry
from gatecli.runtime.frames import Match, wraps
from gatecli.runtime.recording import Basis, Frame, Recording
from gatecli.runtime.stacks import Stacks, reduced

BUCKETS = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)
"""Bodies that run at import: they have figures but are no functions."""

# Below these a program starts anew: whoever handed the work to the event loop or thread is not on the stack.
_LOOP = ("asyncio/events.py", ("_run", "Handle._run"))
_THREAD = ("threading.py", ("_bootstrap", "Thread._bootstrap"))
_NOWHERE, _AT_LOOP, _AT_THREAD = -1, -2, -3


@dataclass(slots=True)
class Weight:
    """Samples with a function as the leaf, as the last project frame, and anywhere on the stack."""

    leaf: float = 0.0
    own: float = 0.0
    total: float = 0.0


@dataclass(slots=True)
class Samples:
    """Sums over all sampled recordings, in samples; ``by_entry`` splits the total of a function by entry point.

    ``has_chains`` is False where a recording has no call chains, so that own time and entry points are not known.
    """

    count: int = 0
    weights: dict[FunctionId, Weight] = field(default_factory=lambda: defaultdict(Weight))
    edges: dict[tuple[FunctionId, FunctionId], float] = field(default_factory=lambda: defaultdict(float))
    entries: dict[Entry, float] = field(default_factory=lambda: defaultdict(float))
    by_entry: dict[FunctionId, dict[str, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )
    has_chains: bool = True


def measure(recordings: Iterable[tuple[Recording, Sequence[Match]]], handlers: Mapping[FunctionId, Entry]) -> Samples:
    """Add up the sampled recordings, each weighted by its number of samples; ``handlers`` are known entry points."""
    samples = Samples()
    for recording, matches in recordings:
        if recording.basis is not Basis.SAMPLED or not recording.samples:
            continue
        samples.count += recording.samples
        if recording.records:
            samples.has_chains = False
            _add_records(recording, matches, samples)
        if not recording.stacks:
            continue
        stacks = Stacks.of(recording.stacks)
        if weight := float(stacks.weights.sum()):
            _Chains(recording.frames, matches, handlers).add(stacks, recording.samples / weight, samples)
    return samples


def _add_records(recording: Recording, matches: Sequence[Match], samples: Samples) -> None:
    for record in recording.records:
        function = matches[record.frame].function
        if function is None:
            continue
        weight = samples.weights[function.id]
        weight.leaf += record.self_weight or 0.0
        weight.total += record.total_weight or 0.0
        for frame, count in record.callers:
            caller = matches[frame].function
            if caller is not None and caller.id != function.id and not wraps(caller, function):
                samples.edges[caller.id, function.id] += count


class _Chains:
    """The stacks of one recording, with its frames as numbers of functions."""

    def __init__(self, frames: Sequence[Frame], matches: Sequence[Match], handlers: Mapping[FunctionId, Entry]) -> None:
        self._handlers = handlers
        self._functions: list[Function] = []
        numbers: dict[FunctionId, int] = {}
        self._steps = []
        for frame, match in zip(frames, matches, strict=True):
            if match.function is None:
                self._steps.append(_boundary(frame))
                continue
            if match.function.id not in numbers:
                numbers[match.function.id] = len(self._functions)
                self._functions.append(match.function)
            self._steps.append(numbers[match.function.id])
        self._wraps: dict[tuple[int, int], bool] = {}

    def add(self, stacks: Stacks, scale: float, samples: Samples) -> None:
        """Add every stack; those that differ in library code alone are one."""
        for chain, weight in reduced(stacks, self._steps, _NOWHERE, scale).items():
            self._add_chain(list(chain), weight, samples)

    def _add_chain(self, steps: list[int], weight: float, samples: Samples) -> None:
        present = {step for step in steps if step >= 0}
        last = next(step for step in reversed(steps) if step >= 0)
        for number in present:
            samples.weights[self._functions[number].id].total += weight
        samples.weights[self._functions[last].id].own += weight
        if steps[-1] == last:
            samples.weights[self._functions[last].id].leaf += weight
        entry = self._add_edges(steps, weight, samples)
        samples.entries[entry] += weight
        for number in present:
            samples.by_entry[self._functions[number].id][entry.id] += weight

    def _add_edges(self, steps: list[int], weight: float, samples: Samples) -> Entry:
        """Add the calls of one stack, each once, and return its entry point."""
        edges: set[tuple[int, int]] = set()
        wrappers: set[int] = set()
        innermost: tuple[str | None, list[int]] = (None, [])
        for kind, chain in _segments(steps):
            for position, callee in enumerate(chain):
                caller = position - 1
                while caller >= 0 and self._is_wrapper(chain[caller], callee):
                    wrappers.add(chain[caller])
                    caller -= 1
                if caller >= 0 and chain[caller] != callee:
                    edges.add((chain[caller], callee))
            if chain:
                innermost = kind, chain
        for caller, callee in edges:
            samples.edges[self._functions[caller].id, self._functions[callee].id] += weight
        known = (self._handlers.get(self._functions[step].id) for step in steps if step >= 0)
        return next((entry for entry in known if entry and entry.kind != "cli"), None) or self._entry(
            *innermost, wrappers
        )

    def _entry(self, kind: str | None, chain: list[int], wrappers: set[int]) -> Entry:
        """What the innermost chain started with: a command that is known, else its first function.

        A module body is one only where nothing else of the project runs: a script, or an import.
        """
        known = (self._handlers.get(self._functions[number].id) for number in chain)
        if command := next((entry for entry in known if entry), None):
            return command
        candidates = (n for n in chain if n not in wrappers and self._functions[n].kind not in BUCKETS)
        first = self._functions[next(candidates, chain[0])].id
        if kind is None and self._functions[chain[0]].kind is FunctionKind.MODULE:
            kind = "cli"
        return Entry(id=str(first), kind=kind, handler=first)

    def _is_wrapper(self, wrapper: int, wrapped: int) -> bool:
        key = wrapper, wrapped
        if key not in self._wraps:
            self._wraps[key] = wraps(self._functions[wrapper], self._functions[wrapped])
        return self._wraps[key]


def _boundary(frame: Frame) -> int:
    path = (frame.file or "").replace("\\", "/")
    for (end, names), step in ((_LOOP, _AT_LOOP), (_THREAD, _AT_THREAD)):
        if frame.name in names and path.endswith(end):
            return step
    return _NOWHERE


def _segments(steps: list[int]) -> Iterable[tuple[str | None, list[int]]]:
    """The project's call chains between boundaries, root first, each with what it runs in."""
    kind: str | None = None
    chain: list[int] = []
    for step in steps:
        if step in (_AT_LOOP, _AT_THREAD):
            yield kind, chain
            kind, chain = ("task" if step == _AT_LOOP else "thread"), []
        elif step >= 0:
            chain.append(step)
    yield kind, chain
