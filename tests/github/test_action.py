"""The action's own steps, run for real against a local GitHub and a local git server."""

import gzip
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import yaml

from gatecli.reports.markdown import MARKER
from gatecli.reports.workflows import Workflow, render
from tests.conftest import GitRepo
from tests.github.action import ACTION, SLOWER, Job, ended, statuses
from tests.github.fake import SLUG, FakeGitHub, review
from tests.github.test_artifact import archive

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the steps run under bash")

README = Path(__file__).resolve().parents[2] / "README.md"

PROFILE = {
    "schema": "gate.runtime-profile/1",
    "meta": {
        "service": "shop",
        "environment": "production",
        "window": {"start": "2026-11-20T00:00:00Z", "end": "2026-11-20T00:00:00Z", "observed_seconds": 86_400},
        "revision": None,
        "generated_at": "2026-11-20T00:00:00Z",
        "generator": "test",
        "sources": [{"kind": "otlp-json", "file": "spans.jsonl", "sha256": "", "basis": "counted"}],
    },
    "functions": [
        {
            "id": "shop/pricing.py::price",
            "kind": "function",
            "first_line": 1,
            "def_line": 1,
            "end_line": 2,
            "calls": 864_000,
            "calls_per_min": 600.0,
            "calls_basis": "counted",
            "time_total": {"share": 0.5},
            "match": "qualname",
            "sources": [0],
            "entry_points": [],
        }
    ],
}


def test_the_reports_are_kept_and_that_never_changes_the_verdict() -> None:
    """GitHub's own action keeps them; what it is told is all that can be looked at here."""
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    (keep,) = (step for step in action["runs"]["steps"] if "upload-artifact@" in step.get("uses", ""))
    assert keep["continue-on-error"] is True
    assert keep["with"]["path"].split() == [
        part for name in ("json", "html", "sarif") for part in ("${{", f"steps.check.outputs.{name}-file", "}}")
    ]
    assert (keep["with"]["name"], keep["with"]["overwrite"]) == ("${{ inputs.artifact }}", True)
    assert action["runs"]["steps"][-1]["name"] == "Verdict"


def test_a_pass_is_quiet(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a shop\n"})
    result = ended(job, 0)
    reports = job.temp / "gate"
    assert result.outputs == {
        "verdict": "pass",
        "outcome": "pass",
        "score": "0",
        "sign-off": "not_required",
        "folder": str(reports),
        "json-file": str(reports / "gate.json"),
        "html-file": str(reports / "gate.html"),
        "sarif-file": str(reports / "gate.sarif"),
        "markdown-file": str(reports / "gate.md"),
    }
    assert statuses(fake) == [("success", "#1204 pass: risk 0")]
    assert fake.comments == []
    assert result.summary.startswith(f"{MARKER}\n**gate: pass**")
    report = json.loads((reports / "gate.json").read_text())
    assert report["change"]["head"] == fake.pulls[1204]["head"]["sha"]
    assert report["change"]["branch"] == "topic"
    assert (reports / "gate.html").read_text().startswith("<!doctype html>")
    assert json.loads((reports / "gate.sarif").read_text())["version"] == "2.1.0"


@pytest.mark.parametrize("name", [name for name in Workflow if name is not Workflow.PROFILE])
def test_every_workflow_that_gate_prints_judges_with_what_it_grants(
    name: Workflow, propose: Callable[..., Job], fake: FakeGitHub
) -> None:
    """The step that uses the action, with the inputs and the permissions that the printed workflow gives it."""
    text = render(name, server="https://github.com", repository="acme/gate", commit="c" * 40)
    job_of = yaml.safe_load(text)["jobs"]["gate"]
    (step,) = (step for step in job_of["steps"] if step["uses"] == f"acme/gate@{'c' * 40}")
    given = {key: str(value).replace("${{ matrix.pull }}", "1204") for key, value in step.get("with", {}).items()}
    fake.allowed = {f"{scope}: {access}" for scope, access in job_of["permissions"].items()} | {"collaborators: read"}
    job = propose({"README.md": "a shop\n"}, inputs=given)
    if name is Workflow.AGAIN:
        job.event = {"schedule": "17 * * * *"}
    if name is Workflow.FORKS:
        run = {"head_sha": fake.pulls[1204]["head"]["sha"], "head_branch": "topic", "pull_requests": []}
        owner = {"login": SLUG.partition("/")[0]}
        job.event = {"workflow_run": run | {"head_repository": {"owner": owner, "full_name": SLUG}}}
    assert ended(job, 0).outputs["outcome"] == "pass"
    assert statuses(fake) == [("success", "#1204 pass: risk 0")]


def test_a_review_waits_for_the_sign_off_and_passes_with_it(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"shop/pricing.py": SLOWER})
    first = ended(job, 3)
    assert (first.outputs["outcome"], first.outputs["sign-off"]) == ("review", "outstanding")
    assert "warning" in first.commands
    assert [one["state"] for one in fake.statuses] == ["pending"]
    (comment,) = fake.comments
    assert comment["body"].startswith(f"{MARKER}\n**gate: review**")

    head = fake.pulls[1204]["head"]["sha"]
    fake.reviews[1204] = [review("ravi", commit=head)]
    fake.permissions = {"ravi": "write"}
    second = ended(job, 0)
    assert (second.outputs["verdict"], second.outputs["outcome"]) == ("review", "pass")
    assert second.outputs["sign-off"] == "satisfied"
    assert [one["state"] for one in fake.statuses] == ["success", "pending"]
    assert f"<sub>was review at {head[:7]} → now pass at {head[:7]}</sub>" in fake.comments[0]["body"]

    fake.reviews[1204] = [review("ravi", "DISMISSED", commit=head)]
    ended(job, 3)
    assert [one["state"] for one in fake.statuses] == ["pending", "success", "pending"]
    assert len(fake.comments) == 1


