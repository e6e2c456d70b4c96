"""The action's own steps, run for real against a local GitHub and a local git server."""

import gzip
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gatecli.reports.markdown import MARKER
from gatecli.reports.workflows import Workflow, render
from tests.conftest import GitRepo
from tests.github.action import ACTION, Job, Result
from tests.github.fake import BOT, SLUG, TOKEN, FakeGitHub, Request, commit, pull_request, review
from tests.github.test_artifact import archive
from tests.reports.payloads import PAYLOADS

README = Path(__file__).resolve().parents[2] / "README.md"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the steps run under bash")

SAFE = "async def price(items):\n    return sum(items)\n"
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

SLOWER = "import time\n\n\nasync def price(items):\n    time.sleep(1)\n    return sum(items)\n"


@pytest.fixture
def remote(make_repo: Callable[..., GitRepo]) -> GitRepo:
    """The repository on the server, with one function on main."""
    repo = make_repo(f"server/{SLUG}")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")  # as GitHub allows it
    repo.commit({"shop/pricing.py": SAFE, "README.md": "shop\n"})
    return repo


@pytest.fixture
def propose(remote: GitRepo, fake: FakeGitHub, tmp_path: Path) -> Callable[..., Job]:
    """Push a branch, open pull request 1204 of it, and start a job for it."""

    def call(
        files: dict[str, str | bytes | None],
        *,
        branch: str = "topic",
        message: str = "change",
        inputs: dict[str, str] | None = None,
        **more: Any,
    ) -> Job:
        base = remote.head()
        remote.git("checkout", "-q", "-b", branch)
        head = remote.commit(files, message)
        remote.git("checkout", "-q", "main")
        repository = {"full_name": SLUG, "default_branch": "main"}
        pull = pull_request(
            head={"sha": head, "ref": branch, "repo": repository},
            base={"sha": base, "ref": "main", "repo": repository},
            **more,
        )
        fake.pulls[1204] = pull
        fake.commits[1204] = [commit(head)]
        names = remote.git("diff", "--name-only", "-z", base, head).split("\0")
        fake.files[1204] = [{"filename": name} for name in names if name]
        event = {"action": "opened", "pull_request": json.loads(json.dumps(pull))}
        job = Job(tmp_path / "runner", tmp_path / "server", fake, event, inputs or {})
        job.install()
        return job

    return call


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


def statuses(fake: FakeGitHub) -> list[tuple[str, str]]:
    return [(one["state"], one["description"]) for one in reversed(fake.statuses)]


def ended(job: Job, code: int) -> Result:
    """Run it; whatever happens, the token is nowhere and the runner is given no command but annotations."""
    result = job.run()
    shown = result.log + result.errors + result.summary
    assert result.code == code, shown
    assert TOKEN not in shown
    assert "Traceback" not in shown
    assert result.commands <= {"error", "warning", "notice"}
    assert not list(job.home.rglob("pwned"))
    return result


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


