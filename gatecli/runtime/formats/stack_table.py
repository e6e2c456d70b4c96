"""Call chains as readers collect them: each distinct frame and chain once, within bounds."""

import sys
from array import array
from collections.abc import Iterable, Sequence

from gatecli.errors import EvidenceError
from gatecli.runtime.recording import Frame
from gatecli.runtime.stacks import Stacks

MAX_FRAMES = 1_000_000
MAX_STACKS = 2_000_000
MAX_DEPTH = 20_000
# Frames over all chains: a small file can repeat a deep chain without end.
MAX_STEPS = 100_000_000
_STEP_BYTES = array("i").itemsize


class StackTable:
    """Frames and stacks of one recording; ``weights`` and ``samples`` are of the stacks, by position."""

    def __init__(self) -> None:
        self._frames: dict[Frame, int] = {}
        self._positions: dict[bytes, int] = {}
        self.weights: list[float] = []
        self.samples: list[int] = []
        self._steps = 0

    def frame(self, frame: Frame) -> int:
        """The index of a frame."""
        index = self._frames.setdefault(frame, len(self._frames))
        if index >= MAX_FRAMES:
            raise EvidenceError(f"more than {MAX_FRAMES:,} different frames", "record for a shorter time")
        return index

    def place(self, chain: bytes) -> int:
        """The position of a call chain: the ``step_bytes`` of its frames, root first."""
        steps = len(chain) // _STEP_BYTES
        self._steps += steps
        if steps > MAX_DEPTH or self._steps > MAX_STEPS:
            raise EvidenceError(
                f"a stack of more than {MAX_DEPTH:,} frames, or {MAX_STEPS:,} in all", "record for a shorter time"
            )
        position = self._positions.setdefault(chain, len(self._positions))
        if position == len(self.weights):
            if position >= MAX_STACKS:
                raise EvidenceError(f"more than {MAX_STACKS:,} different stacks", "record for a shorter time")
            self.weights.append(0.0)
            self.samples.append(0)
        return position

    def add(self, chain: Sequence[int], weight: float, samples: int = 1) -> None:
        """Count a call chain, root first."""
        position = self.place(array("i", chain).tobytes())
        self.weights[position] += weight
        self.samples[position] += samples

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
        if not any(self.weights):
            raise no_samples()
        import numpy as np

        lengths = np.fromiter(map(len, self._positions), dtype=np.int64, count=len(self._positions))
        steps = np.frombuffer(b"".join(self._positions), dtype=np.intc)
        ends = np.cumsum(lengths) // _STEP_BYTES
        return Stacks(steps, ends, np.array(self.weights, dtype=np.float64), self.samples)

    def warnings(self) -> list[str]:
        """What the names do not tell: before Python 3.11 no code object knew its class."""
        return name_warnings(self._frames)


def step_bytes(frame: int) -> bytes:
    """The index of a frame as it stands in a chain."""
    return frame.to_bytes(_STEP_BYTES, sys.byteorder)


def no_samples() -> EvidenceError:
    """That nothing was sampled."""
    return EvidenceError("the recording holds no samples", "was the process idle, or the profiler stopped at once?")


def name_warnings(frames: Iterable[Frame]) -> list[str]:
    """What the names of frames do not tell: before Python 3.11 no code object knew its class."""
    named = [frame.name for frame in frames if (frame.file or "").endswith(".py")]
    if len(named) >= 20 and not any("." in name for name in named):
        return ["the names are without their class (Python up to 3.10, or the profiler): methods are told by line"]
    return []
