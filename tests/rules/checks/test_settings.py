"""Settings by name: what counts as a change."""

import pytest

from gatecli.rules.checks.settings import compared


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
