"""A shop with a policy, real keys and an AI-written change on a branch: what sign-off is tried on."""

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gatecli import pipeline
from gatecli.cli.main import run
from gatecli.model import Counted, Report
from tests.conftest import GitRepo

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH's ssh-keygen is not installed")

RAVI, TOM, DANA, INES = "ravi@shop.example", "tom@shop.example", "dana@shop.example", "ines@shop.example"
PRICING = """\
def price_order(order, rate):
    total = 0
    for line in order.lines:
        total += line.price * line.count
    return total * rate
"""
EDITED = PRICING.replace("line.price * line.count", "round(line.price * line.count)")
POLICY = """\
version: 1
people:
  seniors: [ravi]
  aliases:
    ravi: [ravi@shop.example]
    dana: [dana@shop.example, dana@home.example, dana-codes]
"""
BY_DANA = {
    "GIT_AUTHOR_NAME": "Dana Reed", "GIT_AUTHOR_EMAIL": DANA,
    "GIT_COMMITTER_NAME": "Dana Reed", "GIT_COMMITTER_EMAIL": DANA,
}  # fmt: skip
AI_MESSAGE = "Round each line\n\nCo-Authored-By: Claude Opus 4.5 <noreply@anthropic.com>"


@dataclass
class Shop:
    """The repository, and a private key a person."""

    repo: GitRepo
    folder: Path
    keys: dict[str, Path] = field(default_factory=dict)

    def key(self, name: str) -> Path:
        """A person's private key, made the first time."""
        if name not in self.keys:
            path = self.folder / f"key-{len(self.keys)}"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
            self.keys[name] = path
        return self.keys[name]

    def public(self, name: str) -> str:
        return " ".join(self.key(name).with_suffix(".pub").read_text().split()[:2])

    def signers(self, *lines: str) -> str:
        """Lines of the list of keys; by default Ravi's, Tom's and Dana's."""
        plain = [f'{name} namespaces="gate-approval" {self.public(name)}' for name in (RAVI, TOM, DANA)]
        return "\n".join(lines or plain) + "\n"

    def start(self, *, policy: str = POLICY, signers: str | None = None, files: dict[str, str] | None = None) -> str:
        """The base on ``main``, and the agent's change on ``dana/round``."""
        base = {
            "shop/pricing.py": PRICING,
            "shop/tax.py": "def tax(total):\n    return total / 5\n",
            ".gate/policy.yml": policy,
            ".gate/allowed_signers": self.signers() if signers is None else signers,
        }
        self.repo.commit({**base, **(files or {})}, "A shop")
        self.repo.git("switch", "--quiet", "--create", "dana/round")
        return self.change({"shop/pricing.py": EDITED})

    def change(self, files: dict[str, str | None], message: str = AI_MESSAGE) -> str:
        return self.repo.commit(files, message, env=BY_DANA)

    def on_main(self, files: dict[str, str | None], message: str = "On main") -> None:
        """A commit on main; the branch stays checked out."""
        branch = self.repo.git("branch", "--show-current").strip()
        self.repo.git("switch", "--quiet", "main")
        self.repo.commit(files, message)
        self.repo.git("switch", "--quiet", branch)

    def approve(
        self, name: str, *options: str, key: str | None = None, range: str = "main...HEAD", risks: bool = False
    ):
        """``gate approve`` for real; returns its exit code. With ``risks``, every finding is acknowledged."""
        findings = self.judge(range).findings if risks else ()
        named = [f"--acknowledge={one.id}" for one in findings if one.asks_for_somebody]
        signer = ["--as", name, "--key", str(self.key(key or name)), "--repo", str(self.repo.path)]
        return run(["approve", range, *signer, *named, *options])

    def judge(self, range: str = "main...HEAD", **more) -> Report:
        return pipeline.judge(pipeline.open_source(self.repo.path, revisions=range), pipeline.Request(**more))

    def said(self, range: str = "main...HEAD", **more) -> Counted:
        """What counts, and what does not."""
        return self.judged(range, **more)[1]

    def judged(self, range: str = "main...HEAD", **more) -> tuple[Report, Counted]:
        """Both at once."""
        origin, request = pipeline.open_source(self.repo.path, revisions=range), pipeline.Request(**more)
        report = pipeline.judge(origin, request)
        return report, pipeline.said_of(origin, request, report)

    def check(self, *options: str, range: str = "main...HEAD") -> int:
        return run(["check", range, "--repo", str(self.repo.path), *options])

    def lines(self) -> list[dict]:
        """The signed lines of all notes."""
        listed = self.repo.git("notes", "--ref=gate-approvals", "list").split("\n")
        texts = [self.repo.git("cat-file", "blob", row.split()[0]) for row in listed if row]
        return [json.loads(line) for text in texts for line in text.splitlines() if line]


@pytest.fixture
def shop(repo: GitRepo, tmp_path: Path) -> Shop:
    folder = tmp_path / "keys"
    folder.mkdir()
    return Shop(repo, folder)
