"""Chains of text, taken in stretches, give what taking each apart frame by frame gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.runtime.formats import chain_texts
from gatecli.runtime.formats.chain_texts import ChainTexts
from gatecli.runtime.formats.stack_table import StackTable, step_bytes
from gatecli.runtime.recording import Frame

FRAMES = st.sampled_from(["a", "b", "", "label", "a long name", "another long name", "é", "a" * 60, "b" * 60])


def frame(text: str) -> Frame | None:
    return None if text in ("", "label") else Frame(file="f.py", name=text)


def one_by_one(chain: str, table: StackTable) -> bytes:
    frames = [frame(text) for text in chain.split(";")] if chain else []
    return b"".join(step_bytes(table.frame(one)) for one in frames if one is not None)


@pytest.mark.parametrize("kept_bytes", [32 * 1024 * 1024, 40, 0])
@pytest.mark.parametrize("stretch_bytes", [1, 8, 30, 1_024])
@given(chains=st.lists(st.lists(FRAMES, max_size=12).map(";".join), max_size=12))
def test_the_same_steps_and_the_same_frames_in_the_same_order(
    chains: list[str], stretch_bytes: int, kept_bytes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain_texts, "_STRETCH_BYTES", stretch_bytes)
        patch.setattr(chain_texts, "_MOST_KEPT_BYTES", kept_bytes)
        patch.setattr(chain_texts, "_END_BYTES", 4)
        table, expected = StackTable(), StackTable()
        texts = ChainTexts(frame, table)
        assert [texts.steps(chain.encode()) for chain in chains] == [one_by_one(chain, expected) for chain in chains]
        assert table.frames == expected.frames


def test_different_stretches_that_end_alike_are_told_apart() -> None:
    table = StackTable()
    texts = ChainTexts(frame, table)
    ends = ";".join(["z" * 70] * 20)
    first, second = texts.steps(f"a;{ends};c".encode()), texts.steps(f"b;{ends};c".encode())
    assert first[4:] == second[4:]
    assert first[:4] != second[:4]
