"""A number that nothing can be is called so, and where it stands, whichever reader meets it."""

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from gatecli.errors import GateError
from gatecli.runtime import formats
from gatecli.runtime.complaints import complaint


class _Row(msgspec.Struct):
    calls: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    seconds: Annotated[float, msgspec.Meta(ge=0, le=1e18)] = 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'[{"calls": 18446744073709551616}]', "the number at $[0].calls is larger than 9223372036854775807"),
        (b'[{"calls": -1}]', "the number at $[0].calls is smaller than 0"),
        (b'[{"seconds": 1e30}]', "the number at $[0].seconds is larger than 1e+18"),
        (b'[{"seconds": 1e400}]', "the number at $[0].seconds is too large to be one"),
        (b'[{"calls": "x"}]', "Expected `int`, got `str` - at `$[0].calls`"),
        (b"[{", "Input data was truncated"),
    ],
)
def test_what_a_decoder_complains_of(text: bytes, said: str) -> None:
    with pytest.raises(msgspec.DecodeError) as error:
        msgspec.json.decode(text, type=list[_Row])
    assert complaint(error.value) == said


def test_a_deep_place_is_told_by_its_end() -> None:
    said = complaint(ValueError(f"Expected `int` <= 7 - at `$.root{'.children[...]' * 50}.line_no`"))
    assert said.startswith("the number at $…")
    assert ".line_no is larger than 7" in said
    assert len(said) < 150


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.txt", b"main (a.py:1) 1\nmain (a.py:1) 18446744073709551616\n", "line 2 has the count 1844674407370955161"),
        ("x.prom", b'# TYPE f counter\nfunction_calls_total{function="f",module="a"} 1.8446744073709552e19\n',
         "function_calls_total has the count 1.84467e+19"),
        ("x.csv", b"function,calls\nf,18446744073709551616\n", "calls '18446744073709551616' is too large"),
    ],
)  # fmt: skip
def test_two_to_the_64_is_one_clear_line(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(GateError) as error:
        formats.read(path)
    assert said in error.value.message
    assert "\n" not in error.value.message
