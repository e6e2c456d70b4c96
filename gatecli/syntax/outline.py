"""A file as the digests of its functions: enough to tell which of them two versions differ in, and by what.

This is the fast way for thousands of past versions; a change that is judged is compared token by token (``match``).
Comments are found by their look: a string that looks like one counts as a change less.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b

from gatecli.errors import EvidenceError
from gatecli.model import Piece
from gatecli.syntax.normalise import own_text
from gatecli.syntax.python import Module, Reader, read

MAX_BYTES = 600_000
"""A larger version of a file is one piece: it is generated, or data."""

SCHEMA = 1
"""Rises when the digests mean something else."""

_REMEMBERED = 20_000
"""Functions whose digests are kept while a history is read: of a kilobyte each, 20 MB."""

_COMMENT = re.compile(rb"(?:^|[ \t])#[^\n]*$", re.MULTILINE)
_DOCSTRING = re.compile(rb"(?<=[:\n])\s*[rRuU]?(?:\"\"\"|''').*?(?:\"\"\"|''')\s*$", re.DOTALL | re.MULTILINE)
_LAYOUT = re.compile(rb"[\s\\]+")
_FLOW = re.compile(
    rb"\b(?:if|elif|else|for|while|try|except|finally|with|return|raise|assert|yield|await|break|continue|and|or|not)\b"
)
_CONSTANT = re.compile(rb"\b(?:\d[\w.]*|True|False|None)\b|\"[^\"\n]*\"|'[^'\n]*'")


def outline(path: str, source: bytes, reader: Reader = read) -> tuple[Piece, ...]:
    """The pieces of one version of a file of Python, empty where the reader cannot read it."""
    if len(source) > MAX_BYTES:
        return (Piece("<module>", _digest(source), source.count(b"\n"), 0, 0, 0),)
    try:
        module = reader(path, source)
    except (EvidenceError, RecursionError):
        return ()
    return tuple(_pieces(module))


def _pieces(module: Module) -> Iterator[Piece]:
    for index, function in enumerate(module.functions):
        lines = own_text(module, index)
        body, flow, constants = _digests(b"\n".join(lines))
        signature = _digest(repr((function.parameters, function.is_async)).encode())
        yield Piece(function.id.qualname, body, len(lines), signature, flow, constants)


@lru_cache(maxsize=_REMEMBERED)
def _digests(own: bytes) -> tuple[int, int, int]:
    """What a function does, its control flow and its constants. The next version of a file has most of them again."""
    text = _DOCSTRING.sub(b"", _COMMENT.sub(b"", own), count=1)
    body = _LAYOUT.sub(b" ", text).strip()
    return _digest(body), _digest(_counted(_FLOW.findall(text))), _digest(_counted(_CONSTANT.findall(text)))


def _counted(words: Iterable[bytes]) -> bytes:
    return repr(sorted(Counter(words).items())).encode()


def _digest(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=6).digest(), "big")
