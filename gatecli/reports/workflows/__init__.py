"""The workflows that a repository takes: one file each beside this one, which docs/github.md shows as they are."""

from enum import StrEnum
from importlib import resources

_OWNER = "OWNER/gate"
_COMMIT = "COMMIT"
_SERVER = "https://github.com/"


class Workflow(StrEnum):
    """Which workflow, by the name of its file."""

    PULL_REQUEST = "pull-request"
    CODE_SCANNING = "code-scanning"
    FORKS = "forks"
    AGAIN = "again"
    PROFILE = "profile"


FILES = {
    Workflow.PULL_REQUEST: "gate.yml",
    Workflow.CODE_SCANNING: "gate.yml",
    Workflow.FORKS: "gate-forks.yml",
    Workflow.AGAIN: "gate-again.yml",
    Workflow.PROFILE: "gate-profile.yml",
}
"""Where each belongs under ``.github/workflows``; the first two are one workflow, with and without code scanning."""


def template(workflow: Workflow) -> str:
    """The workflow with ``OWNER/gate@COMMIT`` in place of the action."""
    return (resources.files(__name__) / f"{workflow.value}.yml").read_text(encoding="utf-8")


def render(workflow: Workflow, *, server: str, repository: str, commit: str) -> str:
    """The workflow, ready to be written: the action is ``repository`` at ``commit``, a full hash, on ``server``."""
    pinned = template(workflow).replace(f"{_SERVER}{_OWNER}", f"{server}/{_OWNER}")
    return pinned.replace(f"{_OWNER}@{_COMMIT}", f"{repository}@{commit}")
