"""``gate context``: the card of a function, from a real repository."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gatecli.agents.context import MAX_FUNCTIONS, look_up, to_json, to_text
from gatecli.cli.main import app
from gatecli.errors import GateError, UsageError
from gatecli.pipeline import Request
from gatecli.runtime.edges import Edge
from gatecli.runtime.profile import (
    EntryPoint,
    EntryShare,
    Latency,
    Meta,
    Profile,
    ProfiledFunction,
    Source,
    TimeShare,
    Window,
    save,
)
from tests.conftest import FIRST_COMMIT_AT, GitRepo
from tests.runtime.support import SHOP

NOW = FIRST_COMMIT_AT + 3 * 86_400
PRICE, CALL = "shop/pricing.py::price_order", "shop/checkout.py::Checkout.__call__"


@pytest.fixture
def shop(repo: GitRepo) -> GitRepo:
    """The sample program, committed twice: price_order was changed once since."""
    files = {path: content.replace(b"// 100", b"// 99") if path == "shop/pricing.py" else content
             for path, content in SHOP.files.items()}  # fmt: skip
    repo.commit({**files, "CODEOWNERS": "* @shop\n/shop/pricing.py @ines @org/money\n"}, "first")
    repo.commit({"shop/pricing.py": SHOP.files["shop/pricing.py"]}, "round")
    return repo


def profile_of(revision: str, folder: Path) -> str:
    recorded = Profile(
        meta=Meta(
            service="shop",
            environment="production",
            revision=revision,
            window=Window(end="2023-11-16T22:13:20Z", observed_seconds=86_400),
            sources=(Source(kind="otlp-json", file="t", sha256="", basis="spans", frames_project=2, frames_matched=2),),
        ),
        functions=(
            ProfiledFunction(id=CALL, kind="method"),
            ProfiledFunction(
                id=PRICE, kind="function", calls=57_600, calls_per_min=40.0, calls_basis="spans_scaled",
                error_rate=0.02, time_total=TimeShare(share=0.25), latency_ms=Latency(p50=1.0, p95=12.0, n=9),
                match="qualname", sources=(0,), critical_path_share=0.5,
                entry_points=(EntryShare(id="http POST /orders", share=1.0),),
            ),
        ),
        edges=(Edge(caller=CALL, callee=PRICE, calls=57_600, basis="spans"),),
        entry_points=(EntryPoint(id="http POST /orders", handler=CALL, weight=0.4, error_rate=0.0),),
        tests={PRICE: ("tests/test_shop.py::test_price",)},
    )  # fmt: skip
    path = folder / "profile.json"
    save(recorded, path)
    return str(path)


def text(repo: GitRepo, target: str, profile: str | None = None) -> str:
    return to_text(look_up(repo.path, target, Request(profile=profile, now=NOW)), NOW).replace(profile or "\0", "P")


def test_one_function(shop: GitRepo, tmp_path: Path) -> None:
    assert (
        text(shop, PRICE, profile_of(shop.head(), tmp_path))
        == f"""\
profile P, grade good, 1 day old

{PRICE}  lines 24-28
  runs: 40 calls/min, 40 % of traffic, p95 12 ms, 2 % errors, 50 % of the critical path
  entry points: POST /orders (100 %) and script shop/__main__.py
  callers: {CALL}:15 (40/min)
  calls: ::discount_for, ::discount_for.apply and ::tax_rate
  tests: tests/test_shop.py::test_price
  owners: @ines and @org/money
  history: 2 changes, 3 days old, last 2 days ago: Ines Example 2
"""
    )


def test_without_a_profile(shop: GitRepo) -> None:
    """The code and its history still say who calls it and who knows it."""
    assert (
        text(shop, PRICE)
        == f"""\
no profile: callers and history are from the code alone

{PRICE}  lines 24-28
  entry points: script shop/__main__.py
  callers: {CALL}:15
  calls: ::discount_for, ::discount_for.apply and ::tax_rate
  owners: @ines and @org/money
  history: 2 changes, 3 days old, last 2 days ago: Ines Example 2
"""
    )


def test_outside_of_a_repository(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    g()\n\n\ndef g():\n    return 1\n")
    found = look_up(tmp_path, "a.py::g", Request(now=NOW))
    assert (
        to_text(found, NOW)
        == """\
no profile: callers and history are from the code alone

a.py::g  lines 5-6
  callers: ::f:2
  history: unavailable
