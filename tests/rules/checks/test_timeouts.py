import pytest

from tests.rules.support import messages


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("get(u, timeout=10)", "get(u, timeout=30)", ["raises the timeout of get from 10 to 30"]),
        ("get(u, timeout=10)", "get(u, timeout=29)", []),
        ("get(u, timeout=30)", "get(u, timeout=10)", ["lowers the timeout of get from 30 to 10"]),
        ("get(u, timeout=60 * 5)", "get(u, timeout=60)", ["lowers the timeout of get from 300 to 60"]),
        ("get(u, timeout=10)", "get(u, timeout=None)", ["no longer bounds the timeout of get (was 10)"]),
        ("get(u, timeout=10)", "get(u, timeout=LIMIT)", []),
        ("get(u, timeout=10)", "get(u)", ["no longer gives get a timeout (was 10)"]),
        ("get(u, read_timeout=T)", "get(u)", ["no longer gives get a read_timeout (was T)"]),
        ("get(u, timeout=10)", "get(u, 10)", []),  # by position now
        ("get(u, timeout=10)", "get(u, **options)", []),
        ("get(u, timeout=10)", "post(u)", []),
        ("get(u, timeout=10)\n    get(v)", "get(v)", []),  # the call went, the other had none before
        ("get(u, timeout=1)\n    get(v, timeout=9)", "get(v, timeout=9)\n    get(u, timeout=1)", []),
        ("cache.set(u, timeout=10)", "cache.set(u)", []),
        ("get(u, session_timeout=10)", "get(u, session_timeout=100)", []),
        ("go(u)", "requests.get(u)", ["now calls requests.get without a timeout"]),
        ("go(u)", "requests.get(u, **o)", []),
        ("go(u)", "urlopen(u, None)", ["now calls urlopen without a timeout"]),
        ("go(u)", "urlopen(u, None, 5)", []),
        ("go(u)", "socket.create_connection(u, 5)", []),
        ("go(u)", "httpx.get(u)", []),  # it has a default
        ("requests.get(u)", "requests.get(v)", []),
        ("d = {'timeout': 5}", "d = {'timeout': 50}", ["raises timeout from 5 to 50"]),
    ],
)
def test_in_a_function(before: str, after: str, expected: list[str]) -> None:
    found = messages("timeout-changed", f"def f(u, v, o):\n    {before}\n", f"def f(u, v, o):\n    {after}\n")
    assert found == [f"orders.f {says}" for says in expected]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("HTTP_TIMEOUT = 10\n", "HTTP_TIMEOUT = 1\n", ["shop/orders.py lowers HTTP_TIMEOUT from 10 to 1"]),
        ("HTTP_TIMEOUT = 10\n", "HTTP_TIMEOUT = None\n", ["shop/orders.py no longer bounds HTTP_TIMEOUT (was 10)"]),
        ("HTTP_TIMEOUT = 10\n", "", []),
        ("CACHE_TIMEOUT = 10\n", "CACHE_TIMEOUT = 1000\n", []),
        ("def f(timeout=10): go()\n", "def f(timeout=99): go()\n", ["orders.f raises timeout from 10 to 99"]),
        ("class A:\n    timeout = 1.5\n", "class A:\n    timeout = 15\n", ["orders.A raises timeout from 1.5 to 15"]),
    ],
)
def test_settings(before: str, after: str, expected: list[str]) -> None:
    assert messages("timeout-changed", before, after) == expected
