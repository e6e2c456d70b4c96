from dataclasses import replace

import pytest

from gatecli.model import Severity, Usage, UsageStatus
from gatecli.rules import registry
from tests.rules.support import case_of, rule, run

BEFORE, AFTER = "def refund_order(order):\n    return round(order, 2)\n", "def refund_order(order):\n    return order\n"
TEST = "def test_{0}():\n    assert {1}\n\n\n"


def suite(*bodies: str) -> str:
    return "".join(TEST.format(number, body) for number, body in enumerate(bodies))


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        (suite("a()", "refund_order(1) == 1"), suite("a()"), Severity.REVIEW),
        (suite("a()", "shop.refund_order(1) == 1"), suite("a()"), Severity.REVIEW),
        (suite("a()", "refund_order is not None"), suite("a()"), Severity.NOTE),  # it is not called
        (suite("a()", "b()"), suite("a()"), Severity.NOTE),
        (suite("a()", "refund_order(1) == 1"), None, Severity.REVIEW),  # the whole file
        # Another test came, of something else.
        (suite("refund_order(1) == 1"), "def test_new_name():\n    assert check(1) == [2, 3, 4]\n", Severity.NOTE),
        (suite("a()"), suite("a()", "b()"), None),
    ],
)
def test_removed_tests(before: str, after: str | None, severity: Severity | None) -> None:
    files = {"shop/refund.py": (BEFORE, AFTER), "tests/test_refund.py": (before, after)}
    assert [finding.severity for finding in run("test-removed", files)] == ([severity] if severity else [])


def test_a_function_that_went_with_its_tests() -> None:
    files = {
        "shop/refund.py": (BEFORE + "\n\ndef other():\n    return 1\n", "def other():\n    return 1\n"),
        "tests/test_refund.py": (suite("a()", "refund_order(1) == 1"), suite("a()")),
    }
    assert run("test-removed", files) == ()


def test_removed_tests_are_one_finding_a_file() -> None:
    (finding,) = run("test-removed", {"tests/test_a.py": (suite(*"abcde"), "x = 1\n")})
    assert finding.message == "tests/test_a.py lost 5 tests (test_0, test_1, test_2 and 2 more)"
    assert finding.line == 1


@pytest.mark.parametrize(
    ("usage", "flagged"),
    [
        (Usage(status=UsageStatus.OBSERVED, share=0.01), True),
        (Usage(status=UsageStatus.OBSERVED, calls_per_minute=60), True),
        (Usage(status=UsageStatus.OBSERVED, calls_per_minute=1, entry_points=(("GET /", 1.0),)), True),
        (Usage(status=UsageStatus.OBSERVED, share=0.0099, calls_per_minute=59), False),
        (Usage(status=UsageStatus.NOT_OBSERVED), False),
        (Usage(status=UsageStatus.UNMATCHED, share=0.5), False),
    ],
)
def test_hot(usage: Usage, flagged: bool) -> None:
    case = case_of({"shop/refund.py": (BEFORE, AFTER)})
    case = replace(case, usage={change.id: usage for change in case.functions})
    assert bool(registry.run((rule("hot-function-untested"),), case)) is flagged


@pytest.mark.parametrize(
    ("path", "text", "covered"),
    [
        ("tests/test_a.py", "from shop.refund import refund_order\n", True),
        ("tests/test_a.py", "from shop import refund\n", True),
        ("tests/test_a.py", "import refund\n", False),  # of which package?
        ("tests/test_a.py", "refund_orders()\n", False),
        ("docs/a.py", "refund_order()\n", False),
    ],
)
def test_a_test_that_names_it(path: str, text: str, covered: bool) -> None:
    case = case_of({"shop/refund.py": (BEFORE, AFTER), path: (None, text)})
    hot = Usage(status=UsageStatus.OBSERVED, share=0.5)
    case = replace(case, usage={change.id: hot for change in case.functions})
    found = [f for f in registry.run((rule("hot-function-untested"),), case) if f.path == "shop/refund.py"]
    assert bool(found) is not covered


def test_a_deleted_test_covers_nothing() -> None:
    case = case_of({"shop/refund.py": (BEFORE, AFTER), "tests/test_a.py": ("refund_order()\n", None)})
    hot = Usage(status=UsageStatus.OBSERVED, share=0.5)
    case = replace(case, usage={change.id: hot for change in case.functions})
    assert len(registry.run((rule("hot-function-untested"),), case)) == 1


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        ("assert a\n    assert b", "go()", Severity.REVIEW),
        ("self.assertEqual(a, b)", "a == b", Severity.REVIEW),
        ("assert a\n    assert b\n    assert c", "assert a\n    assert b", None),
        ("assert a\n    assert b", "assert a", Severity.NOTE),
        ("with pytest.raises(E):\n        go()", "go()", Severity.REVIEW),
        ("assert a", "mock.assert_called_once()", None),
        ("assert a", "check_order(a)", None),
        ("go()", "run()", None),
    ],
)
def test_assertions(before: str, after: str, severity: Severity | None) -> None:
    files = {"tests/test_a.py": (f"def test_a(self):\n    {before}\n", f"def test_a(self):\n    {after}\n")}
    assert [finding.severity for finding in run("assertions-reduced", files)] == ([severity] if severity else [])
