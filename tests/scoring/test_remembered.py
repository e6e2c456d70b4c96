"""Weights that were read once are not read again, and never taken for those of another text or of another reader."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from gatecli.config import read_data
from gatecli.errors import UsageError
from gatecli.scoring import remembered
from gatecli.scoring.learned import PRIOR, read_learned
from gatecli.scoring.remembered import read_remembered

TEXT = read_data(PRIOR)


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("facts-weights-*"))


def test_the_second_reading_is_the_first_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    first = read_remembered(TEXT, "weights.yml", folder)
    assert first == read_learned(TEXT, "weights.yml")
    monkeypatch.setattr(remembered, "read_learned", lambda *_: pytest.fail("it is read again"))
    assert read_remembered(TEXT, "weights.yml", folder) == first


def test_another_text_is_read_for_itself(tmp_path: Path) -> None:
    read_remembered(TEXT, "weights.yml", tmp_path)
    other = TEXT.replace(b"any: [", b"any: [77777, ", 1)
    with pytest.raises(UsageError):
        read_remembered(other, "weights.yml", tmp_path)
    assert len(kept(tmp_path)) == 1, "a refusal is not kept"


def test_another_version_of_the_reader_reads_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_remembered(TEXT, "weights.yml", tmp_path)
    code = tmp_path / "learned.py"
    code.write_text("another version")
    monkeypatch.setattr(remembered.learned, "__file__", str(code))
    read_remembered(TEXT, "weights.yml", tmp_path)
    assert len(kept(tmp_path)) == 2


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="cut in half"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"\xc1", id="no msgpack"),
        pytest.param(lambda _: b"\x91" * 100_000, id="nested deeply"),
        pytest.param(lambda _: msgspec.msgpack.encode({"schema": "gate-weights/2"}), id="another schema"),
        pytest.param(lambda content: content.replace(b"lines-added", b"lines-addex"), id="an unknown signal"),
    ],
)
def test_what_is_kept_and_damaged_is_read_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    first = read_remembered(TEXT, "weights.yml", tmp_path)
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert read_remembered(TEXT, "weights.yml", tmp_path) == first
    assert file.read_bytes() == whole


def test_where_nothing_can_be_kept_it_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert read_remembered(TEXT, "weights.yml", tmp_path / "cache") == read_learned(TEXT, "weights.yml")


def test_only_the_last_texts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 2)
    for number in range(4):
        read_remembered(TEXT + b"\n" * number, "weights.yml", tmp_path)
    assert len(kept(tmp_path)) == 2
