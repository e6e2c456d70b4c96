"""Which repository and commit this gate is from, as a workflow can name them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gatecli.errors import UsageError
from gatecli.sources import installation
from gatecli.sources.installation import Action, from_direct_url, named
from tests.conftest import GitRepo

HASH = "0123456789abcdef0123456789abcdef01234567"


def record(url: str, **more: object) -> str:
    return json.dumps({"url": url, **more})


def from_git(url: str) -> str:
    return record(url, vcs_info={"vcs": "git", "requested_revision": "v1", "commit_id": HASH})


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/gate",
        "https://github.com/acme/gate.git",
        "https://somebody:secret@github.com/acme/gate.git",
        "ssh://git@github.com/acme/gate.git",
        "git@github.com:acme/gate.git",
    ],
)
def test_pip_s_record_of_a_git_install_names_both(url: str) -> None:
    assert from_direct_url(from_git(url)) == Action(server="https://github.com", repository="acme/gate", commit=HASH)


def test_an_enterprise_server_is_the_one_that_was_said() -> None:
    server = "https://github.acme.example"
    assert from_direct_url(from_git(f"{server}/tools/gate"), server=server).repository == "tools/gate"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "pip did not write it down"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("{}", "cannot be read"),
        (record("https://github.com/acme/gate", vcs_info=[]), "cannot be read"),
        (record("https://files.example/gate.tar.gz", archive_info={}), "installed from an archive"),
        (from_git("https://gitlab.com/acme/gate"), "from gitlab.com, which is not github.com"),
        (from_git("https://github.com/acme/gate; touch x"), "which is not github.com"),
        (record("file:///nowhere/at/all", dir_info={}), "no checkout of it any more"),
    ],
)
def test_where_it_cannot_know_it_says_so_and_asks(text: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        from_direct_url(text)
    assert "--action OWNER/REPO@COMMIT" in raised.value.hint


@pytest.fixture
def checkout(make_repo: Callable[..., GitRepo]) -> GitRepo:
    """A checkout of the action with a remote that has its commit."""
    repo = make_repo("my gate")
    repo.commit({"action.yml": "name: gate\n"}, "first")
    repo.git("remote", "add", "origin", "git@github.com:acme/gate.git")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    return repo


def test_a_checkout_has_its_remote_and_its_commit(checkout: GitRepo) -> None:
    found = from_direct_url(record(checkout.path.as_uri(), dir_info={"editable": True}))
    assert found == Action(server="https://github.com", repository="acme/gate", commit=checkout.head())


def test_what_is_not_pushed_and_what_is_not_committed_is_said(checkout: GitRepo) -> None:
    head = checkout.commit({"action.yml": "name: mine\n"}, "mine")
    checkout.write("action.yml", "name: other\n")
    found = from_direct_url(record(checkout.path.as_uri()))
    assert found.commit == head
    assert [doubt.partition(":")[0].partition(", which")[0] for doubt in found.doubts] == [
        f"{head[:12]} is on no branch of acme/gate that {checkout.path} knows",
        f"{checkout.path} has uncommitted changes",
    ]


def test_a_folder_inside_another_repository_is_not_the_action(make_repo: Callable[..., GitRepo]) -> None:
    """Its remote and its commits are somebody else's."""
    repo = make_repo("monorepo")
    repo.commit({"tools/gate/action.yml": "name: gate\n"}, "first")
    repo.git("remote", "add", "origin", "https://github.com/acme/monorepo")
    with pytest.raises(UsageError, match="no checkout of the action"):
        from_direct_url(record((repo.path / "tools" / "gate").as_uri()))


def test_a_checkout_without_a_remote_is_not_known(make_repo: Callable[..., GitRepo]) -> None:
    repo = make_repo()
    repo.commit({"action.yml": "name: gate\n"}, "first")
    with pytest.raises(UsageError, match="no remote named origin"):
        from_direct_url(record(repo.path.as_uri()))


def test_the_distribution_that_runs_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Distribution:
        def read_text(self, name: str) -> str | None:
            return from_git("https://github.com/acme/gate") if name == "direct_url.json" else None

    monkeypatch.setattr(installation.importlib.metadata, "distribution", lambda name: Distribution())
    assert installation.installed().commit == HASH


@pytest.mark.parametrize(
    "text",
    ["", "acme", f"@{HASH}", f"acme@{HASH}", f"acme/gate/x@{HASH}", f"acme/ga te@{HASH}", f"${{{{x}}}}/a@{HASH}"],
)
def test_what_names_no_repository_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no repository"):
        named(text)


@pytest.mark.parametrize("commit", ["", "v1", "main", HASH[:12], HASH.upper(), HASH + "0", f"{HASH}\n"])
def test_what_can_be_moved_is_refused(commit: str) -> None:
    with pytest.raises(UsageError, match="no commit by its full hash"):
        named(f"acme/gate@{commit}")


def test_a_folder_s_name_may_have_anything_in_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no checkout"):
        from_direct_url(record((tmp_path / "ä b%20c").as_uri()))
