"""Attacks on the place an approval is for: replays from another one. None may end in a pass."""

import json

import pytest

from gatecli.errors import EXIT_REVIEW, EXIT_USAGE
from tests.policy.attacks.attempts import github, hang, refused
from tests.policy.shop import (
    RAVI,
    Shop,
    needs_ssh,
    shop,
)  # fmt: skip

__all__ = ["shop"]
pytestmark = needs_ssh


def replayed(shop: Shop, into: Shop) -> None:
    for line in shop.lines():
        hang(into, json.dumps(line))


@pytest.mark.parametrize("kind", ["tag", "branch"])
def test_something_else_is_called_as_the_base(shop: Shop, capsys, kind):
    """git takes a tag before a branch, and a branch before a remote's: measured from itself the change is empty."""
    shop.start()
    shop.repo.git("update-ref", "refs/remotes/origin/main", "main")
    shop.repo.git("tag", "main") if kind == "tag" else shop.repo.git("branch", "origin/main")
    base = "main" if kind == "tag" else "origin/main"
    for range in (f"{base}...HEAD", base, f"{base}~0..HEAD"):
        assert shop.check(range=range) == EXIT_USAGE
        assert f"{base}" in capsys.readouterr().err
    assert shop.check(range="refs/heads/main...HEAD") == EXIT_REVIEW
    assert shop.check(range="refs/remotes/origin/main...HEAD") == EXIT_REVIEW


def test_a_commit_id_and_head_are_what_they_are_whatever_is_called_so(shop: Shop):
    head = shop.start()
    shop.repo.git("update-ref", f"refs/tags/{head}", "main")
    shop.repo.git("update-ref", "refs/tags/HEAD", "main")
    shop.repo.git("update-ref", "refs/tags/refs/heads/main", "HEAD")
    for range in (f"main...{head}", "main...HEAD", "refs/heads/main...HEAD"):
        assert shop.check(range=range) == EXIT_REVIEW


def test_replay_from_another_repository(shop: Shop, make_repo):
    shop.start()
    shop.approve(RAVI)
    other = Shop(make_repo("other"), shop.folder, shop.keys)
    other.repo.commit({"README.md": "another history\n"}, "Other")
    other.start()
    assert other.judge().case.change.digest == shop.judge().case.change.digest
    replayed(shop, other)
    refused(other, "which is no commit of the base", by=RAVI)


def test_replay_from_a_fork_with_the_same_history(shop: Shop):
    shop.start()
    shop.repo.git("remote", "add", "origin", "git@github.com:mallory/shop.git")
    shop.approve(RAVI)
    shop.repo.git("remote", "set-url", "origin", "https://github.com/acme/shop")
    refused(shop, "signed for the repository mallory/shop", by=RAVI)


def test_replay_from_another_branch(shop: Shop):
    shop.start()
    shop.repo.git("branch", "release", "main")
    shop.approve(RAVI, range="release...HEAD")
    refused(shop, "signed for a merge into release, not into main", by=RAVI)


def test_replay_from_a_branch_whose_base_this_one_lacks(shop: Shop):
    shop.start()
    shop.repo.git("branch", "next", "main")
    shop.repo.git("switch", "--quiet", "next")
    shop.repo.commit({"next.py": "X = 1\n"}, "Next")
    shop.repo.git("switch", "--quiet", "dana/round")
    shop.approve(RAVI, range=f"{shop.repo.git('rev-parse', 'next').strip()}...HEAD")
    refused(shop, "which is no commit of the base", by=RAVI)


def test_replay_from_another_pull_request(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    lines = shop.lines()
    shop.repo.git("switch", "--quiet", "--create", "dana/other", "main")
    shop.change({"shop/tax.py": "def tax(total):\n    return total / 50\n"})
    for line in lines:
        hang(shop, json.dumps(line))
    refused(shop, "not", by=RAVI)
    other = json.loads(github(shop, {}))
    other["pull_request"]["head"]["sha"] = "b" * 40
    refused(shop, "given on a pull request whose head is bbbbbbbbbbbb", by="ravi", approvals=json.dumps(other).encode())