"""
    )


def test_every_function_of_a_file(shop: GitRepo) -> None:
    found = look_up(shop.path, "./shop/pricing.py", Request(now=NOW))
    assert [card.id.partition("::")[2] for card in found.functions] == [
        "tax_rate", "discount_for", "discount_for.apply", "price_order", "quote_shipping", "price_lines",
    ]  # fmt: skip
    assert not found.truncated


def test_a_function_that_is_not_committed_yet(shop: GitRepo, tmp_path: Path) -> None:
    shop.write("shop/fresh.py", "def fresh():\n    return 1\n")
    card = look_up(shop.path, "shop/fresh.py", Request(profile=profile_of(shop.head(), tmp_path), now=NOW)).functions[0]
    assert (card.history.status, card.usage.status.value, card.usage.reason) == ("new", "unmatched", "new function")
    assert card.tests == []


def test_what_was_recorded_under_another_name(shop: GitRepo, tmp_path: Path) -> None:
    """Two commits behind, and the function has another name now."""
    deployed = shop.head()
    renamed = SHOP.files["shop/pricing.py"].replace(b"def price_order", b"def price_of")
    shop.commit({"shop/pricing.py": renamed})
    shop.commit({"README": "x"})
    found = look_up(shop.path, "shop/pricing.py::price_of", Request(profile=profile_of(deployed, tmp_path), now=NOW))
    assert found.profile is not None
    assert found.profile.commits_behind == 2
    (card,) = found.functions
    assert (card.usage.calls_per_minute, card.usage.reason) == (40.0, f"recorded as {PRICE}")
    assert card.tests == ["tests/test_shop.py::test_price"]


def test_json(shop: GitRepo, tmp_path: Path) -> None:
    found = json.loads(to_json(look_up(shop.path, PRICE, Request(profile=profile_of(shop.head(), tmp_path), now=NOW))))
    del found["profile"]["path"]
    assert found == {
        "schema": "gate-context/1",
        "profile": {"grade": "good", "revision": shop.head(), "age_s": 86_400.0, "commits_behind": 0, "warnings": []},
        "functions": [
            {
                "id": PRICE,
                "span": {"start": 24, "end": 28},
                "usage": {
                    "status": "observed", "calls_per_minute": 40.0, "share": 0.4, "self_share": None,
                    "error_rate": 0.02, "p50_ms": 1.0, "p95_ms": 12.0, "critical_path_share": 0.5,
                    "critical_path_basis": None, "basis": "spans",
                    "confidence": "high", "reason": None,
                },
                "callers": [
                    {"id": CALL, "basis": "both", "certainty": "certain", "line": 15, "calls_per_minute": 40.0}
                ],
                "callees": [
                    {"id": f"shop/pricing.py::{name}", "basis": "static", "certainty": "certain", "line": None,
                     "calls_per_minute": None}
                    for name in ("discount_for", "discount_for.apply", "tax_rate")
                ],
                "entry_points": [
                        {"id": "POST /orders", "share": 1.0},
                        {"id": "script shop/__main__.py", "share": None},
                    ],
                "tests": ["tests/test_shop.py::test_price"],
                "owners": ["@ines", "@org/money"],
                "history": {"status": "known", "changes": 2, "first_changed_at": FIRST_COMMIT_AT,
                            "last_changed_at": FIRST_COMMIT_AT + 60,
                            "authors": [{"name": "Ines Example", "changes": 2}], "cochange": []},
                "incidents": [],
                "truncated": [],
            }
        ],
        "truncated": False,
    }  # fmt: skip


def test_bounds_are_said(repo: GitRepo) -> None:
    callers = "".join(f"def caller_{i}():\n    f()\n\n" for i in range(100))
    repo.commit({"a.py": f"def f():\n    return 1\n\n{callers}"})
    found = look_up(repo.path, "a.py", Request(now=NOW))
    assert (len(found.functions), found.truncated) == (MAX_FUNCTIONS, True)
    assert found.functions[0].truncated == ["callers"]
    assert len(found.functions[0].callers) == 25
    assert "only the first 40 functions; name one: PATH::QUALNAME" in to_text(found, NOW)


@pytest.mark.parametrize(
    ("target", "kind", "message", "hint"),
    [
        ("", UsageError, "no path in ''", "such as: gate context shop/pricing.py::price_order"),
        ("::f", UsageError, "no path in '::f'", "such as: gate context shop/pricing.py::price_order"),
        ("shop/none.py", UsageError, "no file shop/none.py (or too large to read)",
         "name it from the root, such as shop/pricing.py::price_order"),
        ("../../etc/passwd", UsageError, "no file ../../etc/passwd (or too large to read)",
         "name it from the root, such as shop/pricing.py::price_order"),
        ("/etc/passwd", UsageError, "no file /etc/passwd (or too large to read)",
         "name it from the root, such as shop/pricing.py::price_order"),
        ("shop/pricing.py::apply", UsageError, "no function apply in shop/pricing.py",
         "did you mean shop/pricing.py::discount_for.apply?"),
        ("shop/pricing.py::price_ordr", UsageError, "no function price_ordr in shop/pricing.py",
         "did you mean shop/pricing.py::price_order?"),
        ("shop/pricing.py::zzz", UsageError, "no function zzz in shop/pricing.py",
         "gate context shop/pricing.py shows all of them"),
        ("CODEOWNERS", UsageError, "CODEOWNERS is no Python file", "gate reads functions of .py, .pyi, .ipynb files"),
    ],
)  # fmt: skip
def test_what_is_not_there(shop: GitRepo, target: str, kind: type[GateError], message: str, hint: str) -> None:
    with pytest.raises(kind) as raised:
        look_up(shop.path, target, Request(now=NOW))
    assert (raised.value.message, raised.value.hint) == (message, hint)


def test_a_file_that_does_not_parse_has_no_functions(repo: GitRepo) -> None:
    repo.commit({"a.py": "def (((:\n"})
    assert text(repo, "a.py").endswith("\n\nno functions\n")


def test_hostile_names_are_shown_not_obeyed(repo: GitRepo) -> None:
    repo.commit({"a\x1b[31m.py": "def f():\n    return 1\n", "CODEOWNERS": "* @a\n"})
    shown = text(repo, "a\x1b[31m.py::f")
    assert "\x1b" not in shown
    assert "a\\x1b[31m.py::f  lines 1-2" in shown


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["context", *arguments])


def test_the_command(shop: GitRepo, tmp_path: Path) -> None:
    profile = profile_of(shop.head(), tmp_path)
    result = run(PRICE, "--repo", str(shop.path), "--profile", profile)
    assert result.exit_code == 0
    assert "runs: 40 calls/min" in result.stdout
    as_json = run(PRICE, "--repo", str(shop.path), "--profile", profile, "--json")
    assert json.loads(as_json.stdout)["functions"][0]["usage"]["calls_per_minute"] == 40.0
