from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.config import Paths
from gatecli.model import ChangeKind, FileChange, FileStatus
from gatecli.rules import code
from gatecli.rules.code import View, anchor, merged
from gatecli.sources.rebuild import hunks_between
from gatecli.syntax.trees import captures, parse
from tests.rules.support import case_of


def first(kind: str, source: str):
    return captures(f"({kind}) @found", parse(source.encode()).root_node)["found"][0]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("f()", "f"),
        ("a.b.c(1)", "a.b.c"),
        ("Order.objects.filter(a=1).get(b=2)", "Order.objects.filter().get"),
        ("handlers[name](x)", "handlers[]"),
        ("(a or b).run()", "….run"),
        ("'{}'.format(x)", "….format"),
        ("a.b(c(d))", "a.b"),
    ],
)
def test_callee(source: str, name: str) -> None:
    assert code.callee(first("call", source)) == name


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("f(a, b)", "f(\n    a,\n    b,\n)", True),
        ("f('a')", 'f("a")', True),
        ("f(a)  # why", "f(a)", True),
        ("f(a, # why\n b)", "f(a, b)", True),
        ("f('a')", "f('b')", False),
        ("f(r'a')", "f('a')", False),
        ("f(a, b)", "f(b, a)", False),
        ("f((a,))", "f((a))", True),  # comma before a bracket: never the only difference that a rule looks at
    ],
)
def test_normal_text_leaves_out_layout(one: str, other: str, equal: bool) -> None:
    assert (code.normal(first("call", one)) == code.normal(first("call", other))) is equal


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("30", 30.0),
        ("0x10", 16.0),
        ("1_000", 1000.0),
        ("2.5", 2.5),
        ("-1", -1.0),
        ("60 * 5", 300.0),
        ("(30)", 30.0),
        ("60 + 5", None),
        ("30j", None),
        ("TIMEOUT", None),
        ("'30'", None),
        ("9" * 5000, None),
    ],
)
def test_number(source: str, value: float | None) -> None:
    assert code.number(first("assignment", f"x = {source}").child_by_field_name("right")) == value


def test_keywords_and_splats() -> None:
    call = first("call", "get(url, timeout=3, headers={}, **more)")
    assert {name: code.text(value) for name, value in code.keywords(call).items()} == {"timeout": "3", "headers": "{}"}
    assert code.has_splat(call)
    assert not code.has_splat(first("call", "get(url, *more)"))
    assert code.keywords(first("call", "sum(x for x in y)")) == {}


# --------------------------------------------------------------------------- ranges


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=12))
def test_merged_ranges_hold_the_same_bytes(pairs: list[tuple[int, int]]) -> None:
    ranges = [(start, start + length) for start, length in pairs]
    union = merged(ranges)
    held = {byte for start, end in ranges for byte in range(start, end)}
    assert {byte for start, end in union for byte in range(start, end)} == held
    assert all(a[1] <= b[0] for a, b in pairwise(union))


# --------------------------------------------------------------------------- anchors


def file_of(before: str, after: str) -> FileChange:
    old, new = before.encode(), after.encode()
    return FileChange(
        path="a.py",
        old_path="a.py",
        status=FileStatus.MODIFIED,
        before=old,
        after=new,
        hunks=hunks_between(old, new),
    )


@pytest.mark.parametrize(
    ("before", "after", "old_line", "expected"),
    [
        ("a\nb\nc\n", "a\nc\n", 2, 2),  # removed: the following line
        ("a\nb\nc\n", "a\nx\nc\n", 2, 2),  # replaced: the first added line
        ("a\nb\nc\n", "x\ny\na\nb\nc\n", 3, 5),  # moved down by what was added above
        ("a\nb\nc\n", "c\n", 3, 1),  # moved up by what was removed above
        ("a\nb\nc\n", "a\nb\n", 3, 2),  # the last line went: the line before is all there is
        ("a\n", "", 1, 1),
    ],
)
def test_anchor(before: str, after: str, old_line: int, expected: int) -> None:
    assert anchor(file_of(before, after), old_line) == expected


LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=8)


@given(LINES, LINES, st.integers(1, 12))
def test_an_anchor_is_a_line_of_the_new_side(before: list[str], after: list[str], old_line: int) -> None:
    file = file_of("\n".join(before), "\n".join(after))
    assert 1 <= anchor(file, old_line) <= max(1, len("\n".join(after).splitlines()) + 1)


@given(LINES)
def test_an_unchanged_line_stays_where_it_is(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    file = file_of(text, text)
    assert [anchor(file, number) for number in range(1, len(lines) + 1)] == list(range(1, len(lines) + 1))


# --------------------------------------------------------------------------- the view


def test_own_code_is_what_no_nested_function_holds() -> None:
    source = "def outer():\n    a()\n    def inner():\n        b()\n    c()\n"
    view = View(case_of({"a.py": (None, source)}), Paths())
    names = {
        touched.change.id.qualname: [code.callee(match["match"]) for match in view.own("(call) @match", touched.after)]
        for touched in view.functions
        if touched.after is not None
    }
    assert names["outer"] == ["a", "c"]
    assert names["outer.inner"] == ["b"]


def test_searching_one_by_one_and_all_at_once_agree() -> None:
    functions = "".join(
        f"def f{n}(x):\n    if x:\n        call_{n}(x)\n    return lambda: g{n}()\n\n" for n in range(12)
    )
    many = View(case_of({"a.py": (None, functions)}), Paths())
    few = View(case_of({"a.py": (functions.replace("call_3", "called_3"), functions)}), Paths())
    (single,) = (touched for touched in few.functions if touched.change.id.qualname == "f3")
    (grouped,) = (touched for touched in many.functions if touched.change.id.qualname == "f3")
    assert single.after is not None
    assert grouped.after is not None
    found = [
        [code.text(match["match"]) for match in view.own("(call) @match", side)]
        for view, side in ((few, single.after), (many, grouped.after))
    ]
    assert found == [["call_3(x)", "g3()"]] * 2


def test_cosmetic_changes_are_not_looked_at() -> None:
    case = case_of({"a.py": ("def f():\n    return g('a')\n", 'def f():\n    # same\n    return g("a")\n')})
    assert [change.kind for change in case.functions] == [ChangeKind.COSMETIC]
    assert View(case, Paths()).functions == ()


def test_depth_costs_neither_stack_nor_a_square() -> None:
    deep = "(" * 20_000 + "x" + ")" * 20_000
    chain = "a" + ".b()" * 20_000
    view = View(case_of({"a.py": (None, f"def f():\n    return {deep}\n\ndef g():\n    return {chain}\n")}), Paths())
    for touched in view.functions:
        assert touched.after is not None
        code.normal(touched.after.node)
        for match in view.own("(call) @match", touched.after)[:50]:
            code.callee(match["match"])
