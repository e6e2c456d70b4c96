from dataclasses import replace
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli import pipeline
from gatecli.model import ChangeKind, FileChange, FileStatus, Function, FunctionChange, FunctionKind, Hunk, Span
from gatecli.reports.html.sides import MAX_COMPARED, Pair, Sides, differing
from tests.conftest import GitRepo
from tests.reports import sample

ID = sample.fid("a.py", "work")


def hunks(before: str, after: str) -> tuple[Hunk, ...]:
    """As the sources count them: a side without lines names the line that follows."""
    codes = SequenceMatcher(None, before.split("\n"), after.split("\n"), autojunk=False).get_opcodes()
    return tuple(
        Hunk(old_start=i + 1, old_count=i_end - i, new_start=j + 1, new_count=j_end - j)
        for tag, i, i_end, j, j_end in codes
        if tag != "equal"
    )


def file(before: str, after: str, path: str = "a.py", old_path: str | None = None) -> FileChange:
    return FileChange(
        path=path,
        old_path=old_path or path,
        status=FileStatus.MODIFIED,
        hunks=hunks(before, after),
        before=before.encode(),
        after=after.encode(),
    )


def side(first: int, last: int, kind: FunctionKind = FunctionKind.FUNCTION, id: object = ID) -> Function:
    return Function(id=id, kind=kind, span=Span(first_line=first, def_line=first, end_line=last))


def change(before: Function | None, after: Function | None, **more: object) -> FunctionChange:
    kind = ChangeKind.ADDED if before is None else ChangeKind.REMOVED if after is None else ChangeKind.EDITED
    return replace(FunctionChange(id=(after or before).id, kind=kind, before=before, after=after), **more)


def shown(pairs: tuple[Pair, ...]) -> list[str]:
    """A line a pair: gap, mark, numbers, texts."""
    lines = []
    for pair in pairs:
        if pair.gap:
            lines.append(f"... {pair.gap}")
        old = f"{pair.old.number} {pair.old.text}" if pair.old else "-"
        new = f"{pair.new.number} {pair.new.text}" if pair.new else "-"
        lines.append(f"{'*' if pair.changed else ' '} {old} | {new}")
    return lines


BEFORE = """import x

def work(a):
    one = 1
    two = 2
    three = 3
    four = 4
    five = 5
    six = 6
    seven = 7
    return one

def rest():
    return 1"""


def test_an_edit_with_its_surroundings_and_the_line_that_names_the_function() -> None:
    after = BEFORE.replace("    seven = 7\n", "    seven = 8\n    eight = 8\n").replace("import x", "import x, y")
    found = Sides((file(BEFORE, after),)).pairs(change(side(3, 11), side(3, 12)))
    assert shown(found) == [
        "  3 def work(a): | 3 def work(a):",
        "... 3",
        "  7     four = 4 | 7     four = 4",
        "  8     five = 5 | 8     five = 5",
        "  9     six = 6 | 9     six = 6",
        "* 10     seven = 7 | 10     seven = 8",
        "* - | 11     eight = 8",
        "  11     return one | 12     return one",
    ]


def test_lines_of_other_functions_are_not_shown() -> None:
    after = BEFORE.replace("return 1", "return 2")
    assert not any(pair.changed for pair in Sides((file(BEFORE, after),)).pairs(change(side(3, 11), side(3, 11))))


def test_lines_are_numbered_on_both_sides_after_a_shift() -> None:
    after = "# new\n# new\n" + BEFORE.replace("one = 1", "one = 2")
    found = Sides((file(BEFORE, after),)).pairs(change(side(3, 11), side(5, 13)))
    assert shown(found)[:2] == ["  3 def work(a): | 5 def work(a):", "* 4     one = 1 | 6     one = 2"]


def test_a_removed_line_leaves_the_right_side_empty() -> None:
    after = BEFORE.replace("    one = 1\n", "")
    found = Sides((file(BEFORE, after),)).pairs(change(side(3, 11), side(3, 10)))
    assert shown(found) == [
        "  3 def work(a): | 3 def work(a):",
        "* 4     one = 1 | -",
        "  5     two = 2 | 4     two = 2",
        "  6     three = 3 | 5     three = 3",
        "  7     four = 4 | 6     four = 4",
    ]


def test_a_removed_function_is_on_the_left() -> None:
    after = "import x\n\ndef rest():\n    return 1"
    found = Sides((file(BEFORE, after),)).pairs(change(side(3, 11), None))
    assert [line for line in shown(found) if "return one" in line] == ["* 11     return one | -"]
    assert all(pair.new is None for pair in found)


def test_an_added_function_is_on_the_right() -> None:
    before = "import x\n\ndef rest():\n    return 1"
    found = Sides((file(before, BEFORE),)).pairs(change(None, side(3, 11)))
    assert shown(found)[0] == "* - | 3 def work(a):"
    assert all(pair.old is None for pair in found if pair.changed)


def test_a_body_leaves_its_functions_to_themselves() -> None:
    after = BEFORE.replace("one = 1", "one = 2").replace("import x", "import y")
    module = change(
        side(1, 14, FunctionKind.MODULE), side(1, 14, FunctionKind.MODULE), changed_lines=(1,), removed_lines=(1,)
    )
    changed = [pair for pair in Sides((file(BEFORE, after),)).pairs(module) if pair.changed]
    assert shown(tuple(changed)) == ["* 1 import x | 1 import y"]


