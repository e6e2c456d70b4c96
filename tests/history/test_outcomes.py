from dataclasses import replace

import pytest

from gatecli.history.outcomes import Apart, Chronicle, OutcomeKind, relands, undoes
from gatecli.model import MainlineChange, Person

INES = Person(name="Ines", email="ines@shop.example")
SHA = "a" * 12 + "0" * 28
DAY = 86_400


def change(message: str, *, sha: str = "b" * 40, at: int = 10 * DAY, branch: tuple[str, ...] = ()) -> MainlineChange:
    return MainlineChange(sha=sha, author=INES, committed_at=at, message=message, branch=branch)


def said(first: MainlineChange, *later: MainlineChange) -> list[tuple[int, int, str, Apart | None]]:
    chronicle = Chronicle()
    found = [outcome for one in (first, *later) for outcome in chronicle.tell(one)]
    return [(one.cause, one.by, str(one.kind), one.apart) for one in found]


REVERT, REGRESSION = str(OutcomeKind.REVERT), str(OutcomeKind.REGRESSION)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (f'Revert "Round half up"\n\nThis reverts commit {SHA}.', REVERT),
        (f"Back to the old rounding\n\nReverts {SHA}", REVERT),
        (f"Backed out changeset {SHA[:12]} for failing tests", REVERT),
        (f"Back out {SHA[:12]}: tests fail", REVERT),
        (f"Rollback of {SHA[:9]}", REVERT),
        (f"Undo\n\nThis reverts commits {'c' * 40}, {SHA} and {'d' * 40}.", REVERT),
        ("Undo rounding\n\nReverts shop/shop#12", REVERT),
        ("Undo\n\nThis reverts change I0123456789abcdef0123456789abcdef01234567.", REVERT),
        ("Undo\n\nReverts D1234567", REVERT),
        ("Back out D1234567", REVERT),
        (f"Back out rounding\n\nSummary: Original commit changeset: {SHA[:12]}", REVERT),
        ("Undo rounding\n\nOriginal commit changeset: 0f1e2d3c4b5a\n\nOriginal Phabricator Diff: D1234567", REVERT),
        ('Revert "Round half up"', REVERT),
        ('[shop] Revert "Round half up" (#14)', REVERT),
        ('Revert "Round half up (#12)" (#14)', REVERT),
        (f"Round as before\n\nFixes: {SHA[:12]} (\"Round half up\")", REGRESSION),
        (f"Round as before\n\nRegression introduced by {SHA[:8]}.", REGRESSION),
        (f"Round as before\n\nThis was broken in commit {SHA}", REGRESSION),
        (f"Fix a regression from {SHA[:10]}", REGRESSION),
    ],
)  # fmt: skip
def test_a_later_change_names_an_earlier_one(message: str, kind: str) -> None:
    first = change(
        "Round half up (#12)\n\nChange-Id: I0123456789abcdef0123456789abcdef01234567"
        "\nDifferential Revision: https://reviews.shop.example/D1234567",
        sha=SHA,
    )
    assert said(first, change(message, at=12 * DAY)) == [(0, 1, kind, None)]


@pytest.mark.parametrize(
    "message",
    [
        f"Round half up again\n\n> This reverts commit {SHA}.",
        f"See {SHA} for the reasons",
        "Revert to the old rounding",
        f"Reland rounding\n\nReverts {SHA}",
        "This reverts commit " + "f" * 40,
        "Reverts #99",
    ],
)
def test_what_is_quoted_unknown_or_brought_back_says_nothing(message: str) -> None:
    assert said(change("Round half up", sha=SHA), change(message, at=12 * DAY)) == []


def test_a_commit_of_a_merged_branch_stands_for_its_merge() -> None:
    merge = change("Merge pull request #12 from shop/rounding", sha="e" * 40, branch=(SHA,))
    assert said(merge, change(f"Undo\n\nThis reverts commit {SHA}.", at=12 * DAY)) == [(0, 1, REVERT, None)]


def test_what_a_merge_brings_is_read_too() -> None:
    first = change("Round half up", sha=SHA, at=0)
    told = f'Revert "Round half up"\n\nThis reverts commit {SHA}.'
    merge = replace(change("Merge pull request #14 from shop/rounding"), said=(told,))
    assert said(first, merge) == [(0, 1, REVERT, None)]
    again = replace(change("Merge pull request #15 from shop/rounding"), said=(f"Reland rounding\n\nReverts {SHA}.",))
    assert said(first, again) == []
    at_once = replace(merge, committed_at=600)
    assert said(first, at_once) == [(0, 1, REVERT, Apart.IMMEDIATE)]


def test_a_branch_that_takes_its_own_commit_back_says_nothing() -> None:
    told = f"This reverts commit {'e' * 40}."
    assert (
        said(change("Begin"), replace(change("Merge a branch", sha="f" * 40, branch=("e" * 40,)), said=(told,))) == []
    )
    quoted = replace(change("Merge a branch", sha="f" * 40), said=('Revert "Begin"',))
    assert said(change("Begin"), quoted) == []


def test_the_revert_of_a_revert_speaks_of_the_revert() -> None:
    first, second, third = (number * 40 for number in "123")
    found = said(
        change("Round half up", sha=first),
        change(f'Revert "Round half up"\n\nThis reverts commit {first}.', sha=second, at=12 * DAY),
        change(f'Revert "Revert "Round half up""\n\nThis reverts commit {second}.', sha=third, at=13 * DAY),
    )
    assert found == [(0, 1, REVERT, None), (1, 2, REVERT, None)]


def test_planned_and_immediate_reverts_are_told_apart() -> None:
    undo = f"Undo\n\nThis reverts commit {SHA}."
    assert said(change("Temporary logging", sha=SHA), change(undo, at=12 * DAY))[0][3] is Apart.PLANNED
    assert said(change("Logging", sha=SHA), change(f"{undo} No longer needed.", at=12 * DAY))[0][3] is Apart.PLANNED
    broken = f"{undo}\nNot needed, and it broke the build."
    assert said(change("Logging", sha=SHA), change(broken, at=12 * DAY))[0][3] is None
    assert said(change("Logging", sha=SHA), change(undo, at=10 * DAY + 60))[0][3] is Apart.IMMEDIATE


def test_an_ambiguous_short_id_names_nobody() -> None:
    chronicle = Chronicle()
    for end in "01":
        chronicle.tell(change("Round", sha="a" * 39 + end))
    assert chronicle.tell(change("This reverts commit " + "a" * 12)) == ()


@pytest.mark.parametrize(
    ("message", "back", "out"),
    [
        ("Reland rounding", True, False),
        ("Reapply rounding (#4)", True, False),
        ('Revert "Revert "Round half up""', True, True),
        ('Revert "Round half up"', False, True),
        ("Landing page", False, False),
        ("Round\n\nThis reverts commit abcdef0.", False, True),
    ],
)
def test_a_change_that_undoes_or_brings_back(message: str, back: bool, out: bool) -> None:
    assert (relands(message), undoes(message)) == (back, out)


def test_a_hostile_message_costs_no_time() -> None:
    hostile = "revert " * 3_000 + "reverts " + "abcdef0 " * 3_000 + '"' * 5_000
    assert said(change("Round", sha=SHA), change(hostile)) == []
