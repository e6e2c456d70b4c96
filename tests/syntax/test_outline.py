from pathlib import Path

import pytest

from gatecli.model import Piece
from gatecli.syntax.outline import MAX_BYTES, outline
from gatecli.syntax.outlines import Outlines

SOURCE = '''\
"""A module."""

def price(order, rate=1.2):
    """Of an order."""
    if order:
        return order.total * rate  # with tax
    return 0
'''


def piece(source: str) -> Piece:
    return {one.qualname: one for one in outline("a.py", source.encode())}["price"]


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("  # with tax", "", ""),
        ("    if order:\n        return", "    if order:\n            return", ""),
        ('"""Of an order."""', '"""What it costs."""', ""),
        ("order.total", "order.sum", "body"),
        ("rate=1.2", "rate=1.3", "body signature constants"),
        ("if order:", "while order:", "body flow"),
        ("return 0", "return 1", "body constants"),
    ],
)
def test_what_differs_between_two_versions(old: str, new: str, differs: str) -> None:
    before, after = piece(SOURCE), piece(SOURCE.replace(old, new))
    kinds = ("body", "signature", "flow", "constants")
    assert " ".join(kind for kind in kinds if getattr(before, kind) != getattr(after, kind)) == differs


@pytest.mark.parametrize("source", [b"", b"\0", b"\xff\xfe", b"def f(:", b"(" * 5_000, b"a = 1\n" * (MAX_BYTES // 4)])
def test_nothing_makes_it_fail(source: bytes) -> None:
    assert len(outline("a.py", source)) <= 2


def test_outlines_are_kept_and_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    found = outline("a.py", SOURCE.encode())
    kept = Outlines(tmp_path)
    kept.keep({"b1": found})
    kept.close()
    again = Outlines(tmp_path)
    assert (again.get("b1"), again.get("b2"), again.missing(["b1", "b2", "b2"])) == (found, (), ["b2"])
    again.close()
    for file in tmp_path.iterdir():
        file.unlink()
    again.path.write_bytes(b"no database" * 100)
    damaged = Outlines(tmp_path)
    damaged.keep({"b1": found})
    assert damaged.get("b1") == found
    damaged.close()
    assert not damaged.path.exists()
