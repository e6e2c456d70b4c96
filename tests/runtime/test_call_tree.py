from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.model import CallFrame, CallTree, FunctionId, Measure
from gatecli.runtime.call_tree import MAX_DEPTH, MAX_FRAMES, call_tree
from gatecli.runtime.edges import Edge
from gatecli.runtime.profile import EntryPoint, EntryShare, Meta, Profile, ProfiledFunction, TimeShare


def timed(id: str, share: float, samples: int | None = None, **entries: float) -> ProfiledFunction:
    return ProfiledFunction(
        id=id,
        kind="function",
        time_total=TimeShare(share=share, samples=samples),
        entry_points=tuple(EntryShare(id=f"http {name} /", share=part) for name, part in entries.items()),
    )


def entry(name: str, handler: str, weight: float | None = None) -> EntryPoint:
    return EntryPoint(id=f"http {name} /", kind="http", handler=handler, weight=weight)


def sampled(caller: str, callee: str, samples: int) -> Edge:
    return Edge(caller=caller, callee=callee, samples=samples, basis="sampled")


def counted(caller: str, callee: str, calls: int) -> Edge:
    return Edge(caller=caller, callee=callee, calls=calls, basis="counted")


def profile(functions: list[ProfiledFunction], edges: list[Edge], entries: list[EntryPoint] | None = None) -> Profile:
    return Profile(meta=Meta(), functions=tuple(functions), edges=tuple(edges), entry_points=tuple(entries or ()))


def tree(given: Profile, *touched: str) -> CallTree:
    found = call_tree(given, {FunctionId(path=id.partition("::")[0], qualname=id.partition("::")[2]) for id in touched})
    assert found is not None
    return found


def drawn(frames: tuple[CallFrame, ...], depth: int = 0) -> list[str]:
    lines = []
    for frame in frames:
        lines.append(f"{'  ' * depth}{frame.label} {frame.share:.3g}")
        lines += drawn(frame.children, depth + 1)
    return lines


def every(frames: tuple[CallFrame, ...]) -> Iterator[CallFrame]:
    for frame in frames:
        yield frame
        yield from every(frame.children)


def test_time_flows_from_the_entry_points_down() -> None:
    given = profile(
        [
            timed("web.py::order", 0.3, 300, POST=1.0),
            timed("pay.py::Client.charge", 0.2, 200, POST=1.0),
            timed("web.py::show", 0.1, 100, GET=1.0),
        ],
        [sampled("web.py::order", "pay.py::Client.charge", 200)],
        [entry("POST", "web.py::order"), entry("GET", "web.py::show")],
    )
    found = tree(given)
    assert found.measure is Measure.TIME
    assert not found.truncated
    assert drawn(found.frames) == [
        "POST / 0.3",
        "  web.order 0.3",
        "    pay.Client.charge 0.2",
        "GET / 0.1",
        "  web.show 0.1",
    ]
    assert found.frames[0].function is None
    assert found.frames[0].children[0].function == FunctionId(path="web.py", qualname="order")


def test_a_function_of_two_callers_is_split_between_them() -> None:
    given = profile(
        [timed("a.py::one", 0.4, 400), timed("a.py::two", 0.2, 200), timed("a.py::both", 0.4, 400)],
        [sampled("a.py::one", "a.py::both", 300), sampled("a.py::two", "a.py::both", 100)],
    )
    assert drawn(tree(given).frames) == ["a.one 0.4", "  a.both 0.3", "a.two 0.2", "  a.both 0.1"]


def test_counted_calls_split_measured_time() -> None:
    given = profile(
        [timed("a.py::one", 0.5), timed("a.py::two", 0.5), timed("a.py::both", 0.4)],
        [counted("a.py::one", "a.py::both", 30), counted("a.py::two", "a.py::both", 10)],
    )
    assert drawn(tree(given).frames) == ["a.one 0.5", "  a.both 0.3", "a.two 0.5", "  a.both 0.1"]


def test_sampled_and_counted_are_not_mixed() -> None:
    given = profile(
        [timed("a.py::one", 0.5, 500), timed("a.py::two", 0.2, 200), timed("a.py::three", 0.1, 100)],
        [sampled("a.py::one", "a.py::two", 200), counted("a.py::one", "a.py::three", 1_000)],
    )
    assert drawn(tree(given).frames) == ["a.one 0.5", "  a.two 0.2"]


def test_a_function_is_not_drawn_below_an_entry_point_it_is_never_reached_by() -> None:
    given = profile(
        [
            timed("web.py::order", 0.3, 300, POST=1.0),
            timed("web.py::quote", 0.3, 300, GET=1.0),
            timed("lib.py::run", 0.4, 400, POST=0.5, GET=0.5),
            timed("pay.py::charge", 0.2, 200, POST=1.0),
        ],
        [
            sampled("web.py::order", "lib.py::run", 200),
            sampled("web.py::quote", "lib.py::run", 200),
            sampled("lib.py::run", "pay.py::charge", 200),
        ],
        [entry("POST", "web.py::order"), entry("GET", "web.py::quote")],
    )
    assert drawn(tree(given).frames) == [
        "GET / 0.3",
        "  web.quote 0.3",
        "    lib.run 0.2",
        "POST / 0.3",
        "  web.order 0.3",
        "    lib.run 0.2",
        "      pay.charge 0.1",
    ]


