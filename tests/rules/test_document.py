import os
from dataclasses import replace
from pathlib import Path

import pytest

from gatecli.rules import document, examples
from gatecli.rules.spec import Example, ExampleCaller, ExampleUsage, FileSides, Rule, read_rule
from tests.rules.support import SHIPPED, rule

ROOT = Path(__file__).parents[2]


def test_the_pages_are_current() -> None:
    """``UPDATE_GOLDEN=1`` writes them."""
    wanted = {"rules.md": document.page(SHIPPED)}
    wanted |= {f"rules/{rule.id}.md": document.rule_page(rule) for rule in SHIPPED}
    docs = ROOT / "docs"
    if os.environ.get("UPDATE_GOLDEN"):
        for stale in docs.glob("rules/*.md"):
            stale.unlink()
        for name, text in wanted.items():
            (docs / name).parent.mkdir(exist_ok=True)
            (docs / name).write_text(text, encoding="utf-8", newline="\n")
    found = {
        path.relative_to(docs).as_posix(): path.read_text(encoding="utf-8")
        for path in (docs / "rules.md", *docs.glob("rules/*.md"))
    }
    assert found == wanted


def test_the_sample_on_the_page_is_a_rule_that_works() -> None:
    block = document.page(()).split("```yaml\n")[1].split("```")[0]
    sample = read_rule(block.encode(), ".gate/rules/print-added.yml", ())
    assert examples.failures([sample]) == ()


def test_known_misses_stand_apart_with_their_reason() -> None:
    known = rule("access-removed")
    missed = replace(known.examples[-1], name="a login elsewhere", flags=False, missed="It is in another repository.")
    page = document.rule_page(replace(known, examples=(missed, *known.examples)))
    seen, _, unseen = page.partition("## What it does not see")
    assert "a login elsewhere" not in seen
    assert "Missed: a login elsewhere. It is in another repository." in unseen
    assert "Flagged" not in unseen


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.id)
def test_a_page_shows_nothing_invisible(rule: Rule) -> None:
    page = document.rule_page(rule)
    assert [line for line in page.splitlines() if not line.isprintable()] == []
    assert page.startswith(f"# {rule.id}\n")


def test_every_rule_has_a_row() -> None:
    lines = document.page(SHIPPED).splitlines()
    for known in SHIPPED:
        assert sum(line.startswith(f"| {known.code} | [{known.id}](rules/{known.id}.md) |") for line in lines) == 1


def test_severity_says_how_far_traffic_raises_it() -> None:
    assert document.severity(rule("io-in-loop")) == "note to review"
    assert document.severity(rule("access-removed")) == "block"
    assert list(document.escalation(rule("io-in-loop"))) == [
        "review from 60 calls a minute or 1 % of the traffic on",
    ]


def test_an_example_as_a_diff_with_what_is_known() -> None:
    example = Example(
        name="a",
        flags=True,
        files={"a.py": FileSides(before="x\n", after="y\n"), "b.py": FileSides(after="z\n")},
        usage={"a.py::f": ExampleUsage(calls_per_minute=61_400, share=0.385)},
        callers={"a.py::f": (ExampleCaller(id="b.py::g", calls=("f(1)",)), ExampleCaller(id="b.py::h"))},
    )
    assert list(document.example_diff(example)) == [
        "--- a.py",
        "+++ a.py",
        "@@ -1 +1 @@",
        "-x",
        "+y",
        "--- /dev/null",
        "+++ b.py",
        "@@ -0,0 +1 @@",
        "+z",
    ]
    assert list(document.given(example)) == [
        "a.py::f: 61,400 calls a minute, 38.5 % of the traffic",
        "b.py::g calls a.py::f: f(1)",
        "b.py::h hands on a.py::f",
    ]
