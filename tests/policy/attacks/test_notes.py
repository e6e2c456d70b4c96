"""Attacks on the notes that hold approvals. None may end in a pass."""

import json

import pytest

from gatecli.model import Decision
from tests.policy.attacks.attempts import REF, hang, refused, rewrite
from tests.policy.shop import (
    RAVI,
    TOM,
    Shop,
    needs_ssh,
    shop,
)  # fmt: skip

__all__ = ["shop"]
pytestmark = needs_ssh


def edited(line: str, **more) -> str:
    entry = json.loads(line)
    statement = json.loads(entry["statement"]) | more
    return json.dumps(entry | {"statement": json.dumps(statement)})


@pytest.mark.parametrize("more", [{"by": TOM}, {"at": 1}, {"digest": "0" * 64}, {"acknowledged": ["f" * 32]}])
def test_an_edited_note(shop: Shop, more):
    shop.start()
    shop.approve(RAVI)
    rewrite(shop, lambda text: "\n".join(edited(line, **more) for line in text.splitlines() if line))
    refused(shop, "")


def test_an_objection_edited_into_an_approval(shop: Shop):
    shop.start()
    shop.approve(RAVI, "--verdict", "object")
    rewrite(shop, lambda text: "\n".join(edited(line, verdict="approve") for line in text.splitlines() if line))
    refused(shop, "one of them was edited", by=RAVI)


def test_a_deleted_note(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    assert shop.judge().verdict.outcome is Decision.PASS
    shop.repo.git("update-ref", "-d", REF)
    assert shop.judge().verdict.outcome is not Decision.PASS
    assert shop.said().approvals == ()


@pytest.mark.parametrize(
    "text",
    [
        "approved by ravi", "{}", "[]", '{"statement": 3, "signature": 4}', '{"statement": "{}", "signature": ""}',
        "[" * 10_000, '{"statement": "' + "[" * 5_000 + '", "signature": "x"}', "\x00\xff",
    ],
)  # fmt: skip
def test_a_note_that_is_none(shop: Shop, text):
    shop.start()
    hang(shop, text)
    refused(shop, "it was edited, or is not gate's", by="a note")


def test_hundreds_of_notes_are_bounded_and_said(shop: Shop, monkeypatch):
    monkeypatch.setattr("gatecli.policy.approvals.signed.MAX_SIGNED", 2)
    shop.start()
    hang(shop, "\n".join(f'{{"junk": {number}}}' for number in range(50)))
    refused(shop, "more signed notes: the first 2 were read")
