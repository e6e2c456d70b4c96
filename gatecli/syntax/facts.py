"""What is kept of a file between runs: which words stand in it, and what its names stand for.

The words are kept as hashes, so that "which of 5,000 files may say this name?" is one pass over a few megabytes. A hash
that two words share costs a look at the file and nothing more.
"""

import re
import zlib
from array import array
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from gatecli.errors import EvidenceError
from gatecli.syntax.imports import Names, read_names

if TYPE_CHECKING:
    from msgspec.msgpack import Decoder

# Changes when facts of earlier versions must not be read any more.
SCHEMA = 1

# Both as Python reads a name and as a search for ASCII words does, which takes other letters for spaces.
_ASCII_WORD = re.compile(rb"[A-Za-z_]\w*")
_ANY_WORD = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*")
_HASH_BYTES = array("I").itemsize


def words_of(source: bytes) -> bytes:
    """The hashes of all words of a file, each once, in order: four bytes a word."""
    words = set(_ASCII_WORD.findall(source))
    if not source.isascii():
        words.update(_ANY_WORD.findall(source))
    return array("I", sorted(set(map(zlib.crc32, words)))).tobytes()


def hash_of(word: str) -> bytes:
    """The hash under which a word stands in ``words_of``."""
    return array("I", [zlib.crc32(word.encode("utf-8", "surrogateescape"))]).tobytes()


def may_say(words: bytes, hashes: Iterable[bytes]) -> bool:
    """Whether a file with these words may say one of some words."""
    for wanted in hashes:
        at = words.find(wanted)
        while at >= 0 and at % _HASH_BYTES:  # across two hashes
            at = words.find(wanted, at + 1)
        if at >= 0:
            return True
    return False


def names_in(path: str, source: bytes) -> Names | None:
    """What the names of a file stand for, None where it cannot be parsed."""
    try:
        return read_names(path, source)
    except EvidenceError:
        return None


def encode(names: Names | None) -> bytes:
    """Names as they are kept."""
    from msgspec import msgpack

    return msgpack.encode(names)


def decode(data: bytes) -> Names | None:
    """Names as they were kept.

    Raises:
        ValueError: the data is damaged.
    """
    import msgspec

    try:
        return _decoder().decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


@cache
def _decoder() -> "Decoder[Names | None]":
    from msgspec import msgpack

    return msgpack.Decoder(Names | None)