def test_a_read_only_token_judges_and_writes_nothing(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    fake.allowed = set()
    job = propose({"shop/pricing.py": SLOWER}, inputs={"request-reviewers": "true", "label": "true"})
    result = ended(job, 3)
    assert (fake.statuses, fake.comments, fake.pulls[1204]["labels"]) == ([], [], [])
    for feature, permission in (("status", "statuses"), ("comment", "pull-requests"), ("label", "pull-requests")):
        assert f"gate: {feature}: not written, the token needs `{permission}: write" in result.errors
    assert (result.outputs["outcome"], "warning" in result.commands) == ("review", True)
    assert result.summary.startswith(MARKER)


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


def test_an_api_that_is_down_leaves_the_verdict_and_is_no_pass(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"})
    fake.trouble("/", status=502, times=999)
    result = ended(job, 4)
    assert result.outputs["outcome"] == "pass"
    assert "going by the event instead" in result.errors
    assert "::warning::gate cannot read the reviews" in result.log
    assert fake.statuses == []


def test_a_head_that_is_gone_turns_an_earlier_green_off(
    propose: Callable[..., Job], fake: FakeGitHub, remote: GitRepo
) -> None:
    job = propose({"README.md": "a\n"})
    fake.pulls[1204]["head"]["sha"] = "d" * 40
    fake.status("#1204 pass: risk 0", sha="d" * 40)
    result = ended(job, 4)
    assert (result.outputs["verdict"], result.outputs["outcome"], result.outputs["score"]) == ("error", "error", "")
    assert result.outputs["json-file"] == ""
    assert statuses(fake)[-1] == ("error", "#1204 error: gate could not judge this change, the log says why")
    assert "could not be judged" in result.summary
    assert "::error::gate cannot fetch what it is to judge" in result.log


def test_a_branch_that_was_deleted_is_judged_by_its_commit(
    propose: Callable[..., Job], fake: FakeGitHub, remote: GitRepo
) -> None:
    job = propose({"README.md": "a\n"})
    remote.git("branch", "-D", "topic")
    assert ended(job, 0).outputs["outcome"] == "pass"
    assert [one["state"] for one in fake.statuses] == ["success"]


def test_a_branch_that_is_deleted_and_swept_away_is_an_error(
    propose: Callable[..., Job], fake: FakeGitHub, remote: GitRepo
) -> None:
    job = propose({"README.md": "a\n"})
    remote.git("branch", "-D", "topic")
    head = fake.pulls[1204]["head"]["sha"]
    (remote.path / ".git" / "objects" / head[:2] / head[2:]).unlink()
    result = ended(job, 4)
    assert (
        "::error::gate cannot fetch what it is to judge: was the branch deleted or pushed over meanwhile?" in result.log
    )
    assert [one["state"] for one in fake.statuses] == ["error"]


def test_a_force_push_while_it_is_judged_gets_no_status(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"})

    def push(request: Request) -> None:
        if "/reviews" in request.path:
            fake.pulls[1204]["head"]["sha"] = "d" * 40

    fake.before = push
    result = ended(job, 0)
    assert result.outputs["outcome"] == "pass"
    assert "nothing is written: the head of #1204 is ddddddd by now" in result.errors
    assert fake.statuses == []


def test_a_pull_request_of_more_files_than_github_lists(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    """GitHub lists 3,000 files; those beyond are judged as well."""
    job = propose({f"docs/page-{number:04}.md": "A page\n" for number in range(3_050)} | {"zzz/last.py": SLOWER})
    fake.files[1204] = fake.files[1204][:3_000]
    result = ended(job, 3)
    report = json.loads(Path(result.outputs["json-file"]).read_text())
    assert len(report["change"]["files"]) == 3_051
    assert "price" in [one["qualname"] for one in report["functions"]]
    assert [one["state"] for one in fake.statuses] == ["pending"]
    assert len(fake.comments[0]["body"]) < 65_536


def test_an_expired_token_is_no_pass(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"})
    fake.tokens = ("another",)
    result = ended(job, 4)
    assert result.outputs["outcome"] == "pass"
    assert "expired" in result.errors
    assert (fake.statuses, fake.comments) == ([], [])


def test_without_a_token_it_is_judged_and_nothing_is_written(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"}, inputs={"token": ""})
    result = job.run()
    assert result.outputs["outcome"] == "pass", result.errors
    assert "gate: nothing is written: there is no token" in result.errors
    assert (fake.statuses, fake.comments) == ([], [])


def test_a_profile_that_is_missing_is_no_pass(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"}, inputs={"profile": "nowhere.json.gz"})
    result = ended(job, 2)
    assert "no profile at nowhere.json.gz" in result.errors
    assert [one["state"] for one in fake.statuses] == ["error"]


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


def test_a_run_about_no_pull_request(propose: Callable[..., Job], fake: FakeGitHub) -> None:
    job = propose({"README.md": "a\n"})
    job.event = {"ref": "refs/heads/main"}
    assert "about no pull request" in ended(job, 2).errors
    job.inputs = {"pull-request": "1204"}
    assert ended(job, 0).outputs["outcome"] == "pass"


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


def test_the_policy_of_an_organisation_that_is_missing_is_no_pass(
    propose: Callable[..., Job], fake: FakeGitHub
) -> None:
    ended(propose({"README.md": "a\n"}, inputs={"organisation": "policies/gate.yml"}), 2)
    assert [state for state, _ in statuses(fake)][-1] == "error"


# --------------------------------------------------------------------------- hostile input

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
