"""Findings that someone accepted: by a comment that stood before the change, or in the baseline."""

from dataclasses import replace
from datetime import date

import pytest

from gatecli.errors import UsageError
from gatecli.model import Finding, Severity
from gatecli.rules import accepted, registry
from gatecli.rules.accepted import Accepted, Baseline, settle
from gatecli.rules.code import Around
from gatecli.rules.ignores import read_ignores
from tests.rules.support import SHIPPED, Sides, case_of

TODAY = date(2026, 1, 15)
AROUND = Around(today=TODAY, rules=frozenset(rule.id for rule in SHIPPED))
MARK = '# gate: ignore[io-in-loop] until=2026-03-01 reason="three lines at most"'
BEFORE = "def price(lines):\n    {mark}\n    return [1 for line in lines]\n"
AFTER = "def price(lines):\n    {mark}\n    return [Rate.objects.get(sku=line) for line in lines]\n"


def settled(files: dict[str, Sides], baseline: Baseline | None = None) -> dict[str, Finding]:
    case = case_of(files)
    found = registry.run(SHIPPED, case, around=AROUND)
    return {finding.rule: finding for finding in settle(found, case, SHIPPED, AROUND, baseline or Baseline())}


def sides(before: str, after: str, path: str = "shop/pricing.py") -> dict[str, Sides]:
    return {path: (BEFORE.format(mark=before), AFTER.format(mark=after))}


def test_a_comment_that_stood_there_makes_a_note() -> None:
    finding = settled(sides(MARK, MARK))["io-in-loop"]
    assert finding.severity is Severity.NOTE
    assert finding.points == 0
    assert finding.message.endswith("(ignored until 2026-03-01: three lines at most)")
    assert finding.evidence[-1].kind == "accepted"


@pytest.mark.parametrize(
    "mark",
    [
        '# gate: ignore[io-in-loop] until=2026-01-14 reason="three lines at most"',
        '# gate: ignore[io-in-loop] until=2027-01-15 reason="three lines at most"',
        '# gate: ignore[io-in-loop] reason="three lines at most"',
        "# gate: ignore[io-in-loop] until=2026-03-01",
        '# gate: ignore[io-in-loop] until=soon reason="three lines at most"',
        '# gate: ignore[io-in-loop] until=2026-03-01 reason="x"',
        '# gate: ignore[io-in-lop] until=2026-03-01 reason="three lines at most"',
        '# gate: ignore until=2026-03-01 reason="three lines at most"',
        '# gate: ignore[retry-removed] until=2026-03-01 reason="three lines at most"',
    ],
)
def test_a_comment_that_does_not_count(mark: str) -> None:
    found = settled(sides(mark, mark))
    assert found["io-in-loop"].points > 0
    assert "(ignored" not in found["io-in-loop"].message
    assert found["ignore-unsound"].severity is Severity.NOTE


def test_a_comment_of_the_same_change_has_no_effect_and_asks_for_a_human() -> None:
    found = settled(sides("x = 1", MARK))
    assert found["io-in-loop"].points > 0
    assert found["ignore-unsound"].severity is Severity.REVIEW


def test_an_edited_reason_is_a_new_comment() -> None:
    assert settled(sides(MARK.replace("three", "two"), MARK))["ignore-unsound"].severity is Severity.REVIEW


def test_a_copied_file_brings_its_comments_anew() -> None:
    files = {"shop/new.py": (None, AFTER.format(mark=MARK))}
    assert settled(files)["ignore-unsound"].severity is Severity.REVIEW


def test_a_comment_on_the_function_counts_for_all_of_it() -> None:
    before = f"{MARK}\ndef price(lines):\n    x = 1\n    return [1 for line in lines]\n"
    after = f"{MARK}\ndef price(lines):\n    x = 1\n    return [Rate.objects.get(sku=line) for line in lines]\n"
    assert settled({"shop/pricing.py": (before, after)})["io-in-loop"].severity is Severity.NOTE


def test_a_comment_that_was_not_needed_is_named() -> None:
    files = {"shop/pricing.py": (BEFORE.format(mark=MARK), BEFORE.format(mark=MARK).replace("[1 for", "[2 for"))}
    found = settled(files)
    assert "io-in-loop" not in found
    assert "which this change did not need" in found["ignore-unsound"].message


def test_what_guards_the_repository_cannot_be_ignored() -> None:
    mark = '# gate: ignore[guardrails-changed] until=2026-03-01 reason="three lines at most"\n'
    found = settled({".gate/policy.yml": (f"{mark}fail_on: review\n", f"{mark}fail_on: never\n")})
    assert found["guardrails-changed"].severity is Severity.BLOCK


def test_the_baseline_knows_a_finding_by_rule_and_code_and_not_by_line() -> None:
    mark = "x = 1"
    known = settled(sides(mark, mark))["io-in-loop"]
    baseline = Baseline(accepted=(Accepted(rule=known.rule, fingerprint=known.fingerprint, reason="as before"),))
    moved = {path: (f"\n\n{one}", f"\n\n{other}") for path, (one, other) in sides(mark, mark).items()}
    assert settled(moved, baseline)["io-in-loop"].message.endswith("(in the baseline: as before)")
    other = replace(baseline, accepted=(Accepted(rule="retry-removed", fingerprint=known.fingerprint),))
    assert settled(moved, other)["io-in-loop"].points > 0


def test_a_baseline_is_read_strictly_and_written_as_it_is_read() -> None:
    baseline = Baseline(accepted=(Accepted(rule="a", fingerprint="b", function="c.py::d", reason='e "f": g'),))
    assert accepted.read_baseline(accepted.to_yaml(baseline).encode()) == baseline
    assert accepted.read_baseline(None) == accepted.read_baseline(accepted.to_yaml(Baseline()).encode()) == Baseline()
    with pytest.raises(UsageError, match=r"baseline.yml:1: unknown key 'acepted', did you mean 'accepted'"):
        accepted.read_baseline(b"acepted: []\n")


def test_large_and_odd_files_are_read_in_bounds() -> None:
    text = (
        "# gate: ignore["
        + "a," * 5_000
        + "]\n"
        + "# gate: ignore[x] until=2026-01-01 reason='"
        + "y" * 9_000
        + "'\n" * 3_000
    )
    (file,) = case_of({"shop/a.py": (None, text)}).change.files
    assert len(list(read_ignores(file))) <= 1_000
