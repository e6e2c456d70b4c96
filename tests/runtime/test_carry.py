"""A profile of what was deployed, read as one of a later revision."""

from collections.abc import Callable

import pytest

from gatecli.model import FileChange, FunctionChange, FunctionId, Usage, UsageStatus
from gatecli.runtime.attach import attach, function_id
from gatecli.runtime.carry import MAX_FILES, Carried, Since, Way, as_of, carry, files_to_follow, files_to_parse
from gatecli.runtime.edges import Edge
from gatecli.runtime.profile import EntryPoint, EntryShare, Meta, Profile, ProfiledFunction
from tests.runtime.support import change
from tests.syntax.changes import changes, file_change

TOTAL = """\
def total(lines):
    result = 0
    for line in lines:
        if line.amount < 0:
            raise ValueError("negative amount", line)
        result += line.amount * line.price
    return result
"""
SHIP = """\
def ship(order, carrier):
    label = carrier.label(order.address, order.weight)
    order.tracking = label.number
    order.save()
    return label
"""


def profile(*ids: str, **parts: object) -> Profile:
    rows = tuple(ProfiledFunction(id=id, kind="function", match="qualname") for id in sorted(ids))
    return Profile(meta=Meta(revision="0" * 40), functions=rows, **parts)


def carried(recorded: Profile, *files: FileChange, behind: int = 3) -> Carried:
    return carry(recorded, files, changes(*files), behind=behind)


def ids(profile: Profile) -> list[str]:
    return [row.id for row in profile.functions]


def test_nothing_changed_costs_nothing() -> None:
    recorded = profile("a.py::total")
    assert carry(recorded, (), (), behind=0) == Carried(profile=recorded, commits_behind=0)
    assert carry(recorded, (), (), behind=0).profile is recorded


@pytest.mark.parametrize(
    ("before", "after", "path", "found", "since"),
    [
        pytest.param(
            TOTAL, TOTAL.replace("result = 0", "result = 1"), "a.py",
            "a.py::total", Since(was=function_id("a.py::total"), way=Way.NAME, changed=True), id="edited",
        ),
        pytest.param(
            TOTAL, TOTAL.replace("    result = 0\n", "    # none yet\n    result = 0\n"), "a.py",
            "a.py::total", Since(was=function_id("a.py::total"), way=Way.NAME), id="commented",
        ),
        pytest.param(
            TOTAL, TOTAL, "b.py", "b.py::total", Since(was=function_id("a.py::total"), way=Way.NAME), id="file renamed",
        ),
        pytest.param(
            TOTAL, TOTAL.replace("total", "amount_of"), "a.py",
            "a.py::amount_of", Since(was=function_id("a.py::total"), way=Way.CODE), id="renamed",
        ),
        pytest.param(
            TOTAL, TOTAL.replace("total", "amount_of").replace("* line.price", "* line.cost"), "a.py",
            "a.py::amount_of", Since(was=function_id("a.py::total"), way=Way.CODE, changed=True), id="renamed, edited",
        ),
        pytest.param(
            TOTAL, "class Cart:\n" + "".join(f"    {line}\n" for line in TOTAL.splitlines()), "a.py",
            "a.py::Cart.total", Since(was=function_id("a.py::total"), way=Way.CODE), id="into a class",
        ),
    ],
)  # fmt: skip
def test_one_function(before: str, after: str, path: str, found: str, since: Since) -> None:
    result = carried(
        profile("a.py::total"), file_change(before, after, path, old_path="a.py" if path != "a.py" else None)
    )
    assert ids(result.profile) == [found]
    assert result.since[function_id(found)] == since
    assert result.gone == {}


def test_moved_to_another_file() -> None:
    result = carried(
        profile("a.py::total", "a.py::ship"),
        file_change(TOTAL + SHIP, SHIP, "a.py"),
        file_change(None, TOTAL, "lib/sums.py"),
    )
    assert ids(result.profile) == ["a.py::ship", "lib/sums.py::total"]
    assert result.since[function_id("lib/sums.py::total")].way is Way.CODE


# Most lines stay, most tokens do not: the long lines are new.
BY_LINES = (
    "def f(a):\n" + "    a()\n" * 6 + "    return x + y + z\n",
    "def g(a):\n" + "    a()\n" * 6 + f"    return [{', '.join(f'b{i}(c{i})' for i in range(40))}]\n",
)


def test_most_of_the_lines_stand_in_a_new_function() -> None:
    result = carried(profile("a.py::f"), file_change(*BY_LINES))
    assert ids(result.profile) == ["a.py::g"]
    assert result.since == {
        function_id("a.py::g"): Since(was=function_id("a.py::f"), way=Way.LINES, changed=True),
    }


