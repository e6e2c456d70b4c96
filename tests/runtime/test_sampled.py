"""Shares, callers and entry points from stacks, worked out by hand on small recordings."""

import pytest

from gatecli.runtime.entries import Entry
from gatecli.runtime.frames import resolve
from gatecli.runtime.recording import Basis, Frame, Record, Recording, Stack
from gatecli.runtime.sampled import Samples, Weight, measure
from gatecli.syntax.python import read_functions
from tests.runtime.support import SHOP, shop

LIB = "/venv/lib/python3.12/site-packages/lib/x.py"
FRAMES = {
    "module": Frame(file="shop/__main__.py", name="<module>", line=34),
    "main": Frame(file="shop/__main__.py", name="main", line=25),
    "background": Frame(file="shop/__main__.py", name="background", line=12),
    "call": Frame(file="shop/checkout.py", name="Checkout.__call__", line=15),
    "call2": Frame(file="shop/checkout.py", name="Checkout.__call__", line=16),
    "inner": Frame(file="shop/deco.py", name="retry.<locals>.decorate.<locals>.inner", line=22),
    "wrapper": Frame(file="shop/deco.py", name="counted.<locals>.wrapper", line=12),
    "price": Frame(file="shop/pricing.py", name="price_order", line=26),
    "quote": Frame(file="shop/pricing.py", name="quote_shipping", line=37),
    "genexpr": Frame(file="shop/pricing.py", name="quote_shipping.<locals>.<genexpr>", line=38),
    "notify": Frame(file="shop/aio.py", name="notify_all", line=25),
    "create": Frame(file="shop/web.py", name="create_order", line=13),
    "lib": Frame(file=LIB, name="run", line=1),
    "loop": Frame(file="/usr/lib/python3.12/asyncio/events.py", name="Handle._run", line=84),
    "thread": Frame(file="/usr/lib/python3.8/threading.py", name="_bootstrap", line=890),
}
NAMES = list(FRAMES)


def stack(chain: str, samples: int, weight: float | None = None) -> Stack:
    frames = tuple(NAMES.index(name) for name in chain.split())
    return Stack(frames=frames, weight=samples if weight is None else weight, samples=samples)


def sampled(*stacks: Stack, records: tuple[Record, ...] = (), samples: int | None = None) -> Recording:
    return Recording(
        kind="test",
        basis=Basis.SAMPLED,
        frames=tuple(FRAMES.values()),
        stacks=stacks,
        records=records,
        samples=sum(stack.samples for stack in stacks) if samples is None else samples,
    )


def add_up(*recordings: Recording, handlers: tuple[Entry, ...] = ()) -> Samples:
    tables = [recording.frames for recording in recordings]
    matches = resolve(tables, tree=SHOP, functions_of=read_functions).matches
    return measure(
        zip(recordings, matches, strict=True), {entry.handler: entry for entry in handlers if entry.handler is not None}
    )


MAIN, CALL, PRICE, QUOTE = (
    shop("__main__.py::main"),
    shop("checkout.py::Checkout.__call__"),
    shop("pricing.py::price_order"),
    shop("pricing.py::quote_shipping"),
)


def test_leaf_own_and_total() -> None:
    found = add_up(
        sampled(stack("module main lib", 3), stack("module main call lib lib", 5), stack("module main call", 2))
    )
    assert found.count == 10
    assert found.weights == {
        shop("__main__.py::<module>"): Weight(leaf=0, own=0, total=10),
        MAIN: Weight(leaf=0, own=3, total=10),
        CALL: Weight(leaf=2, own=7, total=7),
    }


def test_recursion_counts_once_a_stack() -> None:
    found = add_up(sampled(stack("main call main call2 main call", 4)))
    assert found.weights[CALL] == Weight(leaf=4, own=4, total=4)
    assert found.weights[MAIN].total == 4
    assert found.edges == {(MAIN, CALL): 4, (CALL, MAIN): 4}  # each call once, and none to itself


def test_stacks_without_project_frames_are_samples_too() -> None:
    found = add_up(sampled(stack("main", 1), stack("lib", 2), Stack(frames=(), weight=1, samples=1)))
    assert (found.count, found.weights[MAIN].total) == (4, 1)


def test_weights_are_scaled_to_samples() -> None:
    """austin's microseconds: 3/4 of the time in two of four samples is three samples' worth."""
    found = add_up(sampled(stack("main", 2, weight=30_000), stack("lib", 2, weight=10_000)))
    assert (found.count, found.weights[MAIN].total) == (4, 3)


