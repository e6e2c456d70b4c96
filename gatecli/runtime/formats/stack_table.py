"""Call chains as readers collect them: each distinct frame and chain once, within bounds."""

from collections.abc import Sequence

from gatecli.errors import EvidenceError
from gatecli.runtime.recording import Frame, Stack

MAX_FRAMES = 1_000_000
MAX_STACKS = 2_000_000
MAX_DEPTH = 20_000
# Frames over all chains: a small file can repeat a deep chain without end.
MAX_STEPS = 100_000_000


class StackTable:
    """Frames and stacks of one recording."""

    def __init__(self) -> None:
        self._frames: dict[Frame, int] = {}
        self._totals: dict[tuple[int, ...], tuple[float, int]] = {}
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
        key = tuple(chain)
        before, count = self._totals.get(key, (0.0, 0))
        self._totals[key] = before + weight, count + samples
        if len(self._totals) > MAX_STACKS:
            raise EvidenceError(f"more than {MAX_STACKS:,} different stacks", "record for a shorter time")

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The distinct frames, in the order in which they came."""
        return tuple(self._frames)

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The distinct stacks with their sums.

        Raises:
            EvidenceError: there is none that weighs anything.
        """
        if not any(weight for weight, _ in self._totals.values()):
            raise EvidenceError(
                "the recording holds no samples", "was the process idle, or the profiler stopped at once?"
            )
        return tuple(
            Stack(frames=chain, weight=weight, samples=samples) for chain, (weight, samples) in self._totals.items()
        )

    @property
    def samples(self) -> int:
        """The samples of all stacks."""
        return sum(samples for _, samples in self._totals.values())

    def warnings(self) -> list[str]:
        """What the names do not tell: before Python 3.11 no code object knew its class."""
        named = [frame.name for frame in self._frames if (frame.file or "").endswith(".py")]
        if len(named) >= 20 and not any("." in name for name in named):
            return ["the names are without their class (Python up to 3.10, or the profiler): methods are told by line"]
        return []
