"""What engines answer, damaged: read or refused with an error of gate's, never anything else.

``GATE_FUZZ=20000`` damages each answer that often.
"""

import json
import os
import random
from collections.abc import Callable

import pytest

from gatecli.config import Engine, FetchConfig
from gatecli.errors import GateError
from gatecli.runtime import engines
from gatecli.runtime.engines.url import Question
from gatecli.runtime.profile import encode
from tests.runtime.formats.mutation import mutated
from tests.runtime.formats.wire import message
from tests.runtime.support import PROFILES, build

MUTATIONS = int(os.environ.get("GATE_FUZZ", "150"))
NOW = 1_795_223_600


def rows(*values: list[object]) -> bytes:
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def vector(*series: tuple[dict[str, str], float]) -> bytes:
    result = [{"metric": labels, "value": [NOW, str(value)]} for labels, value in series]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


PRICE, CHECKOUT = {"module": "shop.pricing", "function": "price_order"}, {"module": "shop.checkout", "function": "x"}
TRACEBACK = ["Boom", "/app/shop/web.py", "28", "boom", 3]
# In the order in which an engine is asked.
ANSWERS: dict[Engine, list[bytes]] = {
    Engine.CLICKHOUSE: [
        rows([40, 30, 10, NOW - 1_000.5, ["shop"], ["a" * 40], ["production"], ["3.12.1"]]),
        rows(
            [1, "http", "POST /orders", "", "", "", 10, 10, 1, 4.5, [4, 9, 10], NOW - 9, NOW - 8, 10],
            [2, "", "", "shop.pricing.price_order", "/app/shop/pricing.py", "9", 20, 20, 0, 1.5, [1, 2, 3], NOW - 9,
             NOW - 8, 20],
        ),
        rows([2, False, [1], [20]], [2, True, [1], [20]]),
        rows([[0, 1], ["Server", "Internal"], [1, 2], [1, 1_000], [5_000_000, 1_000_000]]),
        rows(TRACEBACK),
    ],
    Engine.PROMETHEUS: [
        vector(({**PRICE, "result": "ok"}, 90.0), ({**PRICE, "result": "error"}, 10.0)),
        vector(({**PRICE, "caller_module": "shop.checkout", "caller_function": "Checkout.__call__"}, 9.0)),
        vector((PRICE, 4.0)),
        vector((PRICE, 9.0)),
        vector(({"commit": "a" * 40}, 1.0)),
        vector(),
    ],
    Engine.PYROSCOPE: [
        message(5, message(1, (PROFILES / "pyroscope-python.pprof").read_bytes()))
    ],
    Engine.SENTRY: [(PROFILES / "pyspy.speedscope.json").read_bytes()],
}  # fmt: skip


def outcome(engine: Engine, damaged: Callable[[int, bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> str:
    """What asking comes to, where the n-th answer is ``damaged(n, answer)``."""
    answers = ANSWERS[engine]
    asked = 0

    def ask(question: Question, *, limit_bytes: int, timeout_s: float) -> bytes:
        nonlocal asked
        number, asked = asked, asked + 1
        return damaged(number, answers[min(number, len(answers) - 1)])

    monkeypatch.setattr(engines, "ask", ask)
    source = FetchConfig(engine=engine, url="http://engine.test", service="shop", organization="shop")
    try:
        encode(build(engines.fetch(source, now=NOW, window_s=3_600)))
    except GateError as error:
        return type(error).__name__
    return "read"


@pytest.mark.parametrize("engine", ANSWERS)
def test_whole_answers_are_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(engine, lambda number, answer: answer, monkeypatch) == "read"


@pytest.mark.parametrize("engine", ANSWERS)
def test_damaged_answers_end_in_gate_s_own_error(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(MUTATIONS):
        rng = random.Random(seed)
        which = rng.randrange(len(ANSWERS[engine]))
        outcome(
            engine, lambda number, answer, at=which, rng=rng: mutated(answer, rng) if number == at else answer,
            monkeypatch,
        )  # fmt: skip


def test_numbers_of_any_length_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    long = b"9" * 400

    def damaged(number: int, answer: bytes) -> bytes:
        return answer.replace(b", 3]", b", " + long + b"]") if number == 4 else answer

    assert outcome(Engine.CLICKHOUSE, damaged, monkeypatch) == "EvidenceError"


@pytest.mark.parametrize(
    ("content", "message"), [(b"\0\1\2", "not a known profile format"), (b"", "the file is empty")]
)
def test_an_answer_that_is_no_recording(content: bytes, message: str) -> None:
    with pytest.raises(GateError, match=message):
        engines.file(content, FetchConfig(engine=Engine.URL, url="http://engine.test"))
