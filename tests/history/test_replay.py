import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatecli.history.replay import Replay, Replayed, touched_functions
from gatecli.history.signals import SIGNALS, Signal
from gatecli.model import MainlineChange, MainlineFile, Person, Piece

INES = Person(name="Ines", email="ines@shop.example")
RAVI = Person(name="Ravi", email="ravi@shop.example")
DAY = 86_400


def pieces(blob: str) -> tuple[Piece, ...]:
    """A blob is the versions of its functions: ``f1 g2`` holds f in version 1 and g in version 2."""
    return tuple(Piece(one[0], hash(one), 3, 0, int(one[1:]), 0) for one in blob.split())


def replay() -> Replay:
    return Replay(
        pieces=pieces,
        is_test=lambda path: path.startswith("tests/"),
        is_setting=lambda path: path.endswith(".toml"),
        is_code=lambda path: path.endswith(".py"),
    )


def change(
    number: int, before: str, after: str, *, path: str = "a.py", message: str = "", who: Person = INES
) -> MainlineChange:
    file = MainlineFile(path if before else None, path, before or None, after, 2, 1)
    return MainlineChange(
        sha=f"{number:040x}", author=who, committed_at=number * DAY, message=message or f"Step {number}", files=(file,)
    )


def run(changes: list[MainlineChange]) -> list[Replayed]:
    state = replay()
    return [state.step(one) for one in changes]


def value(one: Replayed, signal: Signal) -> float:
    return one.values[SIGNALS.index(signal)]


HISTORY = [
    change(1, "", "f1 g1"),
    change(2, "f1 g1", "f2 g1", who=RAVI),
    change(3, "f2 g1", "f3 g1", message="Fix rounding"),
    change(4, "f3 g1", "f2 g1", message=f"Revert\n\nThis reverts commit {3:040x}."),
    change(5, "f2 g1", "f4 g1", who=RAVI),
]


def test_signals_are_of_the_past() -> None:
    first, second, third, fourth, fifth = run(HISTORY)
    assert value(first, Signal.FUNCTION_CHANGES) == 0
    assert value(second, Signal.NEW_TO_FUNCTIONS) == 1
    assert value(third, Signal.NEW_TO_FUNCTIONS) == 0
    assert value(third, Signal.FLOW) == 1
    assert value(fourth, Signal.FUNCTION_REVERTS) == 0
    assert value(fourth, Signal.UNDOES) == 1
    assert value(fifth, Signal.FUNCTION_REVERTS) > 0
    assert value(fifth, Signal.REVERTED_LATELY) == 0.5
    assert value(fifth, Signal.NEW_TO_FILES) == 0


def test_a_repair_suspects_who_last_changed_the_function() -> None:
    assert [one.suspects for one in run(HISTORY)] == [(), (), (1,), (), ()]


def test_only_functions_whose_text_differs_are_touched() -> None:
    file = MainlineFile("a.py", "a.py", "x", "y")
    found = touched_functions(file, pieces("f1 g1 h1"), pieces("f1 g2 k1"))
    assert [(one.qualname, one.before is not None, one.after is not None) for one in found] == [
        ("g", True, True),
        ("k", False, True),
        ("h", True, False),
    ]


def test_a_renamed_file_keeps_its_past() -> None:
    moved = MainlineChange(
        sha="f" * 40, author=INES, committed_at=9 * DAY, message="Move",
        files=(MainlineFile("a.py", "b.py", "f4 g1", "f4 g1"),),
    )  # fmt: skip
    *_, last = run([*HISTORY, moved])
    assert value(last, Signal.FILE_CHANGES) > 0
    assert value(last, Signal.EVER_REVERTED) == 1


@given(st.integers(0, len(HISTORY)), st.randoms(use_true_random=False))
def test_the_future_changes_no_signal(kept: int, chance: random.Random) -> None:
    future = [
        replace(one, author=chance.choice([INES, RAVI]), committed_at=chance.randrange(20 * DAY))
        for one in HISTORY[kept:]
    ]
    chance.shuffle(future)
    whole, other = run(HISTORY)[:kept], run([*HISTORY[:kept], *future])[:kept]
    assert [(one.values, one.outcomes) for one in whole] == [(one.values, one.outcomes) for one in other]


def test_dates_of_1970_or_far_ahead_do_no_harm() -> None:
    strange = [replace(one, committed_at=at) for one, at in zip(HISTORY, (0, 4 * 10**9, 5, 0, 2**40), strict=True)]
    assert all(number == number and abs(number) < 1e9 for one in run(strange) for number in one.values)
