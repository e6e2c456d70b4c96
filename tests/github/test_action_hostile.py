"""The action on branches, files, messages and inputs that attack it."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import GitRepo
from tests.github.action import SLOWER, Job, ended
from tests.github.fake import BOT, FakeGitHub
from tests.reports.payloads import PAYLOADS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the steps run under bash")

TRAP = "open('pwned', 'w').close()\n"


def test_a_checkout_lends_its_objects_and_nothing_in_it_is_run(
    propose: Callable[..., Job], fake: FakeGitHub, remote: GitRepo
) -> None:
    job = propose({"README.md": "a\n"})
    GitRepo(job.workspace.parent).git("clone", "-q", str(remote.path), str(job.workspace))
    traps = ("gatecli/__init__.py", "pip/__main__.py", "venv/__main__.py", "json.py", "requests.py", "sitecustomize.py")
    for name in traps:
        (job.workspace / name).parent.mkdir(exist_ok=True)
        (job.workspace / name).write_text(TRAP)
    ended(job, 0)
    found = (job.temp / "gate" / "repository.git" / "objects" / "info" / "alternates").read_text()
    assert found == f"{job.workspace}/.git/objects\n"


@pytest.mark.parametrize(
    ("branch", "tools"),
    [("$(touch${IFS}pwned)`touch${IFS}pwned`;touch${IFS}pwned|a'b\"&ü=<<E", []), ("copilot/fix-1", ["copilot"])],
)
def test_a_branch_s_name_is_evidence_and_never_code(propose: Callable[..., Job], branch: str, tools: list[str]) -> None:
    result = ended(propose({"README.md": "a\n"}, branch=branch), 0)
    report = json.loads(Path(result.outputs["json-file"]).read_text())
    assert report["change"]["branch"] == branch
    assert [agent["tool"] for agent in report["provenance"]["agents"]] == tools


@pytest.mark.parametrize(
    "inputs",
    [
        {"mode": "$(touch pwned)", "fail-on": "--help", "profile": "`touch pwned`", "policy": "--repo",
         "organisation": "$(touch pwned)", "status": "$(touch pwned)", "label": "; touch pwned"},
        {"pull-request": "$(touch pwned)"},
        {"comment": "auto --dry-run"},
    ],
)  # fmt: skip
def test_inputs_are_values_and_never_code(propose: Callable[..., Job], inputs: dict[str, str]) -> None:
    ended(propose({"README.md": "a\n"}, inputs=inputs), 2)


def test_hostile_text_is_inert_in_log_summary_comment_and_status(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    texts = [text[:200] for text in PAYLOADS.values() if text.strip() and "\0" not in text]
    message = "\n".join(["Change", "", *(text.encode("utf-8", "replace").decode() for text in texts)])
    names = {f"shop/{text[:60].replace('/', '_')}.py" for text in texts if text.isprintable()}
    files = dict.fromkeys(names, SLOWER) | {"shop/pricing.py": SLOWER, "a\n::error::b.py": SLOWER}
    job = propose(files, message=message, title=texts[10], user={"login": BOT, "id": 1, "type": "Bot"})
    result = ended(job, 3)
    assert not any("pwned" in line for line in result.log.splitlines() if line.startswith("::error file=a.py"))
    for text in (result.log, result.errors, result.summary, fake.comments[0]["body"], fake.statuses[0]["description"]):
        assert not any(char in text for char in "\x1b\x07\x08\x9b\r\u202e\u2066\u200b")
        assert not any(
            line.lstrip().startswith(("::add-mask", "::stop-commands", "##[", "##vso[")) for line in text.splitlines()
        )
    prose = re.sub(r"`[^`\n]*`", "", fake.comments[0]["body"])
    assert not re.search(r"<(?!/?(details|summary|code|sub|br)\b|!-- gate-)", prose)