def test_the_permissions_of_the_recipe_are_enough(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    """Everything is on, and GitHub grants what the README's ten lines name, and to every token who may push."""
    (granted,) = re.findall(r"^    permissions: \{(.*)\}$", README.read_text(encoding="utf-8"), re.M)
    fake.allowed = {*granted.split(", "), "collaborators: read"}
    fake.reviews[1204] = [review("ravi", "COMMENTED")]
    everything = {"comment": "always", "request-reviewers": "true", "label": "true"}
    job = propose({"shop/pricing.py": SLOWER}, inputs=everything)
    result = ended(job, 3)
    assert "the token needs" not in result.errors
    assert "is not known:" not in result.errors
    assert (len(fake.comments), len(fake.statuses)) == (1, 1)
    assert fake.pulls[1204]["labels"] == [{"name": "gate: review"}]


def test_a_profile_from_an_artifact(propose: Callable[..., Job], fake: FakeGitHub, remote: GitRepo) -> None:
    recorded = gzip.compress(msgspec.json.encode(PROFILE))
    fake.artifact("gate-profile", archive({"profile.json.gz": recorded}))
    job = propose({"shop/pricing.py": SLOWER}, inputs={"profile": "artifact:gate-profile"})
    result = ended(job, 3)
    report = json.loads(Path(result.outputs["json-file"]).read_text())
    (function,) = (one for one in report["functions"] if one["qualname"] == "price")
    assert (function["usage"]["status"], function["usage"]["calls_per_minute"]) == ("observed", 600.0)

    fake.artifacts.clear()
    result = ended(job, 4)
    assert "no run of the default branch keeps an artifact 'gate-profile'" in result.errors
    assert result.outputs["outcome"] == "error"
    assert fake.statuses[0]["state"] == "error"


def test_a_queue_judges_the_pull_request_and_its_commit_gets_the_status(
    propose: Callable[..., Job], fake: FakeGitHub
) -> None:
    job = propose({"shop/pricing.py": SLOWER})
    pull = job.event["pull_request"]
    fake.reviews[1204] = [review("ravi", commit=pull["head"]["sha"])]
    fake.permissions = {"ravi": "write"}
    queue = f"refs/heads/gh-readonly-queue/main/pr-1204-{pull['base']['sha']}"
    job.event = {"merge_group": {"head_sha": "e" * 40, "head_ref": queue, "base_sha": pull["base"]["sha"]}}
    ended(job, 0)
    assert [(one["state"], one["sha"]) for one in fake.statuses] == [("success", "e" * 40)]


def test_github_enterprise_has_its_api_elsewhere(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    """``GITHUB_API_URL`` is ``https://HOST/api/v3`` there, and GraphQL is at ``/api/graphql``."""
    fake.becomes_enterprise()
    fake.permissions = {"ravi": "write"}
    fake.reviews[1204] = [review("stranger", "COMMENTED") for _ in range(150)]  # more than a page
    job = propose({"shop/pricing.py": SLOWER}, inputs={"request-reviewers": "true", "label": "true"})
    result = ended(job, 3)
    assert "not written" not in result.errors
    assert (len(fake.comments), [one["state"] for one in fake.statuses]) == (1, ["pending"])
    assert {"/graphql", f"/repos/{SLUG}/pulls/1204"} <= {one.path for one in fake.requests}


def test_the_job_s_inputs_reach_gate(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    inputs = {
        "mode": "advise",
        "fail-on": "block",
        "comment": "always",
        "status": "false",
        "label": "true",
        "policy": "strict.yml",
    }
    job = propose({"README.md": "a\n"}, inputs=inputs)
    (job.workspace / "strict.yml").write_text("version: 1\nprovenance: {no_evidence: treat_as_ai}\n")
    result = ended(job, 0)
    assert (result.outputs["outcome"], len(fake.comments), fake.statuses) == ("review", 1, [])
    assert "advice only" in fake.comments[0]["body"]
    assert fake.pulls[1204]["labels"] == [{"name": "gate: review"}]


def test_the_policy_of_an_organisation_is_laid_over_that_of_the_repository(
    propose: Callable[..., Job], fake: FakeGitHub, remote: GitRepo
) -> None:
    remote.commit({".gate/policy.yml": "version: 1\nmode: advise\n"})
    job = propose({"README.md": "a\n"}, inputs={"organisation": "policies/gate.yml"})
    (job.workspace / "policies").mkdir()
    (job.workspace / "policies" / "gate.yml").write_text("version: 1\nprovenance: {no_evidence: treat_as_ai}\n")
    result = ended(job, 3)
    assert (result.outputs["outcome"], result.outputs["sign-off"]) == ("review", "outstanding")
    report = json.loads(Path(result.outputs["json-file"]).read_text())
    assert (report["mode"], report["policy"]["organisation"]) == ("enforce", "policies/gate.yml")
