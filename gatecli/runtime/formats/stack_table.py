"""Call chains as readers collect them: each distinct frame and chain once, within bounds."""

from array import array
from collections.abc import Sequence
from typing import overload

from gatecli.errors import EvidenceError
from gatecli.runtime.recording import Frame, Stack

MAX_FRAMES = 1_000_000
MAX_STACKS = 2_000_000
MAX_DEPTH = 20_000
# Frames over all chains: a small file can repeat a deep chain without end.
MAX_STEPS = 100_000_000


class Stacks(Sequence[Stack]):
    """Stacks that are made when they are asked for: a million of them take half a gigabyte."""

    def __init__(self, chains: Sequence[bytes], weights: Sequence[float], samples: Sequence[int]) -> None:
        self._chains, self._weights, self._samples = chains, weights, samples

    def __len__(self) -> int:
        return len(self._chains)

    @overload
    def __getitem__(self, index: int) -> Stack: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Stack]: ...
    def __getitem__(self, index: int | slice) -> Stack | Sequence[Stack]:
        if isinstance(index, slice):
            return [self[position] for position in range(len(self))[index]]
        chain = tuple(memoryview(self._chains[index]).cast("I"))
        return Stack(frames=chain, weight=self._weights[index], samples=self._samples[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


class StackTable:
    """Frames and stacks of one recording."""

    def __init__(self) -> None:
        self._frames: dict[Frame, int] = {}
        self._positions: dict[bytes, int] = {}
        self._weights, self._samples = array("d"), array("d")
        self._steps = 0

    def frame(self, frame: Frame) -> int:
        """The index of a frame."""
        index = self._frames.setdefault(frame, len(self._frames))
        if index >= MAX_FRAMES:
            raise EvidenceError(f"more than {MAX_FRAMES:,} different frames", "record for a shorter time")
        return index

    def add(self, chain: Sequence[int], weight: float, samples: int = 1) -> None:
        """Count a call chain, root first."""
        self._steps += len(chain)
        if len(chain) > MAX_DEPTH or self._steps > MAX_STEPS:
            raise EvidenceError(
                f"a stack of more than {MAX_DEPTH:,} frames, or {MAX_STEPS:,} in all", "record for a shorter time"
            )
        key = array("I", chain).tobytes()
        position = self._positions.setdefault(key, len(self._positions))
        if position < len(self._weights):
            self._weights[position] += weight
            self._samples[position] += samples
            return
        if position >= MAX_STACKS:
            raise EvidenceError(f"more than {MAX_STACKS:,} different stacks", "record for a shorter time")
        self._weights.append(weight)
        self._samples.append(samples)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The distinct frames, in the order in which they came."""
        return tuple(self._frames)

    @property
    def stacks(self) -> Stacks:
        """The distinct stacks with their sums, in the order in which they came.

        Raises:
            EvidenceError: there is none that weighs anything.
        """
        if not any(self._weights):
            raise EvidenceError(
                "the recording holds no samples", "was the process idle, or the profiler stopped at once?"
            )
        return Stacks(list(self._positions), self._weights, [round(samples) for samples in self._samples])

    @property
    def samples(self) -> int:
        """The samples of all stacks."""
        return round(sum(self._samples))

    def warnings(self) -> list[str]:
        """What the names do not tell: before Python 3.11 no code object knew its class."""
        named = [frame.name for frame in self._frames if (frame.file or "").endswith(".py")]
        if len(named) >= 20 and not any("." in name for name in named):
            return ["the names are without their class (Python up to 3.10, or the profiler): methods are told by line"]
        return []