def test_a_wrapper_does_not_hold_twice_what_it_wraps() -> None:
    given = profile(
        [
            timed("web.py::order", 0.3, 300, POST=1.0),
            timed("trace.py::traced.wrapper", 0.29, 290, POST=1.0),
            timed("pay.py::charge", 0.28, 280, POST=1.0),
        ],
        [
            sampled("web.py::order", "trace.py::traced.wrapper", 290),
            sampled("web.py::order", "pay.py::charge", 280),
        ],
        [entry("POST", "web.py::order")],
    )
    assert drawn(tree(given).frames)[2:] == ["    pay.charge 0.28"]


def test_recursion_ends() -> None:
    given = profile(
        [timed("a.py::one", 0.5, 50), timed("a.py::two", 0.4, 40), timed("a.py::start", 0.5, 50)],
        [
            sampled("a.py::start", "a.py::one", 50),
            sampled("a.py::one", "a.py::two", 40),
            sampled("a.py::two", "a.py::one", 40),
            sampled("a.py::one", "a.py::one", 40),
        ],
    )
    assert drawn(tree(given).frames) == ["a.start 0.5", "  a.one 0.5", "    a.two 0.4"]


def test_without_times_requests_and_calls_are_the_widths() -> None:
    given = profile(
        [
            ProfiledFunction(
                id="web.py::order", kind="function", entry_points=(EntryShare(id="http POST /", share=1.0),)
            ),
            ProfiledFunction(id="pay.py::charge", kind="function"),
            ProfiledFunction(id="db.py::save", kind="function"),
        ],
        [counted("web.py::order", "pay.py::charge", 30), counted("web.py::order", "db.py::save", 10)],
        [entry("POST", "web.py::order", 0.6)],
    )
    found = tree(given)
    assert found.measure is Measure.CALLS
    assert drawn(found.frames) == ["POST / 0.6", "  web.order 0.6", "    pay.charge 0.45", "    db.save 0.15"]


@pytest.mark.parametrize(
    "given",
    [
        profile([], []),
        profile([timed("a.py::one", 0.5, 5)], []),
        profile([], [sampled("a.py::one", "a.py::two", 0)]),
        profile([timed("a.py::one", 0.5, 5)], [counted("a.py::one", "a.py::two", 5)]),
    ],
)
def test_nothing_is_said_where_nothing_is_known(given: Profile) -> None:
    assert call_tree(given, set()) is None


def test_what_is_thin_is_left_out_unless_it_leads_to_the_change() -> None:
    given = profile(
        [
            timed("a.py::start", 1.0, 100_000),
            timed("a.py::thin", 0.0001, 10),
            timed("a.py::way", 0.0001, 10),
            timed("a.py::touched", 0.00005, 5),
        ],
        [
            sampled("a.py::start", "a.py::thin", 10),
            sampled("a.py::start", "a.py::way", 10),
            sampled("a.py::way", "a.py::touched", 5),
        ],
    )
    assert drawn(tree(given, "a.py::touched").frames) == ["a.start 1", "  a.way 0.0001", "    a.touched 5e-05"]
    assert tree(given).truncated
    assert drawn(tree(given).frames) == ["a.start 1"]


def test_it_is_bounded_in_width_and_in_depth() -> None:
    wide = profile(
        [timed("a.py::start", 1.0, 10_000), *(timed(f"a.py::f{n}", 0.001, 10) for n in range(2_000))],
        [sampled("a.py::start", f"a.py::f{n}", 10) for n in range(2_000)],
    )
    found = tree(wide, "a.py::f1999")
    assert found.truncated
    assert len(list(every(found.frames))) <= MAX_FRAMES
    assert "a.f1999" in [frame.label for frame in every(found.frames)]
    deep = profile(
        [timed(f"a.py::f{n}", 0.9, 900) for n in range(3_000)],
        [sampled(f"a.py::f{n}", f"a.py::f{n + 1}", 900) for n in range(2_999)],
    )
    assert len(list(every(tree(deep).frames))) == MAX_DEPTH


names = st.sampled_from([f"m.py::{name}" for name in ("a", "b", "c", "d", "K.e", "f.g")])
shares = st.floats(0, 1)


@given(
    functions=st.lists(st.tuples(names, shares, st.integers(0, 50), shares, shares), unique_by=lambda row: row[0]),
    edges=st.lists(st.tuples(names, names, st.integers(0, 50), st.booleans()), max_size=20),
    weights=st.tuples(shares, shares),
)
def test_parts_never_exceed_their_whole(
    functions: list[tuple[str, float, int, float, float]],
    edges: list[tuple[str, str, int, bool]],
    weights: tuple[float, float],
) -> None:
    given = profile(
        [timed(id, share, samples, POST=post, GET=get) for id, share, samples, post, get in functions],
        [(sampled if is_sampled else counted)(a, b, weight) for a, b, weight, is_sampled in edges],
        [entry("POST", "m.py::a", weights[0]), entry("GET", "m.py::b", weights[1])],
    )
    found = call_tree(given, {FunctionId(path="m.py", qualname="c")})
    for frame in every(found.frames if found else ()):
        assert 0 <= frame.share <= 1
        assert sum(child.share for child in frame.children) <= frame.share + 1e-9
        assert list(frame.children) == sorted(frame.children, key=lambda child: (-child.share, child.label))
    assert found == call_tree(given, {FunctionId(path="m.py", qualname="c")})
