"""What the attacks on sign-off have in common: how they are tried, and that they are refused with a reason."""

import json

from gatecli.errors import EXIT_PASS
from gatecli.model import Decision
from gatecli.policy.approvals import signed
from gatecli.sources import notes
from gatecli.sources.git import Repository
from tests.policy.shop import (
    Shop,
)  # fmt: skip

REF = "refs/notes/gate-approvals"


def refused(shop: Shop, because: str, *, by: str | None = None, range: str = "main...HEAD", **more) -> None:
    """The change does not pass, and the attempt is listed with the reason."""
    report, said = shop.judged(range, **more)
    assert report.verdict.decision is not Decision.PASS
    assert report.verdict.outcome is not Decision.PASS
    assert report.exit_code != EXIT_PASS
    assert said.approvals == ()
    found = [(one.by, one.reason) for one in said.dismissed]
    assert any(because in reason and by in (None, who) for who, reason in found), found


def rewrite(shop: Shop, change) -> None:
    """Replace the text of every note."""
    for row in shop.repo.git("notes", "--ref=gate-approvals", "list").split("\n"):
        if row:
            blob, name = row.split()
            text = change(shop.repo.git("cat-file", "blob", blob))
            file = shop.folder / "note"
            file.write_text(text)
            shop.repo.git("notes", "--ref=gate-approvals", "add", "--force", f"--file={file}", name)


def hang(shop: Shop, line: str) -> None:
    """Put a line of a note where gate looks for it."""
    repository = Repository.open(shop.repo.path)
    change = shop.judge().case.change
    text = signed.anchor_text(change.digest)
    from gatecli.model import Person

    name = notes.anchor(text, like=change.head)
    notes.append_note(repository, REF, name, line, by=Person(name="m", email="m@x.example"), anchor_text=text)


def github(shop: Shop, *reviews: dict, **more) -> bytes:
    head = shop.repo.head()
    people = ("ravi", "tom", "dana-codes", "mallory")
    return json.dumps({
        "pull_request": {"number": 7, "user": {"login": "dana-codes", "type": "User"}, "head": {"sha": head}},
        "reviews": [
            {"user": {"login": "ravi", "type": "User"}, "state": "APPROVED", "commit_id": head,
             "submitted_at": "2026-01-02T10:00:00Z", "author_association": "MEMBER"} | one
            for one in reviews
        ],
        "commits": [],
        "collaborators": [{"login": login, "permissions": {"push": True}} for login in people],
        **more,
    }).encode()  # fmt: skip


def pull(shop: Shop, number: int, login: str, **more) -> dict:
    """Another open pull request of the head."""
    return {
        "number": number,
        "state": "open",
        "user": {"login": login, "type": "User"},
        "head": {"sha": shop.repo.head(), "ref": "x"},
        **more,
    }
