"""Settings by name: what counts as a change, and how code may spell a name."""

import pytest

from gatecli.rules.checks.settings import compared, spellings


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("10", "60", "raises {} from 10 to 60"),
        ("30s", "3s", "lowers {} from 30s to 3s"),
        ('"512Mi"', '"1Gi"', 'raises {} from "512Mi" to "1Gi"'),
        ("60s", "1m", ""),
        ("1m", "90s", ""),
        ("10", "0", "lowers {} from 10 to 0"),
        ("10", "15", ""),
        ("-1", "10", ""),
        ("10", "ten", ""),
        ("10 parsecs", "90 parsecs", ""),
        ("", "", ""),
    ],
)
def test_compared(old: str, new: str, expected: str) -> None:
    assert compared(old, new) == expected


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("PAYMENT_TIMEOUT", {"PAYMENT_TIMEOUT", "payment_timeout"}),
        (
            "payments.timeoutSeconds",
            {
                "timeoutSeconds",
                "timeout_seconds",
                "TIMEOUT_SECONDS",
                "payments_timeout_seconds",
                "PAYMENTS_TIMEOUT_SECONDS",
            },
        ),
        ("replicas", set()),
        ("web.replicas", {"web_replicas", "WEB_REPLICAS"}),
        ("the pool_size of create_engine", set()),
        ("", set()),
    ],
)
def test_spellings(path: str, words: set[str]) -> None:
    assert spellings(path) == words
