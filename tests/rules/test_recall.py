"""Every harmful commit of the recall list is rebuilt: as an example that is flagged, or as a known miss."""

from collections import Counter
from pathlib import Path

import pytest

from tests.rules.support import SHIPPED

ROOT = Path(__file__).parents[2]
ROWS = [
    tuple(line.split("\t"))
    for line in (ROOT / "tests/bench/recall.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
EXAMPLES = {(rule.id, example.name): example for rule in SHIPPED for example in rule.examples}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_commit_names_its_example(row: tuple[str, ...]) -> None:
    _, _, rule, _, name = row
    assert (rule, name) in EXAMPLES
    assert EXAMPLES[rule, name].flags or EXAMPLES[rule, name].missed


def test_no_commit_is_listed_twice() -> None:
    assert [row for row, times in Counter((row[0], row[1], row[2]) for row in ROWS).items() if times > 1] == []


def test_the_table_of_the_docs_counts_what_the_list_holds() -> None:
    families = {rule.id: rule.family for rule in SHIPPED}
    listed: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for _, _, rule, _, name in ROWS:
        listed[families[rule]] += 1
        seen[families[rule]] += EXAMPLES[rule, name].flags
    page = (ROOT / "docs/rules-measured.md").read_text(encoding="utf-8")
    for family, count in listed.items():
        shown = {"flags": "flags and settings", "supply-chain": "supply chain"}.get(family, family)
        assert f"| {shown} | {count} | {seen[family]} |" in page
    assert f"| **all** | **{listed.total()}** | **{seen.total()}** |" in page