def test_lines_that_went_into_a_known_function_are_not_that_function() -> None:
    """``g`` was there before: what was recorded of ``f`` is not added to it."""
    before = "def g(a):\n    b()\n\n\ndef f(a):\n    a()\n    return c(a)\n"
    after = "def g(a):\n    b()\n    a()\n    return c(a)\n"
    result = carried(profile("a.py::f", "a.py::g"), file_change(before, after))
    assert ids(result.profile) == ["a.py::f", "a.py::g"]
    assert result.gone == {function_id("a.py::f"): "removed, and no function has its lines or its name"}
    assert result.warnings == ("1 recorded function is no longer in the code: a.py::f",)


def rewritten(*recorded: str, added: dict[str, str]) -> Carried:
    """``Cart.total`` of a.py goes; each of ``added`` comes, with code that has nothing to do with it."""
    cart = "class Cart:\n" + "".join(f"    {line}\n" for line in TOTAL.splitlines())
    files = [file_change(cart, "x = 1\n")]
    files += [
        file_change(None, f"class {name}:\n    def total(self):\n        return 7\n", path)
        for path, name in added.items()
    ]
    return carried(profile("a.py::Cart.total", *recorded), *files)


def test_the_only_function_of_that_name() -> None:
    result = rewritten(added={"b.py": "Cart"})
    assert ids(result.profile) == ["b.py::Cart.total"]
    expected = Since(was=function_id("a.py::Cart.total"), way=Way.UNIQUE_NAME, changed=True)
    assert result.since[function_id("b.py::Cart.total")] == expected


@pytest.mark.parametrize(
    ("recorded", "added"),
    [
        pytest.param((), {"b.py": "Cart", "c.py": "Cart"}, id="two now"),
        pytest.param(("z.py::Cart.total",), {"b.py": "Cart"}, id="two before"),
        pytest.param((), {"b.py": "Basket"}, id="another name"),
    ],
)
def test_a_name_that_says_too_little(recorded: tuple[str, ...], added: dict[str, str]) -> None:
    result = rewritten(*recorded, added=added)
    assert ids(result.profile) == ["a.py::Cart.total", *recorded]
    assert list(result.gone) == [function_id("a.py::Cart.total")]


def test_a_deleted_file() -> None:
    result = carried(profile("a.py::total"), file_change(TOTAL, None))
    assert result.gone == {function_id("a.py::total"): "its file was deleted"}


def test_an_untouched_function_of_a_renamed_file() -> None:
    """A file that is renamed and edited elsewhere: the function itself is in no diff."""
    result = carried(profile("a.py::ship"), file_change(TOTAL + SHIP, "y = 2\n" + SHIP, "b.py", old_path="a.py"))
    assert ids(result.profile) == ["b.py::ship"]
    assert result.since[function_id("b.py::ship")] == Since(was=function_id("a.py::ship"), way=Way.NAME)


def test_all_parts_of_the_profile_get_the_new_names() -> None:
    recorded = Profile(
        meta=Meta(),
        functions=(
            ProfiledFunction(
                id="a.py::total", kind="function", entry_points=(EntryShare(id="a.py::total"), EntryShare(id="http /x"))
            ),
            ProfiledFunction(id="z.py::top", kind="function"),
        ),
        edges=(Edge(caller="a.py::total", callee="z.py::top", basis="counted"),
               Edge(caller="z.py::top", callee="a.py::total", basis="counted"),
               Edge(caller="z.py::top", callee="z.py::other", basis="counted")),
        entry_points=(EntryPoint(id="a.py::total", handler="a.py::total"),
                      EntryPoint(id="http /x", handler="z.py::top")),
        tests={"a.py::total": ("tests/test_a.py::test",)},
    )  # fmt: skip
    found = carried(recorded, file_change(TOTAL, TOTAL, "~.py", old_path="a.py")).profile
    assert found == Profile(
        meta=Meta(),
        functions=(
            ProfiledFunction(id="z.py::top", kind="function"),
            ProfiledFunction(
                id="~.py::total", kind="function", entry_points=(EntryShare(id="~.py::total"), EntryShare(id="http /x"))
            ),
        ),
        edges=(
            Edge(caller="~.py::total", callee="z.py::top", basis="counted"),
            Edge(caller="z.py::top", callee="~.py::total", basis="counted"),
            Edge(caller="z.py::top", callee="z.py::other", basis="counted"),
        ),
        entry_points=(
            EntryPoint(id="http /x", handler="z.py::top"),
            EntryPoint(id="~.py::total", handler="~.py::total"),
        ),
        tests={"~.py::total": ("tests/test_a.py::test",)},
    )
    assert found.function("~.py::total") is not None


def test_a_profile_that_names_a_function_the_code_never_had() -> None:
    """No id is there twice, or nothing could be looked up."""
    result = carried(profile("a.py::total", "a.py::amount_of"), file_change(TOTAL, TOTAL.replace("total", "amount_of")))
    assert ids(result.profile) == ["a.py::amount_of"]


