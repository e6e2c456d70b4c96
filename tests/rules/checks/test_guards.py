"""What counts as losing protection, and what only looks like it."""

import pytest

from tests.rules.support import messages

TRY = """\
def zone(address):
    try:
        place = geo.lookup(address)
    except GeoError:
        return None
    return place
"""


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (
            "def zone(address):\n    place = geo.lookup(address)\n    return place\n",
            ["orders.zone no longer handles failures of geo.lookup (was `except GeoError`)"],
        ),
        # finally alone handles nothing.
        (
            "def zone(address):\n    try:\n        return geo.lookup(address)\n    finally:\n        done()\n",
            ["orders.zone no longer handles failures of geo.lookup (was `except GeoError`)"],
        ),
        # Another handler in its place.
        (
            "def zone(address):\n    try:\n        return geo.lookup(address)\n    except OSError:\n        return 1\n",
            [],
        ),
        ("def zone(address):\n    with suppress(GeoError):\n        return geo.lookup(address)\n", []),
        ("def zone(address):\n    return address.zone\n", []),
        ("def other():\n    return 1\n", []),
    ],
)
def test_try(after: str, expected: list[str]) -> None:
    assert messages("try-removed", TRY, after) == expected


def test_one_of_two_tries() -> None:
    before = TRY + "\n" + TRY.replace("zone", "area").replace("lookup", "measure")
    after = TRY + "\n\ndef area(address):\n    place = geo.measure(address)\n    return place\n"
    assert messages("try-removed", before, after) == [
        "orders.area no longer handles failures of geo.measure (was `except GeoError`)"
    ]


def test_the_inner_try_stays() -> None:
    before = (
        "def f(r):\n    try:\n        a = r.get('x')\n        try:\n            b = r.get('y')\n"
        "        except KeyError:\n            b = 0\n    except OSError:\n        return 1\n    return a, b\n"
    )
    after = (
        "def f(r):\n    a = r.get('x')\n    try:\n        b = r.get('y')\n    except KeyError:\n        b = 0\n"
        "    return a, b\n"
    )
    assert messages("try-removed", before, after) == [
        "orders.f no longer handles failures of r.get (was `except OSError`)"
    ]


@pytest.mark.parametrize(
    "harmless", ["logger.info('x')", "print(1)", "int(address)", "ValueError(address)", "x.append(1)"]
)
def test_what_nobody_guards_on_purpose(harmless: str) -> None:
    before = f"def f(address, x):\n    try:\n        {harmless}\n    except Exception:\n        pass\n"
    assert messages("try-removed", before, f"def f(address, x):\n    {harmless}\n") == []


@pytest.mark.parametrize(
    ("guard", "flagged"),
    [
        ("with transaction.atomic():", True),
        ("with traced_atomic_transaction():", True),
        ("async with session.begin():", True),
        ("with self._lock:", True),
        ("with self.lock_for(order):", False),  # a name that only contains it
        ("with redis.lock('x'):", True),
        ("with unlock():", False),
        ("with block:", False),
        ("with start_transaction(op='trace'):", False),  # tracing
        ("with open(path) as file:", False),
        ("with a, transaction.atomic() as b:", True),
    ],
)
def test_transactions_and_locks(guard: str, flagged: bool) -> None:
    before = f"async def place(order):\n    {guard}\n        charge(order)\n        order.total = 1\n"
    after = "async def place(order):\n    charge(order)\n    order.total = 1\n"
    assert bool(messages("transaction-removed", before, after)) is flagged


@pytest.mark.parametrize(
    ("decorator", "flagged"),
    [
        ("@retry", True),
        ("@retry(stop=stop_after_attempt(3))", True),
        ("@tenacity.retry(wait=w)", True),
        ("@backoff.on_exception(backoff.expo, E)", True),
        ("@lru_cache", False),
        ("@entry", False),
    ],
)
def test_retry_decorators(decorator: str, flagged: bool) -> None:
    before, after = f"{decorator}\ndef f(x):\n    return send(x)\n", "def f(x):\n    return send(x)\n"
    assert bool(messages("retry-removed", before, after)) is flagged


@pytest.mark.parametrize(
    ("was", "now", "flagged"), [(5, 1, True), (3, 2, False), (4, 2, True), (3, 0, True), (1, 0, True), (2, 5, False)]
)
def test_attempts(was: int, now: int, flagged: bool) -> None:
    found = messages("retry-removed", f"MAX_ATTEMPTS = {was}\n", f"MAX_ATTEMPTS = {now}\n")
    assert found == ([f"shop/orders.py lowers MAX_ATTEMPTS from {was} to {now}"] if flagged else [])


@pytest.mark.parametrize(
    ("guard", "call"),
    [
        ("async with asyncio.timeout(3):\n        await fetch(x)", "await fetch(x)"),
        ("with anyio.fail_after(3):\n        await fetch(x)", "await fetch(x)"),
        ("await asyncio.wait_for(fetch(x), 3)", "await fetch(x)"),
    ],
)
def test_deadlines(guard: str, call: str) -> None:
    before, after = f"async def f(x):\n    {guard}\n", f"async def f(x):\n    {call}\n"
    (message,) = messages("timeout-changed", before, after)
    assert message.startswith("orders.f no longer bounds how long fetch may take (was `")
