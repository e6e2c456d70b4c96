"""Attacks on the keys that may sign. None may end in a pass."""

import json

import pytest

from gatecli.model import Decision
from tests.policy.attacks.attempts import REF, hang, refused
from tests.policy.shop import (
    RAVI,
    TOM,
    Shop,
    needs_ssh,
    shop,
)  # fmt: skip

__all__ = ["shop"]
pytestmark = needs_ssh


@pytest.mark.parametrize(
    ("options", "because"),
    [
        ('namespaces="gate-approval",valid-before="20200101"', "no longer valid"),
        ('namespaces="gate-approval",valid-after="20990101"', "not yet valid"),
        ('namespaces="git"', "not listed for gate-approval"),
    ],
)
def test_expired_early_and_wrong_namespace_keys(shop: Shop, options, because):
    shop.start(signers=shop.signers(f"{RAVI} {options} {shop.public(RAVI)}"))
    shop.approve(RAVI)
    refused(shop, because, by=RAVI)


def test_a_signature_that_outlives_its_key(shop: Shop):
    shop.start(signers=shop.signers(f'{RAVI} valid-before="20990101" {shop.public(RAVI)}'))
    shop.approve(RAVI)
    assert shop.judge().verdict.outcome is Decision.PASS
    refused(shop, "no longer valid", by=RAVI, now=4_100_000_000)


def test_a_key_that_was_revoked_since_on_the_base(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    assert shop.judge().verdict.outcome is Decision.PASS
    shop.on_main({".gate/revoked_keys": shop.key(RAVI).with_suffix(".pub").read_text()})
    refused(shop, "a key that was revoked", by=RAVI)


def test_a_key_that_was_taken_off_the_list_since(shop: Shop):
    shop.start()
    shop.approve(RAVI)
    shop.on_main({".gate/allowed_signers": shop.signers(f"{TOM} {shop.public(TOM)}")})
    refused(shop, "no key of ravi@shop.example", by=RAVI)


def test_no_keys_are_listed(shop: Shop):
    shop.start(signers="")
    shop.approve(RAVI)
    refused(shop, "lists no keys", by=RAVI)


def test_a_commit_signature_is_no_approval(shop: Shop):
    """The same key, the same bytes, another namespace: what git signs with."""
    import subprocess

    shop.start()
    shop.approve(RAVI)
    statement = shop.lines()[0]["statement"]
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", str(shop.key(RAVI))]
    made = subprocess.run(command, input=statement.encode(), capture_output=True, check=True)
    shop.repo.git("update-ref", "-d", REF)
    hang(shop, json.dumps({"statement": statement, "signature": made.stdout.decode()}))
    refused(shop, "", by=RAVI)
