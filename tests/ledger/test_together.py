"""Runs at the same time: what one of them lets pass, the others have to count."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gatecli import pipeline
from gatecli.errors import EXIT_PASS, EXIT_REVIEW
from gatecli.ledger import audit
from gatecli.model import Decision
from tests.policy.shop import Shop, shop

__all__ = ["shop"]

RUNS = 4
POLICY = "version: 1\npeople: {seniors: [dana@shop.example]}\npace: {limits: [{changes: 1, hours: 24}]}\n"


@pytest.fixture
def branches(shop: Shop) -> list[str]:
    """Changes of an agent, each of which would pass alone."""
    shop.start(policy=POLICY, signers="")
    names = [f"dana/{number}" for number in range(RUNS)]
    for number, name in enumerate(names):
        shop.repo.git("switch", "--quiet", "--create", name, "main")
        shop.change({f"docs/{number}.md": f"{number}\n"})
    return names


def test_attack_of_changes_judged_at_once_no_more_pass_than_the_limit_allows(
    shop: Shop, branches: list[str], tmp_path: Path
):
    ledger = tmp_path / "decisions.jsonl"
    gate = [sys.executable, "-c", "import sys; from gatecli.cli.main import run; sys.exit(run(sys.argv[1:]))"]
    command = [*gate, "check", "--repo", str(shop.repo.path), "--ledger", str(ledger)]
    with audit.held(ledger):  # nobody can finish before all of them have begun
        runs = [
            subprocess.Popen([*command, f"main...{name}"], stdout=subprocess.PIPE, env={**os.environ, "NO_COLOR": "1"})
            for name in branches
        ]
    said = [one.communicate()[0] for one in runs]
    assert sorted(one.returncode for one in runs) == [EXIT_PASS, *[EXIT_REVIEW] * (RUNS - 1)], said
    log = audit.read(ledger)
    assert log.problem is None
    assert sorted(one.outcome for one in log.entries) == [Decision.PASS, *[Decision.REVIEW] * (RUNS - 1)]


def test_attack_what_passes_while_a_change_is_looked_at_is_counted(
    shop: Shop, branches: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ledger, held = tmp_path / "decisions.jsonl", audit.held

    @contextmanager
    def another_first(path: Path) -> Iterator[audit.Record]:
        monkeypatch.setattr(audit, "held", held)
        assert shop.check("--ledger", str(ledger), range=f"main...{branches[1]}") == EXIT_PASS
        with held(path) as record:
            yield record

    monkeypatch.setattr(audit, "held", another_first)
    assert shop.check("--ledger", str(ledger), range=f"main...{branches[0]}") == EXIT_REVIEW


def test_a_look_at_the_record_adds_nothing_and_does_not_wait(shop: Shop, branches: list[str], tmp_path: Path):
    ledger = tmp_path / "decisions.jsonl"
    shop.check("--ledger", str(ledger), range=f"main...{branches[0]}")
    before = ledger.read_bytes()
    with audit.held(ledger):
        origin = pipeline.open_source(shop.repo.path, revisions=f"main...{branches[1]}")
        assert pipeline.judge(origin, pipeline.Request(ledger=ledger)).verdict.outcome is Decision.REVIEW
    assert ledger.read_bytes() == before
