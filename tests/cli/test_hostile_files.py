"""Files made to stop the gate, through the whole tool: each is bounded, and the report says what was not judged.

No time is asserted here; the runner's own limit on a test stands against a hang.
"""

import json
from pathlib import Path

import pytest

from gatecli.cli.main import run
from tests.conftest import GitRepo

ORDINARY = b"def f(x):\n    return x\n"
# What the file holds, the status of its reading, and what the report says of why.
FILES: dict[str, tuple[bytes, str, str | None]] = {
    "ten megabytes": (b"x = 1  # " + b"a" * 90 + b"\n", "not-parsed", "has 10,000,000 bytes, more than the 4,000,000"),
    "100,000 lines": (b"x = 1\n" * 100_000, "parsed", None),
    "10,000 functions": (
        b"".join(b"def f%d(x):\n    return x + %d\n\n" % (i, i) for i in range(10_000)),
        "parsed",
        None,
    ),
    "brackets 5,000 deep": (
        b"x = " + b"(" * 5_000 + b"1" + b")" * 5_000 + b"\n",
        "not-parsed",
        "nested more than 3,000",
    ),
    "blocks 5,000 deep": (b"".join(b" " * i + b"if x:\n" for i in range(2_800)), "partial", None),
    "functions 500 deep": (
        b"".join(b" " * i + b"def f():\n" for i in range(500)) + b" " * 500 + b"pass\n",
        "parsed",
        None,
    ),
    "open brackets": (b"(" * 200_000 + b"\n", "not-parsed", "cannot place"),
    "open brackets, named": (b"(a " * 60_000 + b"\n", "partial", None),
    "chained calls": (b"x = f" + b"()" * 20_000 + b"\n", "not-parsed", "nested more than 3,000"),
    "lambdas": (b"x = " + b"lambda: " * 50_000 + b"1\n", "not-parsed", "nested more than 3,000"),
    "open definitions": (b"def f(" * 20_000 + b"\n", "partial", None),
    "one line of two megabytes": (b"x = [" + b"1, " * 700_000 + b"]\n", "not-parsed", "the parser gave up"),
    "a string of two megabytes": (b"x = '" + b"a" * 2_000_000 + b"'\n", "parsed", None),
    "no Python": (b'<div class="x">\n<p>hello & world</p></div>\n' * 60_000, "not-parsed", "the parser gave up"),
    "a quarter of a megabyte of no Python": (b"function a() { return {b: [1,2]}; }\n" * 7_000, "partial", None),
    "not UTF-8": (b"x = '\xff\xfe'\n", "parsed", None),
    "latin-1, declared": (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "parsed", None),
    "unicode_escape, declared": (
        b"# coding: unicode_escape\nx = 1 # \\u000aimport os\n",
        "not-parsed",
        "comments can hold",
    ),
    "an unknown encoding": (b"# coding: klingon\nx = 1\n", "parsed", None),
    "a byte-order mark": (b"\xef\xbb\xbfx = 1\n", "parsed", None),
    "NUL": (b"x = 1\0\n", "not-parsed", None),
    "CRLF": (b"def f(x):\r\n    return x + 1\r\n", "parsed", None),
    "mixed line ends": (b"def f(x):\r\n    return x + 1\n\r\n", "parsed", None),
    "a bare carriage return": (b"x = 1 #\rimport os\n", "not-parsed", "bare carriage returns"),
    "form feeds": (b"\x0cdef f(x):\n    return x + 1\n\x0c\n", "parsed", None),
    "no line end": (b"def f(x): return x + 1", "parsed", None),
    "empty": (b"", "parsed", None),
    "conflict markers": (b"<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> topic\n", "partial", None),
}
FILES["ten megabytes"] = (FILES["ten megabytes"][0] * 100_000, *FILES["ten megabytes"][1:])


# Added and edited, the largest only added: the suite has other things to do.
CASES = [(name, False) for name in FILES] + [
    (name, True) for name, (source, *_) in FILES.items() if len(source) < 300_000
]


@pytest.mark.parametrize(("name", "edited"), CASES)
def test_a_hostile_file_is_judged_or_said_to_be_judged_as_a_whole(
    name: str, edited: bool, repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, status, reason = FILES[name]
    repo.commit(
        {"README.md": "shop\n", "other.py": "import a\n\na.f(1)\n"} | ({"a.py": ORDINARY.decode()} if edited else {})
    )
    repo.git("checkout", "-q", "-b", "topic")
    (repo.path / "a.py").write_bytes(source)
    repo.git("add", "a.py")
    repo.git("commit", "-q", "-m", "change")
    monkeypatch.chdir(repo.path)
    out = tmp_path / "report.json"
    assert run(["check", "main", "--report", f"json={out}"]) in (0, 1, 3)
    report = json.loads(out.read_bytes())
    [file] = report["change"]["files"]
    assert file["parse_status"] == status, file["parse_reason"]
    assert reason is None or reason in file["parse_reason"]
    if status == "not-parsed":
        assert report["verdict"]["decision"] != "pass"
