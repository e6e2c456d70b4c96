"""Attacks on provenance: a sign of the agent, or an author, put where nobody reads. None may end in a pass."""

import pytest

from gatecli.errors import EXIT_INCOMPLETE
from gatecli.model import Decision
from tests.policy.shop import BY_DANA, EDITED, POLICY, RAVI, Shop, needs_ssh, shop

__all__ = ["shop"]
pytestmark = needs_ssh

CLAUDE = "Co-authored-by: Claude <noreply@anthropic.com>"
CROWD = "".join(f"Co-authored-by: P{number} <p{number}@x.example>\n" for number in range(150))


def instead(shop: Shop, message: str) -> None:
    """The agent's change again, with another message."""
    shop.repo.git("reset", "--quiet", "--hard", "main")
    file = shop.folder / "message"
    file.write_text(message)
    shop.repo.write("shop/pricing.py", EDITED)
    shop.repo.git("commit", "--quiet", "--all", f"--file={file}", env=BY_DANA)


def is_incomplete(shop: Shop, because: str) -> None:
    report = shop.judge()
    assert report.exit_code == EXIT_INCOMPLETE
    assert any(because in text for text in report.verdict.incomplete), report.verdict.incomplete


@pytest.fixture
def few_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if three commits were a thousand."""
    for module in ("git", "changes"):
        monkeypatch.setattr(f"gatecli.sources.{module}.MAX_REVISIONS", 3)


def test_behind_more_commits_than_are_read(shop: Shop, few_commits: None):
    shop.start()
    for number in range(3):
        shop.change({"README.md": f"{number}\n"}, "Say more")
    is_incomplete(shop, "only the newest 3 commits were read")


def test_an_author_behind_more_commits_than_are_read_approves(shop: Shop, few_commits: None):
    shop.start()
    shop.repo.commit(
        {"shop/tax.py": "def tax(total):\n    return total / 4\n"}, "By Ravi", env={"GIT_AUTHOR_EMAIL": RAVI}
    )
    for number in range(3):
        shop.change({"README.md": f"{number}\n"})
    shop.approve(RAVI, risks=True)
    is_incomplete(shop, "only the newest 3 commits were read")


def test_behind_a_crowd_of_co_authors(shop: Shop):
    shop.start()
    instead(shop, f"Round\n\n{CROWD}{CLAUDE}\n")
    is_incomplete(shop, "co-authors")


def test_in_the_middle_of_an_endless_message(shop: Shop):
    shop.start()
    instead(shop, "Round\n\n" + "x" * 40_000 + f"\n\n{CLAUDE}\n\n" + "y\n" * 40_000)
    is_incomplete(shop, "too long")


def test_behind_a_stronger_sign_of_an_agent_that_a_senior_prompted(shop: Shop):
    """Cherry-picked, the senior's commit keeps its author; what the author prompted herself counts all the same."""
    shop.start(policy=f"{POLICY}provenance: {{assisted: treat_as_ai}}\n")
    instead(shop, "Round\n\nGenerated with Claude Code\n")
    by_ravi = {**BY_DANA, "GIT_AUTHOR_NAME": "Ravi", "GIT_AUTHOR_EMAIL": RAVI}
    shop.repo.commit({"README.md": "a shop\n"}, f"Say what it is\n\n{CLAUDE}", env=by_ravi)
    refused_by_class(shop)


def test_behind_an_agent_as_author_who_names_a_senior(shop: Shop):
    shop.start()
    shop.repo.git("reset", "--quiet", "--hard", "main")
    by_claude = {**BY_DANA, "GIT_AUTHOR_NAME": "Claude", "GIT_AUTHOR_EMAIL": "noreply@anthropic.com"}
    shop.repo.commit({"shop/pricing.py": EDITED}, f"Round\n\nCo-authored-by: Ravi <{RAVI}>", env=by_claude)
    refused_by_class(shop)


@pytest.mark.parametrize("ending", ["\r\n", "\n\nChange-Id: I0\n", "\n \n-- \nDana\n"])
def test_in_a_paragraph_that_git_takes_for_no_trailers(shop: Shop, ending):
    shop.start()
    instead(shop, f"Round\n\n{CLAUDE}{ending}")
    refused_by_class(shop)


def refused_by_class(shop: Shop) -> None:
    report = shop.judge()
    assert [one.name for one in report.signoff.requirements] == ["senior signs the AI-written change"]
    assert report.verdict.outcome is Decision.REVIEW
