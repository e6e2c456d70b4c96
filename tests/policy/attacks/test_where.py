"""Attacks on the place an approval is for: replays from another one. None may end in a pass."""

import json

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
