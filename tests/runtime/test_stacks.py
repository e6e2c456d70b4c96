"""Stacks as columns say what the same stacks say one by one."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.runtime import stacks as module
from gatecli.runtime.recording import Stack
from gatecli.runtime.stacks import Stacks, reduced

FRAMES = 6
NOWHERE = -1
STACKS = st.lists(
    st.builds(
        lambda frames, weight, samples: Stack(frames=tuple(frames), weight=weight, samples=samples),
        st.lists(st.integers(0, FRAMES - 1), max_size=5),
        st.sampled_from([0.5, 1.0, 2.0, 8.0]),  # their sums are exact in any order
        st.integers(0, 9),
    ),
    max_size=12,
)
TABLE = st.lists(st.sampled_from([NOWHERE, -2, -3, 0, 1, 2]), min_size=FRAMES, max_size=FRAMES)


def by_hand(stacks: list[Stack], table: list[int]) -> dict[tuple[int, ...], float]:
    found: dict[tuple[int, ...], float] = defaultdict(float)
    for stack in stacks:
        steps = [table[frame] for frame in stack.frames]
        if not any(step >= 0 for step in steps):
            continue
        kept = [step for step in steps[:-1] if step != NOWHERE] + steps[-1:]
        found[tuple(kept)] += stack.weight * 2
    return found


@given(STACKS, TABLE, st.sampled_from([1, 3, 1_000]))
def test_columns_are_the_same_stacks(stacks: list[Stack], table: list[int], batch: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH_STEPS", batch)
        columns = Stacks.of(stacks)
        assert columns == tuple(stacks)
        assert tuple(columns[1:]) == tuple(stacks[1:])
        assert reduced(columns, table, NOWHERE, 2.0) == by_hand(stacks, table)
        times = Counter(frame for stack in stacks for frame in stack.frames)
        assert columns.times(FRAMES).tolist() == [times[frame] for frame in range(FRAMES)]
        chosen = [step < 0 for step in table]
        weights = [
            sum(stack.weight * stack.frames.count(frame) for stack in stacks) if chosen[frame] else 0.0
            for frame in range(FRAMES)
        ]
        assert columns.weight_of(chosen).tolist() == weights