def test_a_function_that_moved_to_another_file_is_compared() -> None:
    old, new = sample.fid("a.py", "work"), sample.fid("b.py", "work")
    moved = "def work(a):\n    one = 1\n    two = 3\n    return one"
    files = (file(BEFORE, "import x"), file("", moved, "b.py"))
    found = Sides(files).pairs(change(side(3, 11, id=old), side(1, 4, id=new), kind=ChangeKind.MOVED))
    assert shown(found)[:3] == [
        "  3 def work(a): | 1 def work(a):",
        "  4     one = 1 | 2     one = 1",
        "* 5     two = 2 | 3     two = 3",
    ]


def test_a_long_function_that_moved_is_shown_whole_not_compared() -> None:
    long = "\n".join(f"line {number}" for number in range(MAX_COMPARED + 1))
    old, new = sample.fid("a.py", "work"), sample.fid("b.py", "work")
    last = MAX_COMPARED + 1
    found = Sides((file(long, ""), file("", long, "b.py"))).pairs(
        change(side(1, last, id=old), side(1, last, id=new), kind=ChangeKind.MOVED)
    )
    assert len(found) == 2 * last


def test_a_renamed_file_is_one_file() -> None:
    after = BEFORE.replace("one = 1", "one = 2")
    old, new = sample.fid("a.py", "work"), sample.fid("b.py", "work")
    found = Sides((file(BEFORE, after, "b.py", "a.py"),)).pairs(change(side(3, 11, id=old), side(3, 11, id=new)))
    assert "* 4     one = 1 | 4     one = 2" in shown(found)


def test_without_a_file_or_its_content_there_is_nothing() -> None:
    touched = change(side(1, 3), side(1, 3))
    assert Sides(()).pairs(touched) == ()
    empty = replace(file("a", "b"), before=None, after=None)
    assert Sides((empty,)).pairs(touched) == ()


def test_lines_that_are_alike_stand_beside_each_other() -> None:
    before = "def work(a):\n    total += price * discount(a)\n    return total"
    after = "def work(a):\n    percent = best(a)\n    log(a)\n    total += price * percent\n    return total"
    assert shown(Sides((file(before, after),)).pairs(change(side(1, 3), side(1, 5)))) == [
        "  1 def work(a): | 1 def work(a):",
        "* - | 2     percent = best(a)",
        "* - | 3     log(a)",
        "* 2     total += price * discount(a) | 4     total += price * percent",
        "  3     return total | 5     return total",
    ]


def test_tabs_and_line_ends_and_bytes() -> None:
    changed = replace(file("def work():\n\tx", "def work():\n\ty"), after=b"def work():\r\n\ty\xff\r")
    assert shown(Sides((changed,)).pairs(change(side(1, 2), side(1, 2))))[-1] == "* 2     x | 2     y�"


def alike(pairs: tuple[Pair, ...]) -> bool:
    """Whether lines that stand beside each other as unchanged are the same."""
    return all(pair.old.text == pair.new.text for pair in pairs if pair.old and pair.new and not pair.changed)


lines = st.lists(st.sampled_from(["a", "b", "c = 1", "c = 2", "", "return c"]), max_size=12)


def test_hunks_of_git_lay_the_same_lines_beside_each_other(repo: GitRepo) -> None:
    """Lines that only go, and lines that only come, before and in the function."""
    repo.commit({"a.py": "import os\nimport re\n\n\n@once\n@twice\ndef work(a):\n    one(a)\n    return a\n"})
    repo.git("switch", "--quiet", "--create", "topic")
    repo.commit({"a.py": "import re\n\n\n@twice\ndef work(a):\n    one(a)\n    two(a)\n    return a\n"})
    report = pipeline.judge(pipeline.open_source(repo.path, revisions="main...topic"), pipeline.Request(now=1))
    functions = {function.id.name: function for function in report.case.functions}
    found = Sides(report.case.change.files).pairs(functions["work"])
    assert shown(found) == [
        "* 5 @once | -",
        "  6 @twice | 4 @twice",
        "  7 def work(a): | 5 def work(a):",
        "  8     one(a) | 6     one(a)",
        "* - | 7     two(a)",
        "  9     return a | 8     return a",
    ]


@given(before=lines, after=lines)
def test_every_line_of_both_sides_is_shown_once_and_in_order(before: list[str], after: list[str]) -> None:
    old, new = "\n".join(["def work():", *before]), "\n".join(["def work():", *after])
    found = Sides((file(old, new),)).pairs(change(side(1, len(before) + 1), side(1, len(after) + 1)))
    for number_of in (lambda pair: pair.old, lambda pair: pair.new):
        numbers = [number_of(pair).number for pair in found if number_of(pair)]
        assert numbers == sorted(set(numbers))
    assert alike(found)
    changed_old = {n for hunk in hunks(old, new) for n in hunk.removed}
    changed_new = {n for hunk in hunks(old, new) for n in hunk.added}
    assert {pair.old.number for pair in found if pair.changed and pair.old} == changed_old
    assert {pair.new.number for pair in found if pair.changed and pair.new} == changed_new


@pytest.mark.parametrize(
    ("old", "new", "common"),
    [
        ("total = a", "total = b", (8, 0)),
        ("call(x, y)", "call(x, z, y)", (8, 2)),
        ("aaa", "aaaa", (3, 0)),
        ("abc", "xyz", (0, 0)),
        ("        x", "        y", (0, 0)),  # an indent in common says nothing
        ("", "x", (0, 0)),
        ("same", "same", (4, 0)),
    ],
)
def test_what_differs_in_a_line(old: str, new: str, common: tuple[int, int]) -> None:
    assert differing(old, new) == common
