import pytest

from tests.rules.support import messages

TEMPLATE = "def f(x):\n    try:\n        return go(x)\n    except {}:\n        {}\n"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            ("KeyError", "raise"),
            ("Exception", "pass"),
            "now swallows Exception without a trace where it handled KeyError",
        ),
        (("KeyError", "note(x)"), ("Exception", "note(x)"), "now catches Exception where it caught KeyError"),
        (("KeyError", "note(x)"), ("(KeyError, OSError)", "note(x)"), ""),
        (("KeyError as e", "raise X from e"), ("Exception as e", "raise X from e"), ""),  # it still goes up
        (("KeyError", "raise"), ("KeyError", "pass"), "now swallows KeyError that it raised on before"),
        (("KeyError", "note(x)"), ("KeyError", "return None"), "now swallows KeyError that it handled before"),
        (("KeyError", "pass"), ("KeyError", "note(x)"), ""),
        (("Exception", "pass"), ("Exception", "continue"), ""),  # it swallowed before
        (("BaseException", "note(x)"), ("Exception", "note(x)"), ""),
        (("KeyError", "note(x)"), ("KeyError", "return default(x)"), ""),
        (("KeyError", "note(x)"), ("(\n        A,\n        Exception,\n    )", "..."), "now swallows A and Exception"),
    ],
)
def test_broadened(before: tuple[str, str], after: tuple[str, str], expected: str) -> None:
    found = messages("exception-broadened", TEMPLATE.format(*before), TEMPLATE.format(*after))
    assert [message.removeprefix("orders.f ").startswith(expected) for message in found] == [True] * bool(expected)


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("except:\n        pass", ["orders.f now swallows everything without a trace"]),
        ("except* OSError:\n        pass", []),
        (
            "except Exception:  # best effort\n        # nothing to do\n        pass",
            ["orders.f now swallows Exception without a trace"],
        ),
        ("except Exception:\n        return []", ["orders.f now swallows Exception without a trace"]),
        ("except Exception:\n        return [1, 2, 3]", []),
        ("except Exception:\n        x = 1", []),
        ("except KeyError:\n        pass", []),
    ],
)
def test_new_handlers(handler: str, expected: list[str]) -> None:
    after = f"def f(x):\n    try:\n        go(x)\n    {handler}\n"
    assert messages("exception-broadened", "def f(x):\n    go(x)\n", after) == expected