def test_a_commit_the_other_way_and_too_many_files_are_said() -> None:
    found = carry(profile(), (), (), behind=0, ahead=2, truncated=True)
    assert found.warnings == (
        "the recorded revision has 2 commits that the base of the change lacks",
        "more than 2,000 Python files changed since the profile was recorded: "
        "only the functions of the touched files are followed",
    )


PAIRS = [("a.py", "a.py"), ("b.py", "c.py"), (None, "new.py"), (None, "tests/test_new.py"), ("quiet.py", "quiet.py")]


@pytest.mark.parametrize(
    ("touched", "expected"),
    [
        (set(), {"a.py", "new.py"}),
        ({"c.py"}, {"a.py", "new.py", "c.py"}),
        ({"quiet.py", "tests/test_new.py"}, {"a.py", "new.py", "quiet.py", "tests/test_new.py"}),
    ],
)
def test_files_that_are_read(touched: set[str], expected: set[str]) -> None:
    """Recorded ones, touched ones, and new ones that functions may have moved to."""
    in_tests: Callable[[str], bool] = lambda path: path.startswith("tests/")  # noqa: E731
    assert files_to_follow(profile("a.py::f", "x.py::g"), touched, PAIRS, in_tests) == expected


def test_of_too_many_files_only_the_touched_ones_are_read() -> None:
    pairs = [(f"{i}.py", f"{i}.py") for i in range(MAX_FILES + 1)]
    recorded = profile(*(f"{i}.py::f" for i in range(10)))
    assert files_to_follow(recorded, {"7.py"}, pairs, lambda path: False) == {"7.py"}
    assert len(files_to_follow(recorded, {"7.py"}, pairs[1:], lambda path: False)) == 9


EDIT = file_change(TOTAL, TOTAL.replace("= 0", "= 1"), "edit.py")
GAIN = file_change(TOTAL, TOTAL + SHIP, "gain.py")
LOSE = file_change(TOTAL + SHIP, TOTAL, "lose.py")
GONE = file_change(TOTAL, None, "gone.py")
SAME = file_change(TOTAL, TOTAL, "new.py", old_path="old.py")


@pytest.mark.parametrize(
    ("files", "touched", "expected"),
    [
        ((EDIT, GAIN), set(), set()),
        ((EDIT, GAIN), {"edit.py"}, {"edit.py"}),
        ((EDIT, GAIN, SAME), {"gain.py", "new.py"}, {"gain.py", "new.py"}),
        ((EDIT, GAIN, LOSE), set(), {"gain.py", "lose.py"}),
        ((EDIT, GAIN, GONE, SAME), set(), {"gain.py", "gone.py"}),
    ],
)
def test_files_that_are_parsed(files: tuple[FileChange, ...], touched: set[str], expected: set[str]) -> None:
    """What only edits bodies cannot take a name away; what only adds functions matters where another lost some."""
    assert {file.path for file in files_to_parse(files, touched)} == expected


# --------------------------------------------------------------------------- what the usage says of it


def usage(since: Since, **fields: object) -> Usage:
    before = Usage(status=UsageStatus.OBSERVED, confidence="high", **fields)
    return as_of(before, FunctionId(path="a.py", qualname="f"), since)


F, G = function_id("a.py::f"), function_id("b.py::g")


@pytest.mark.parametrize(
    ("since", "confidence", "reason"),
    [
        (Since(was=F, way=Way.NAME), "high", None),
        (Since(was=F, way=Way.NAME, changed=True), "medium", "its code changed since"),
        (Since(was=G, way=Way.CODE), "high", "recorded as b.py::g"),
        (Since(was=G, way=Way.CODE, changed=True), "medium", "recorded as b.py::g; its code changed since"),
        (Since(was=G, way=Way.LINES, changed=True), "low",
         "recorded as b.py::g, found by its lines; its code changed since"),
        (Since(was=G, way=Way.UNIQUE_NAME, changed=True), "low",
         "recorded as b.py::g, found by its unique name; its code changed since"),
    ],
)  # fmt: skip
def test_the_usage_says_how_the_function_was_found(since: Since, confidence: str, reason: str | None) -> None:
    assert usage(since) == Usage(status=UsageStatus.OBSERVED, confidence=confidence, reason=reason)
    noted = usage(since, reason="sampled")
    assert noted.reason == "; ".join(filter(None, ("sampled", reason)))


def test_a_function_that_came_after_the_recording_is_not_one_that_does_not_run() -> None:
    touched: FunctionChange = change("a.py::fresh")
    found = attach(profile("a.py::f"), (touched,), {touched.base_id: Since(was=None)})
    assert found == {touched.id: Usage(status=UsageStatus.UNMATCHED, reason="newer than the profile")}
