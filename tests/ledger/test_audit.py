"""The log of decisions is added to, and shows what was done to it."""

import json
import multiprocessing
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gatecli.cli.main import run
from gatecli.errors import EXIT_INCOMPLETE, EXIT_PASS, EvidenceError
from gatecli.ledger import audit, seal
from gatecli.model import Decision, Verdict
from gatecli.sources.signatures import Keys
from tests.policy.shop import needs_ssh
from tests.reports import sample


def report(digest: str = "a" * 64, at: int = 1_800_000_000, passes: bool = True):
    one = sample.SAMPLES["pass"]()
    change = replace(one.case.change, digest=digest)
    answer = Decision.PASS if passes else Decision.REVIEW
    verdict = Verdict(decision=answer, outcome=answer)
    return replace(one, case=replace(one.case, change=change), generated_at=at, verdict=verdict)


def append(path: Path, one, key: Path | None = None):
    with audit.held(path) as record:
        return record.append(one, key)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "gate" / "decisions.jsonl"
    append(path, report())
    append(path, report("b" * 64, at=1_800_000_100, passes=False))
    append(path, report(at=1_800_000_200))
    return path


def test_what_was_written_is_read(log):
    found = audit.read(log)
    assert found.problem is None
    assert [one.number for one in found.entries] == [1, 2, 3]
    memory = audit.memory(found, "a" * 64)
    assert memory.first_seen == 1_800_000_000
    assert [one.digest[0] for one in memory.passed] == ["a", "a"]
    assert audit.memory(found, "c" * 64).first_seen is None


def test_the_stamp_names_the_line(log):
    stamp = append(log, report("c" * 64, at=1_800_000_300))
    assert (stamp.entry, stamp.head) == (4, audit.read(log).head)


def _add_five(path: str, number: int) -> None:
    for each in range(5):
        append(Path(path), report(f"{number}{each}".ljust(64, "0")))


def test_runs_at_the_same_time_do_not_break_the_chain(log):
    context = multiprocessing.get_context("spawn")
    runs = [context.Process(target=_add_five, args=(str(log), number)) for number in range(4)]
    for one in runs:
        one.start()
    for one in runs:
        one.join(60)
    found = audit.read(log)
    assert (found.problem, len(found.entries)) == (None, 23)


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
        append(log, report())


def test_a_last_line_that_was_not_written_whole_is_said(log):
    log.write_bytes(log.read_bytes()[:-10])
    assert "not written whole" in (audit.read(log).problem or "")


def test_attack_a_clock_that_was_set_back_is_said(log):
    append(log, report(at=1_700_000_000))
    assert "set back" in (audit.read(log).problem or "")


# --------------------------------------------------------------------------- signed


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for name in ("ci", "mallory"):
        found[name] = tmp_path / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", found[name]], check=True)
    return found


def listed(keys: dict[str, Path], options: str = 'namespaces="gate-audit"', *names: str) -> Keys:
    lines = [f"{name}@shop.example {options} {keys[name].with_suffix('.pub').read_text()}" for name in names or ("ci",)]
    return Keys(allowed="".join(lines).encode())


def why(log: Path, keys: Keys, by: tuple[str, ...] | None = None) -> str | None:
    return seal.problem(log, audit.read(log), keys, by, now=1_800_001_000)


@needs_ssh
def test_a_signed_log_is_what_was_signed(log, keys):
    assert why(log, listed(keys)) == "it is not signed"
    append(log, report("d" * 64, at=1_800_000_300), keys["ci"])
    assert why(log, listed(keys)) is None
    assert why(log, listed(keys), ("ci@shop.example",)) is None
    assert (
        why(log, listed(keys), ("ines@shop.example",)) == "ci@shop.example signed it, who is none of ines@shop.example"
    )
    append(log, report("e" * 64, at=1_800_000_400))
    assert why(log, listed(keys)) == "its last 1 decisions are not signed"
    append(log, report("f" * 64, at=1_800_000_500), keys["ci"])
    assert why(log, listed(keys)) is None


@needs_ssh
def test_attack_a_signed_log_that_is_cut_off_or_written_anew(log, keys, tmp_path):
    append(log, report("d" * 64, at=1_800_000_300), keys["ci"])
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:2]))
    assert why(log, listed(keys)) == "2 signed decisions are missing at its end: it was cut off"
    log.unlink()
    assert why(log, listed(keys)) == "4 signed decisions are missing at its end: it was cut off"
    for number in range(4):
        append(log, report(f"{number}" * 64, at=1_800_000_300))
    assert why(log, listed(keys)) == "it was written anew since it was signed"


@needs_ssh
@pytest.mark.parametrize(
    ("options", "names", "said"),
    [
        ('namespaces="gate-approval"', ("ci",), "not listed for gate-audit"),
        ('namespaces="gate-audit",valid-before="20200101"', ("ci",), "no key that is listed"),
        ('namespaces="gate-audit"', ("mallory",), "no key that is listed"),
    ],
)
def test_attack_a_log_signed_with_another_key(log, keys, options, names, said):
    append(log, report("d" * 64, at=1_800_000_300), keys["ci"])
    assert said in (why(log, listed(keys, options, *names)) or "")


@needs_ssh
@pytest.mark.parametrize("edit", [lambda text: text.replace("number", "numbex"), lambda text: text.replace(":4", ":3"),
                                  lambda text: "{}", lambda text: "[" * 50_000])  # fmt: skip
def test_attack_a_signature_that_was_edited(log, keys, edit):
    append(log, report("d" * 64, at=1_800_000_300), keys["ci"])
    seal.place(log).write_text(edit(seal.place(log).read_text()))
    assert why(log, listed(keys)) is not None


@needs_ssh
def test_verify_wants_the_signature_and_the_hash_that_was_kept(log, keys, tmp_path, capsys):
    signers = tmp_path / "signers"
    signers.write_bytes(listed(keys).allowed)
    kept = audit.read(log).hashes[2]
    verify = ["audit", "verify", "--ledger", str(log)]
    assert run([*verify, "--signers", str(signers)]) == EXIT_INCOMPLETE
    assert "it is not signed" in capsys.readouterr().err
    assert run(["audit", "sign", "--ledger", str(log), "--key", str(keys["ci"])]) == EXIT_PASS
    assert run([*verify, "--signers", str(signers), "--expect-head", kept]) == EXIT_PASS
    said = capsys.readouterr().out
    assert "3 decisions, whole; 1 since the hash that was kept; signed by ci@shop.example; head " in said
    assert run([*verify, "--expect-head", "0" * 63]) == EXIT_INCOMPLETE
    assert "cut off or written anew" in capsys.readouterr().err
