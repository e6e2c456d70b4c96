"""Telling formats apart, and what every reader has in common: bounds, messages, nothing but gate's own errors."""

import gzip
import hashlib
import json
import os
import random
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime import formats
from tests.runtime.support import PROFILES, build, recording

KINDS = {
    "austin.raw.txt": "austin",
    "cprofile.pstats": "pstats",
    "cprofile-3.8.pstats": "pstats",
    "cprofile-3.13.pstats": "pstats",
    "otlp.celery.jsonl": "otlp-json",
    "otlp.fastapi.jsonl": "otlp-json",
    "otlp.flask.jsonl": "otlp-json",
    "otlp.manual.jsonl": "otlp-json",
    "pyspy.function.raw.txt": "pyspy-raw",
    "pyspy.raw.txt": "pyspy-raw",
    "yappi.pstats": "pstats",
}


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_a_format_is_told_by_content_alone(name: str, kind: str, tmp_path: Path) -> None:
    nameless = tmp_path / "recording"
    nameless.write_bytes((PROFILES / name).read_bytes())
    found = formats.read(nameless, name_hint=name)
    assert (found.kind, found.file) == (kind, name)
    assert found.sha256 == hashlib.sha256(nameless.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["pyspy.raw.txt", "cprofile.pstats", "otlp.flask.jsonl"])
def test_gzip_is_read_as_what_is_in_it(name: str, tmp_path: Path) -> None:
    packed = tmp_path / "recording.gz"
    packed.write_bytes(gzip.compress((PROFILES / name).read_bytes()))
    plain, found = recording(name), formats.read(packed)
    assert replace(found, file="", sha256="", ended_at=None) == replace(plain, file="", sha256="", ended_at=None)


def test_a_recording_that_does_not_say_when_takes_the_file_s_time(tmp_path: Path) -> None:
    path = tmp_path / "prod.txt"
    path.write_text("main (a.py:1) 5\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    found = formats.read(path)
    assert found.ended_at == 1_700_000_000
    assert found.warnings == ("the recording does not say when it was made: the file's time is taken",)
    assert recording("otlp.flask.jsonl").ended_at == pytest.approx(1_795_223_499, abs=2)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", EvidenceError, "the file is empty"),
        (b" \n\t\n", EvidenceError, "the file is empty"),
        (gzip.compress(b"", mtime=0), EvidenceError, "the file is empty"),
        (b"Hello, world\n", UsageError, "not a known profile format"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), UsageError, "not a known profile format"),
        (b'{"frames": [], "profile": {}}', UsageError, "not a known profile format"),
        (b'{"shared": {"frames": []}, "profiles": []}', EvidenceError, "holds no samples"),
        (gzip.compress(b"main (a.py:1) 5\n" * 999, mtime=0)[:40], EvidenceError, "damaged or cut off"),
        (gzip.compress(b"main (a.py:1) 5\n", mtime=0)[:-1] + b"\1", EvidenceError, "damaged or cut off"),
        (b"\x1f\x8b\x00\x00", EvidenceError, "damaged or cut off"),
    ],
)
def test_what_cannot_be_read_is_said(content: bytes, error: type[GateError], message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.prof"
    path.write_bytes(content)
    with pytest.raises(GateError) as raised:
        formats.read(path)
    assert type(raised.value) is error
    assert raised.value.message.startswith("x.prof: ")
    assert message in raised.value.message
    assert raised.value.hint


def test_an_unknown_format_names_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("nothing known")
    with pytest.raises(UsageError) as raised:
        formats.read(path)
    assert all(reader.title in raised.value.hint for reader in formats.READERS)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.txt: cannot be read \(No such file or directory\)"):
        formats.read(tmp_path / "gone.txt")
    with pytest.raises(UsageError, match="not a regular file"):
        formats.read(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UsageError, match="not a regular file"):
            formats.read(tmp_path / "pipe")


def test_a_small_file_that_inflates_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_BYTES", 1_000_000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"main (a.py:1) 5\n" + b"# comment\n" * 1_000_000))
    with pytest.raises(EvidenceError, match="more than 1,000,000 bytes of content"):
        formats.read(path)


def _damaged(data: bytes, seed: int, times: int) -> list[bytes]:
    rng = random.Random(seed)
    result = []
    for _ in range(times):
        copy = bytearray(data)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(copy))
            action = rng.randrange(4)
            if action == 0:
                copy[at] ^= 1 << rng.randrange(8)
            elif action == 1:
                del copy[at : at + rng.randrange(1, 50)]
            elif action == 2:
                copy[at:at] = copy[max(0, at - 40) : at]
            else:
                del copy[at + 1 :]
        result.append(bytes(copy))
    return result


@pytest.mark.parametrize("name", ["pyspy.raw.txt", "austin.raw.txt", "cprofile-3.8.pstats", "yappi.pstats",
                                  "otlp.flask.jsonl", "otlp.celery.jsonl"])  # fmt: skip
def test_a_damaged_recording_is_read_or_refused(name: str, tmp_path: Path) -> None:
    """Truncations and flips at random places: what can be read makes a profile, the rest is a gate error."""
    path = tmp_path / name
    data = (PROFILES / name).read_bytes()[:20_000]
    for content in (*(data[: len(data) * part // 40] for part in range(40)), *_damaged(data, seed=11, times=120)):
        path.write_bytes(content)
        with suppress(GateError):
            build(formats.read(path))


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    name = "\x1b]0;owned\x07::error::x<script>".replace(";", ":")
    path.write_text(f"{name} (shop/pricing.py:26);../../etc/passwd (../../../etc/x.py:1) 5\n", encoding="utf-8")
    profile = build(formats.read(path))
    assert json.dumps(name)[1:-1] in json.dumps([example.name for example in profile.unmatched.examples])
