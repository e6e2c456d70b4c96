"""Calls, times and callers from counted records."""

from gatecli.runtime.counted import Count, Counts, count
from gatecli.runtime.frames import resolve
from gatecli.runtime.recording import Basis, Frame, Record, Recording
from gatecli.syntax.python import read_functions
from tests.runtime.support import SHOP, shop

FRAMES = {
    "exec": Frame(file="~", name="<built-in method builtins.exec>"),
    "main": Frame(file="/app/shop/__main__.py", name="main", first_line=16),
    "call": Frame(file="/app/shop/checkout.py", name="__call__", first_line=11),
    "validate": Frame(file="/app/shop/models.py", name="validate", first_line=28),
    "lambda": Frame(file="/app/shop/models.py", name="<lambda>", first_line=29),
    "item": Frame(file="/app/shop/models.py", name="validate", first_line=14),
    "lines": Frame(file="/app/shop/pricing.py", name="price_lines", first_line=43),
    "render": Frame(file="/app/shop/aio.py", name="_render", first_line=9),
    "inner": Frame(file="/app/shop/deco.py", name="inner", first_line=19),
    "wrapper": Frame(file="/app/shop/deco.py", name="wrapper", first_line=9),
    "price": Frame(file="/app/shop/pricing.py", name="price_order", first_line=24),
    "quote": Frame(file="/app/shop/pricing.py", name="quote_shipping", first_line=31),
    "receipt": Frame(file="/app/shop/web.py", name="receipt", first_line=17),
}
NAMES = list(FRAMES)


def record(name: str, calls: int, own: float = 0.0, total: float | None = 0.0, **callers: int) -> Record:
    return Record(
        frame=NAMES.index(name),
        calls=calls,
        self_weight=own,
        total_weight=total,
        callers=tuple((NAMES.index(caller), number) for caller, number in callers.items()),
    )


def add_up(*records: Record, generators: bool = True, coroutines: bool = True) -> Counts:
    recording = Recording(
        kind="pstats",
        basis=Basis.COUNTED,
        frames=tuple(FRAMES.values()),
        records=records,
        resumed_generators=generators,
        resumed_coroutines=coroutines,
    )
    matches = resolve([recording.frames], tree=SHOP, functions_of=read_functions).matches
    return count([(recording, matches[0])])


VALIDATE, ITEM = shop("models.py::Order.validate"), shop("models.py::Item.validate")


def test_calls_and_times() -> None:
    found = add_up(
        record("exec", 1, 0.5, 4.0), record("main", 1, 1.0, 3.5, exec=1), record("call", 40, 2.5, 2.5, main=40)
    )
    assert found.seconds == 4.0
    assert found.functions == {
        shop("__main__.py::main"): Count(calls=1, self_s=1.0, total_s=3.5),
        shop("checkout.py::Checkout.__call__"): Count(calls=40, self_s=2.5, total_s=2.5),
    }
    assert found.edges == {(shop("__main__.py::main"), shop("checkout.py::Checkout.__call__")): 40}


def test_a_lambda_s_time_is_its_function_s_and_its_calls_are_not() -> None:
    found = add_up(
        record("validate", 700, 1.0, 3.0),
        record("lambda", 28_000, 0.5, 1.5, exec=28_000),
        record("item", 28_000, 1.0, 1.0, **{"lambda": 28_000}),
    )
    assert found.functions[VALIDATE] == Count(calls=700, self_s=1.5, total_s=3.0)
    assert found.edges == {(VALIDATE, ITEM): 28_000}


def test_resumptions_are_said() -> None:
    def overcounted(**tool: bool) -> list[bool]:
        found = add_up(record("lines", 4_185), record("render", 350), record("call", 1), **tool)
        keys = ("pricing.py::price_lines", "aio.py::Notifier._render", "checkout.py::Checkout.__call__")
        return [found.functions[shop(key)].overcounted for key in keys]

    assert overcounted(generators=True, coroutines=True) == [True, True, False]
    assert overcounted(generators=True, coroutines=False) == [True, False, False]
    assert overcounted(generators=False, coroutines=False) == [False, False, False]


def test_a_total_that_is_not_known_stays_unknown() -> None:
    found = add_up(record("item", 1, 1.0, None), record("item", 2, 1.0, 5.0))
    assert found.functions[ITEM] == Count(calls=3, self_s=2.0, total_s=None)


CALL, PRICE, QUOTE = (
    shop("checkout.py::Checkout.__call__"),
    shop("pricing.py::price_order"),
    shop("pricing.py::quote_shipping"),
)
INNER, WRAPPER = shop("deco.py::retry.decorate.inner"), shop("deco.py::counted.wrapper")


def test_a_wrapper_with_one_callee_is_seen_through() -> None:
    found = add_up(
        record("price", 9, wrapper=9), record("wrapper", 9, call=5, main=4), record("call", 5), record("main", 1)
    )
    assert found.edges == {
        (CALL, PRICE): 5,
        (shop("__main__.py::main"), PRICE): 4,
        (CALL, WRAPPER): 5,
        (shop("__main__.py::main"), WRAPPER): 4,
    }
    assert found.warnings == []


def test_a_wrapper_with_one_caller_is_seen_through() -> None:
    found = add_up(
        record("price", 9, wrapper=9), record("quote", 7, wrapper=7), record("wrapper", 16, call=16), record("call", 1)
    )
    assert found.edges == {(CALL, PRICE): 9, (CALL, QUOTE): 7, (CALL, WRAPPER): 16}


def test_wrappers_of_wrappers() -> None:
    found = add_up(
        record("quote", 7, wrapper=7), record("wrapper", 7, inner=7), record("inner", 7, call=7), record("call", 1)
    )
    assert found.edges == {(CALL, QUOTE): 7, (INNER, WRAPPER): 7, (CALL, INNER): 7}


def test_a_shared_wrapper_hides_its_callers() -> None:
    """Two callers and two callees: counts do not say who reached which, so no call is claimed, and that is said."""
    found = add_up(
        record("price", 9, wrapper=9),
        record("quote", 7, wrapper=7),
        record("wrapper", 16, call=9, inner=7),
        record("call", 1),
    )
    assert found.edges == {(CALL, WRAPPER): 9, (INNER, WRAPPER): 7}
    assert found.warnings == [(0, "2 callers are hidden by wrappers: call counts do not tell who reached which")]


def test_wrappers_that_call_each_other_in_a_circle_end() -> None:
    found = add_up(record("quote", 7, wrapper=7), record("wrapper", 7, inner=7), record("inner", 7, wrapper=7))
    assert (INNER, QUOTE) not in found.edges
    assert found.warnings == [(0, "1 callers are hidden by wrappers: call counts do not tell who reached which")]


def test_a_call_to_itself_is_no_caller() -> None:
    assert add_up(record("call", 3, call=2)).edges == {}
