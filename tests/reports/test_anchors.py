from dataclasses import replace

import pytest

from gatecli.model import FileStatus, Function, FunctionChange, FunctionKind, Hunk, Span
from gatecli.reports.anchors import anchors
from tests.reports import sample

FIRST = sample.fid("a.py", "first")
SECOND = sample.fid("a.py", "second")


def changed(id: object, first: int, last: int) -> FunctionChange:
    side = Function(id=id, kind=FunctionKind.FUNCTION, span=Span(first_line=first, def_line=first, end_line=last))
    return replace(sample.touched(id), before=side, after=side)


@pytest.mark.parametrize(
    ("line", "function", "pinned"),
    [
        (6, FIRST, 6),  # added itself
        (9, FIRST, 7),  # the nearest added line of its function, not 21
        (19, FIRST, 7),  # though another function's is nearer
        (25, SECOND, 21),
        (25, None, 21),
        (2, None, 6),
        (None, None, 6),
        (0, SECOND, 21),
    ],
)
def test_a_finding_is_pinned_to_an_added_line(line: int | None, function: object, pinned: int) -> None:
    hunks = (
        Hunk(old_start=5, old_count=0, new_start=6, new_count=2),
        Hunk(old_start=18, old_count=1, new_start=21, new_count=1),
        Hunk(old_start=30, old_count=4, new_start=32, new_count=0),
    )
    report = sample.passing()
    file = replace(sample.edited("a.py", 1, 1), hunks=hunks)
    case = replace(
        report.case,
        change=replace(report.case.change, files=(file,)),
        functions=(changed(FIRST, 1, 10), changed(SECOND, 20, 30)),
    )
    finding = replace(sample.review().findings[0], path="a.py", line=line, function=function)
    assert anchors(replace(report, case=case))(finding) == pinned


@pytest.mark.parametrize(("path", "line", "pinned"), [("gone.py", 7, 7), ("gone.py", None, 1), ("never.py", 3, 3)])
def test_where_nothing_was_added_the_line_is_kept(path: str, line: int | None, pinned: int) -> None:
    report = sample.passing()
    file = sample.edited("gone.py", 0, 9, FileStatus.DELETED)
    case = replace(report.case, change=replace(report.case.change, files=(file,)))
    finding = replace(sample.review().findings[0], path=path, line=line, function=None)
    assert anchors(replace(report, case=case))(finding) == pinned
