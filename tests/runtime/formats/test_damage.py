"""Damage of every kind, in every format: it is read, or refused with an error of gate's."""

import gzip
import io
import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime import formats, trace_sums
from gatecli.runtime.formats import compressed, otlp, otlp_spans
from tests.runtime.formats.mutation import mutated, outcome
from tests.runtime.formats.samples import SAMPLES, content, reader

# 22 samples: some 2,000 mutations; tests.bench.fuzz_readers makes 20,000 of each.
_EXAMPLES = 95


@pytest.mark.parametrize("name", SAMPLES)
def test_a_damaged_recording_is_read_or_refused(name: str) -> None:
    data, found = content(name), reader(name)

    @settings(max_examples=_EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32))
    def check(seed: int) -> None:
        outcome(found, mutated(data, random.Random(seed)))

    check()


@pytest.mark.parametrize("name", ["otlp.flask.jsonl", "otlp.flask.pb"])
def test_damage_to_what_is_added_up_while_it_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_spans, "KEPT_SPANS", 0)
    monkeypatch.setattr(trace_sums, "HELD_SPANS", 3)
    monkeypatch.setattr(otlp, "MAX_LINE_BYTES", 200)  # as a document: in parts
    data, found = content(name), reader(name)
    for seed in (*range(200), 7 * 1_000_003 + 2_316):  # a protobuf's time of 64 bits, which no array of 63 takes
        outcome(found, mutated(data, random.Random(seed)))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_recording_that_is_cut_off_is_read_or_refused(name: str, tmp_path: Path) -> None:
    data = content(name)
    path = tmp_path / "recording"
    for part in range(1, 25):
        path.write_bytes(data[: len(data) * part // 25])
        with suppress(GateError):
            formats.read(path)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"root_frame":', b'{"data":[', b'[{"ph":"X","ts":1,"args":'])
def test_deep_nesting(opening: bytes, tmp_path: Path) -> None:
    path = tmp_path / "deep"
    path.write_bytes(opening * 200_000)
    with pytest.raises(GateError):
        formats.read(path)


def test_a_gzip_bomb_of_every_reader_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_BYTES", 300_000)
    for name in SAMPLES:
        path = tmp_path / "bomb.gz"
        data = content(name)
        if len(data) < 290_000:
            path.write_bytes(gzip.compress(data + b" " * 2_000_000, 1))
            with pytest.raises(GateError):
                formats.read(path)


# --------------------------------------------------------------------------- zstd


def _zstd(data: bytes) -> bytes:
    """One frame with one raw block for each 100,000 bytes, as RFC 8878 has it: needs no compressor."""
    blocks = [data[at : at + 100_000] for at in range(0, len(data), 100_000)]
    out = b"\x28\xb5\x2f\xfd\x00\x58"  # no content size, a window of 2 MiB
    for number, block in enumerate(blocks):
        header = len(block) << 3 | (number == len(blocks) - 1)
        out += header.to_bytes(3, "little") + block
    return out


def test_zstd_without_a_decompressor_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(compressed.importlib, "import_module", missing)
    path = tmp_path / "x.pprof"
    path.write_bytes(_zstd(content("pyroscope-python.pprof")))
    with pytest.raises(UsageError, match=r"x\.pprof: the file is compressed with zstd") as error:
        formats.read(path)
    assert error.value.hint == "pip install zstandard, or decompress it first: zstd -d FILE"


def test_zstd(tmp_path: Path) -> None:
    pytest.importorskip("zstandard", reason="zstandard is not installed: Python before 3.14 has no zstd of its own")
    path = tmp_path / "x.pprof"
    data = content("pyspy.speedscope.json")
    packed = _zstd(data)
    path.write_bytes(packed)
    assert formats.read(path).samples == 473
    lines = content("pyspy.raw.txt")
    path.write_bytes(_zstd(lines[:30_000]) + _zstd(lines[30_000:]))  # frames one behind another
    assert formats.read(path).samples == 887
    for cut in (*range(5, 40), len(packed) // 2, len(packed) - 1):
        path.write_bytes(packed[:cut])
        with pytest.raises(EvidenceError, match=r"the zstd data is damaged or cut off|the file is empty"):
            formats.read(path)
    path.write_bytes(packed[:4] + b"\xff" * 20)
    with pytest.raises(EvidenceError, match="the zstd data is damaged"):
        formats.read(path)


def test_a_zstd_bomb_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of four bytes stands for 128 KiB of one byte: 40 KB are 1.3 GB."""
    pytest.importorskip("zstandard", reason="zstandard is not installed: Python before 3.14 has no zstd of its own")
    monkeypatch.setattr(formats, "MAX_BYTES", 50_000_000)
    block = (131_072 << 3 | 1 << 1).to_bytes(3, "little") + b" "
    path = tmp_path / "bomb.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd\x00\x58" + (len(b"main (a.py:1) 5\n") << 3).to_bytes(3, "little")
                     + b"main (a.py:1) 5\n" + block * 10_000)  # fmt: skip
    with pytest.raises(EvidenceError, match=r"more than 50,000,000 bytes of content|has more than"):
        formats.read(path)


def test_numbers_in_mutations_reach_the_readers() -> None:
    """The damage must be of use: a good part of it is still read."""
    for name in ("sentry.profile.json", "coverage.sqlite", "rows.json"):
        data, found = content(name), reader(name)
        outcomes = [outcome(found, mutated(data, random.Random(seed))) for seed in range(60)]
        assert {"read", "EvidenceError"} <= set(outcomes), name


def test_readers_take_any_stream() -> None:
    for name in SAMPLES:
        assert reader(name).read(io.BytesIO(content(name))).frames is not None
