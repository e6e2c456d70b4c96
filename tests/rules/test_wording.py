import pytest

from gatecli.model import Usage, UsageStatus
from gatecli.rules import wording
from gatecli.rules.code import normal
from gatecli.rules.paths import is_production, matches
from gatecli.syntax.trees import parse


def usage(calls: float | None = None, share: float | None = None) -> Usage:
    return Usage(status=UsageStatus.OBSERVED, calls_per_minute=calls, share=share)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (usage(61_400.4, 0.38), "runs 61,400 times a minute (38 % of traffic)"),
        (usage(9.5, None), "runs 9.5 times a minute"),
        (usage(0.25, 0.0004), "runs 0.2 times a minute (<0.1 % of traffic)"),
        (usage(12, 0.0625), "runs 12 times a minute (6.2 % of traffic)"),
        (usage(None, 0.5), "carries 50 % of traffic"),
        (usage(0, 0), "runs 0 times a minute (0 % of traffic)"),
        (usage(), ""),
        (Usage(status=UsageStatus.NOT_OBSERVED, calls_per_minute=5), ""),
        (None, ""),
    ],
)
def test_traffic(known: Usage | None, expected: str) -> None:
    assert wording.traffic(known) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)
def test_listed(names: list[str], expected: str) -> None:
    assert wording.listed(names) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a\n   b\t c", "a b c"),
        ("\x1b[2Jx\u202ey\u200bz", "?[2Jx?y?z"),
        ("x" * 81, "x" * 79 + "…"),
        ("x" * 80, "x" * 80),
        (" " * 1_000_000, ""),
    ],
)
def test_snippet(code: str, expected: str) -> None:
    assert wording.snippet(code) == expected


@pytest.mark.parametrize(("value", "expected"), [(30.0, "30"), (2.5, "2.5"), (1e6, "1,000,000"), (1e300, "1e+300")])
def test_amount(value: float, expected: str) -> None:
    assert wording.amount(value) == expected


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        (("*.py",), "a/b.py", True),
        (("*.py", "!migrations/"), "a/migrations/b.py", False),
        (("!migrations/", "*.py"), "a/migrations/b.py", False),
        (("*",), "a/b", True),
        (("/.github/workflows/",), ".github/workflows/ci.yml", True),
        (("/.github/workflows/",), "docs/.github/workflows/ci.yml", False),
        (("AGENTS.md",), "a/b/AGENTS.md", True),
        ((), "a", False),
    ],
)
def test_patterns(patterns: tuple[str, ...], path: str, expected: bool) -> None:
    assert matches(patterns, path) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("shop/pricing.py", True),
        ("docs/conf.py", False),
        ("shop/examples/a.py", False),
        ("shop/tests.py", False),
        ("docs.py", True),
    ],
)
def test_production(path: str, expected: bool) -> None:
    assert is_production(path) is expected


@pytest.mark.parametrize(
    "written",
    [
        "pytest.mark.skip",
        "self.store.save(code, total, 'not. so ( fast )')",
        "f(a, *b, **c)[1]",
        "if not (a and b): return -1",
        "await f(x)[0].g({}, [a, b])",
        "a - b * c",
    ],
)
def test_code_of_tokens_reads_as_it_is_written(written: str) -> None:
    assert wording.as_code(normal(parse(written.encode()).root_node)) == written


@pytest.mark.parametrize("text", ["new required parameter: store", "timeout 30 to 3", "requests.post timeout", ""])
def test_text_that_is_no_code_stays(text: str) -> None:
    assert wording.as_code(text) == text