def test_recordings_are_pooled_by_samples() -> None:
    found = add_up(sampled(stack("main", 10)), sampled(stack("main", 1, weight=5.0), stack("call", 1, weight=15.0)))
    assert found.count == 12
    assert found.weights[MAIN].total == pytest.approx(10.5)


def test_inner_code_is_its_function() -> None:
    found = add_up(sampled(stack("main quote genexpr", 3)))
    assert found.weights[QUOTE] == Weight(leaf=3, own=3, total=3)
    assert found.edges == {(MAIN, QUOTE): 3}


def test_wrappers_are_left_out_between_caller_and_callee() -> None:
    """The wrapper keeps its callers and its time, but does not join its callers to everything it wraps."""
    wrapper, inner = shop("deco.py::counted.wrapper"), shop("deco.py::retry.decorate.inner")
    found = add_up(
        sampled(stack("main call inner wrapper quote", 3), stack("main call wrapper price", 2), stack("call inner", 1))
    )
    assert found.edges == {
        (MAIN, CALL): 5,
        (CALL, QUOTE): 3,
        (CALL, PRICE): 2,
        (CALL, inner): 4,
        (inner, wrapper): 3,
        (CALL, wrapper): 2,
    }
    assert found.weights[wrapper] == Weight(leaf=0, own=0, total=5)
    assert found.weights[inner].leaf == 1


def entries(found: Samples) -> dict[tuple[str, str | None], float]:
    return {(entry.id, entry.kind): weight for entry, weight in found.entries.items()}


@pytest.mark.parametrize(
    ("chain", "entry"),
    [
        ("module main call", ("shop/__main__.py::main", "cli")),
        ("module lib", ("shop/__main__.py::<module>", "cli")),
        ("lib call price", ("shop/checkout.py::Checkout.__call__", None)),
        ("thread lib background call", ("shop/__main__.py::background", "thread")),
        ("module main lib loop notify", ("shop/aio.py::notify_all", "task")),
        ("module main lib loop lib", ("shop/__main__.py::main", "cli")),  # the event loop waits
        ("lib wrapper price", ("shop/pricing.py::price_order", None)),  # not the wrapper
        ("lib inner wrapper quote", ("shop/pricing.py::quote_shipping", None)),
    ],
)
def test_where_a_stack_came_in(chain: str, entry: tuple[str, str | None]) -> None:
    found = add_up(sampled(stack(chain, 3)))
    assert entries(found) == {entry: 3}
    assert all(shares == {entry[0]: 3} for shares in found.by_entry.values())


def test_no_call_is_drawn_over_the_event_loop() -> None:
    found = add_up(sampled(stack("module main lib loop notify call", 1)))
    assert set(found.edges) == {
        (shop("__main__.py::<module>"), MAIN),
        (shop("aio.py::notify_all"), CALL),
    }


HTTP = Entry(id="http POST /orders", kind="http", handler=shop("web.py::create_order"))
COMMAND = Entry(id="command sync", kind="cli", handler=MAIN)


@pytest.mark.parametrize(
    ("chain", "entry"),
    [
        ("module main lib loop lib create call", ("http POST /orders", "http")),
        ("module main lib create call", ("http POST /orders", "http")),  # not the command that serves
        ("module main call", ("command sync", "cli")),
        ("module main lib loop notify", ("shop/aio.py::notify_all", "task")),
    ],
)
def test_known_handlers_come_first(chain: str, entry: tuple[str, str | None]) -> None:
    assert entries(add_up(sampled(stack(chain, 1)), handlers=(HTTP, COMMAND))) == {entry: 1}


def test_records_without_chains() -> None:
    """Python 3.15's sampled pstats: one record a line, no stacks, so no own time and no entry points."""
    call, call2, main = NAMES.index("call"), NAMES.index("call2"), NAMES.index("main")
    found = add_up(
        sampled(
            records=(
                Record(frame=call, calls=None, self_weight=1, total_weight=4, callers=((main, 4),)),
                Record(frame=call2, calls=None, self_weight=2, total_weight=3, callers=((main, 3),)),
                Record(frame=main, calls=None, self_weight=1, total_weight=8),
                Record(frame=NAMES.index("lib"), calls=None, self_weight=4, total_weight=4, callers=((call, 4),)),
            ),
            samples=8,
        )
    )
    assert found.weights[CALL] == Weight(leaf=3, own=0, total=7)
    assert found.edges == {(MAIN, CALL): 7}
    assert (found.has_chains, dict(found.entries)) == (False, {})


def test_other_bases_are_not_added() -> None:
    assert add_up(Recording(kind="x", basis=Basis.COUNTED, frames=(), samples=5)).count == 0
