"""Call chains as columns: millions of them are added up by whole columns, not one by one.

All chains stand behind each other in ``steps``, root first, as indices of frames; ``ends`` says where each ends. numpy
is loaded only once there are any: a judgement reads a profile, which has none.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, overload

from gatecli.runtime.recording import Stack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Steps that are worked on at once: they stay in the cache of a processor, or nearly.
BATCH_STEPS = 250_000


class Stacks(Sequence[Stack]):
    """Stacks, each made when it is asked for; ``weights`` are in the recording's own unit."""

    def __init__(
        self,
        steps: "NDArray[np.int32]",
        ends: "NDArray[np.int64]",
        weights: "NDArray[np.float64]",
        samples: "Sequence[int] | NDArray[np.int64]",
    ) -> None:
        self.steps, self.ends, self.weights, self.samples = steps, ends, weights, samples

    @classmethod
    def of(cls, stacks: Sequence[Stack]) -> "Stacks":
        """Any stacks as columns."""
        import numpy as np

        if isinstance(stacks, cls):
            return stacks
        lengths = [len(stack.frames) for stack in stacks]
        return cls(
            np.fromiter(chain.from_iterable(stack.frames for stack in stacks), dtype=np.int32, count=sum(lengths)),
            np.cumsum(lengths, dtype=np.int64),
            np.array([stack.weight for stack in stacks], dtype=np.float64),
            [stack.samples for stack in stacks],
        )

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> Stack: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Stack]: ...
    def __getitem__(self, index: int | slice) -> Stack | Sequence[Stack]:
        if isinstance(index, slice):
            return [self[position] for position in range(len(self))[index]]
        position = range(len(self))[index]
        begin = int(self.ends[position - 1]) if position else 0
        frames = tuple(self.steps[begin : int(self.ends[position])].tolist())
        return Stack(frames=frames, weight=float(self.weights[position]), samples=int(self.samples[position]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def batches(self) -> "Iterator[tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]]":
        """Steps, ends within them and weights of some stacks after the other, each batch within ``BATCH_STEPS``.

        One stack that is longer is a batch of its own.
        """
        import numpy as np

        first = begin = 0
        while first < len(self.ends):
            last = max(first + 1, int(np.searchsorted(self.ends, begin + BATCH_STEPS, side="right")))
            end = int(self.ends[last - 1])
            yield self.steps[begin:end], self.ends[first:last] - begin, self.weights[first:last]
            first, begin = last, end

    def times(self, frames: int) -> "NDArray[np.int64]":
        """How often each of so many frames stands in the stacks."""
        import numpy as np

        found = np.zeros(frames, dtype=np.int64)
        for steps, _, _ in self.batches():
            found += np.bincount(steps, minlength=frames)
        return found

    def weight_of(self, chosen: Sequence[bool]) -> "NDArray[np.float64]":
        """The weight of all stacks in which each chosen frame stands, once for each time; 0 for the others."""
        import numpy as np

        found = np.zeros(len(chosen))
        wanted = np.array(chosen, dtype=np.bool_)
        for steps, ends, weights in self.batches():
            is_chosen = wanted[steps]
            if is_chosen.any():
                lengths = np.diff(ends, prepend=0)
                found += np.bincount(
                    steps[is_chosen], weights=np.repeat(weights, lengths)[is_chosen], minlength=len(chosen)
                )
        return found


def reduced(stacks: Stacks, table: Sequence[int], nowhere: int, scale: float) -> "dict[tuple[int, ...], float]":
    """The weight of each distinct chain, scaled, once its steps are those of ``table``.

    Steps that lead ``nowhere`` are left out, but for the last of a chain; so are chains with no step from 0 on.
    """
    import numpy as np

    found: dict[bytes, float] = {}
    get = found.get
    translated = np.array(table, dtype=np.int32)
    for frames, ends, weights in stacks.batches():
        steps = translated[frames]
        keeps = steps != nowhere
        keeps[ends[np.diff(ends, prepend=0) > 0] - 1] = True
        is_ours = _counts(steps >= 0, ends) > 0
        kept_ends = np.cumsum(_counts(keeps, ends)) * steps.itemsize
        data = steps[keeps].tobytes()
        begins = np.concatenate(([0], kept_ends[:-1]))
        rows: Any = zip(
            begins[is_ours].tolist(), kept_ends[is_ours].tolist(), (weights[is_ours] * scale).tolist(), strict=True
        )
        for begin, end, weight in rows:
            key = data[begin:end]
            found[key] = get(key, 0.0) + weight
    return {tuple(memoryview(key).cast("i")): weight for key, weight in found.items()}


def _counts(flags: "NDArray[np.bool_]", ends: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """How many flags are set in each chain."""
    import numpy as np

    # Where the set ones are is found many times faster than a running sum of all.
    return np.diff(np.searchsorted(np.flatnonzero(flags), ends), prepend=0)
