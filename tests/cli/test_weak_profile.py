"""The whole report with a profile that is good, weak or not there: what a weak one does not know is never a pass."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from gatecli.cli.main import run
from tests.conftest import GitRepo

OLD, NEW = "def price(items):\n    return sum(items)\n", "def price(items):\n    return sum(items) + 1\n"
OTHER = "def total(items):\n    return len(items)\n"


@pytest.fixture
def shop(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> GitRepo:
    """One function is changed on a branch."""
    repo.commit({"shop/pricing.py": OLD, "shop/totals.py": OTHER})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"shop/pricing.py": NEW})
    monkeypatch.chdir(repo.path)
    return repo


def sampled(shop: GitRepo, samples: int, **shares: float) -> list[str]:
    """``--profile`` with a profile of some samples that ended now."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    source = {"kind": "pyspy", "file": "x", "sha256": "0" * 64, "basis": "sampled", "samples": samples,
              "frames_project": 10, "frames_matched": 10}  # fmt: skip
    ids = {"price": "shop/pricing.py::price", "total": "shop/totals.py::total"}
    document = {
        "schema": "gate.runtime-profile/1",
        "meta": {
            "environment": "production",
            "window": {"start": now, "end": now, "observed_seconds": 60},
            "revision": shop.git("rev-parse", "main").strip(),
            "sources": [source],
        },
        "functions": [
            {"id": ids[name], "kind": "function", "time_total": {"share": share}, "match": "qualname", "sources": [0]}
            for name, share in sorted(shares.items())
        ],
    }
    path = Path(shop.path) / ".git" / f"profile-{samples}-{len(shares)}.json"
    path.write_text(json.dumps(document))
    return ["--profile", os.fspath(path)]


def report(capfd: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    run(["check", "main", "--report", "json", *arguments])
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def test_a_weak_profile_never_lowers_risk(shop: GitRepo, capfd: pytest.CaptureFixture[str]) -> None:
    none = report(capfd)
    good = report(capfd, *sampled(shop, 50_000, total=0.9))
    weak = report(capfd, *sampled(shop, 100, total=0.9))
    seen = report(capfd, *sampled(shop, 100, total=0.9, price=0.01))
    hot = report(capfd, *sampled(shop, 100, total=0.9, price=0.6))
    assert [one["profile"]["grade"] for one in (good, weak, seen, hot)] == ["good", "weak", "weak", "weak"]
    decisions = [one["verdict"]["decision"] for one in (none, good, weak, seen, hot)]
    assert decisions == ["pass", "pass", "review", "pass", "review"]
    said = "the runtime profile is weak: that it has not seen price does not say that it never runs"
    assert said in [reason["text"] for reason in weak["verdict"]["reasons"]]
    totals = [one["score"]["total"] for one in (none, weak, seen, hot)]
    assert totals == sorted(totals), "it only adds"
    likelihoods = [one["score"]["likelihood"] for one in (none, weak, seen, hot)]
    assert likelihoods == sorted(likelihoods), "what is hot may have findings of its own"
    assert totals[-1] > totals[0]
