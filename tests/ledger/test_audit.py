"""The log of decisions is added to, and shows what was done to it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gatecli.errors import EvidenceError
from gatecli.ledger import audit
from gatecli.model import Decision, Verdict
from tests.reports import sample


def report(digest: str = "a" * 64, at: int = 1_800_000_000, passes: bool = True):
    one = sample.SAMPLES["pass"]()
    change = replace(one.case.change, digest=digest)
    answer = Decision.PASS if passes else Decision.REVIEW
    verdict = Verdict(decision=answer, outcome=answer)
    return replace(one, case=replace(one.case, change=change), generated_at=at, verdict=verdict)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "gate" / "decisions.jsonl"
    audit.append(path, report())
    audit.append(path, report("b" * 64, at=1_800_000_100, passes=False))
    audit.append(path, report(at=1_800_000_200))
    return path


def test_what_was_written_is_read(log):
    found = audit.read(log)
    assert found.problem is None
    assert [one.number for one in found.entries] == [1, 2, 3]
    memory = audit.memory(found, "a" * 64)
    assert memory.first_seen == 1_800_000_000
    assert [one.digest[0] for one in memory.passed] == ["a", "a"]
    assert audit.memory(found, "c" * 64).first_seen is None


def test_no_log_is_an_empty_one(tmp_path):
    assert audit.read(tmp_path / "none") == audit.Log()


def _edited(lines):
    entry = json.loads(lines[0])
    return [json.dumps(entry | {"outcome": "review"}, separators=(",", ":")), *lines[1:]]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_edited, "line 2 does not follow"),
        (lambda lines: [lines[0], lines[2]], "line 2 does not follow"),
        (lambda lines: [lines[1], *lines[1:]], "line 1 does not follow"),
        (lambda lines: [lines[0], lines[0], *lines[1:]], "line 2 does not follow"),
        (lambda lines: [lines[0], "{}", *lines[1:]], "line 2 is no entry"),
        (lambda lines: [lines[0], "[" * 100_000, *lines[1:]], "line 2 is no entry"),
    ],
)
def test_attack_a_log_that_was_tampered_with_says_where(log, damage, said):
    log.write_text("\n".join(damage(log.read_text().splitlines())) + "\n")
    assert said in (audit.read(log).problem or "")
    with pytest.raises(EvidenceError, match="damaged"):
        audit.append(log, report())


def test_a_last_line_that_was_not_written_whole_is_said(log):
    log.write_bytes(log.read_bytes()[:-10])
    assert "not written whole" in (audit.read(log).problem or "")


def test_attack_a_clock_that_was_set_back_is_said(log):
    audit.append(log, report(at=1_700_000_000))
    assert "set back" in (audit.read(log).problem or "")
