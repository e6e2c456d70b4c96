"""One JSON document, or one a line, decoded into a typed value with bounds."""

import re
from collections.abc import Iterator
from typing import IO, Annotated, TypeVar

import msgspec

from gatecli.errors import EvidenceError
from gatecli.runtime.complaints import complaint

MAX_DOCUMENT_BYTES = 256 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024

Time = Annotated[float, msgspec.Meta(ge=-1e18, le=1e18)]
"""A moment or length of time, in whatever unit; never NaN or infinite, as JSON has neither."""
Amount = Annotated[float, msgspec.Meta(ge=0, le=1e18)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

_KEY = re.compile(rb'"((?:[^"\\]|\\.){1,60})"\s{0,20}:')
_T = TypeVar("_T")


def keys(head: bytes) -> frozenset[bytes]:
    """The keys, at any depth, in the beginning of a JSON object, empty for anything else."""
    return frozenset(_KEY.findall(head)) if head.lstrip()[:1] == b"{" else frozenset()


def decode(stream: IO[bytes], type: type[_T], what: str) -> _T:
    """The whole stream as one document.

    Raises:
        EvidenceError: too large, cut off, or not shaped as ``what`` is.
    """
    text = stream.read(MAX_DOCUMENT_BYTES + 1)
    if len(text) > MAX_DOCUMENT_BYTES:
        raise EvidenceError(f"a document of more than {MAX_DOCUMENT_BYTES:,} bytes", "record for a shorter time")
    return _decoded(msgspec.json.Decoder(type), text, f"not {what}")


def decode_lines(stream: IO[bytes], type: type[_T], what: str) -> Iterator[tuple[int, _T]]:
    """Each line that is not blank, with its number.

    Raises:
        EvidenceError: a line is too long, cut off, or not shaped as ``what`` is.
    """
    decoder = msgspec.json.Decoder(type)
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise EvidenceError(f"line {number:,} has more than {MAX_LINE_BYTES:,} bytes", "record for a shorter time")
        if line.strip():
            yield number, _decoded(decoder, line, f"line {number:,} is not {what}")


def _decoded(decoder: "msgspec.json.Decoder[_T]", text: bytes, what: str) -> _T:
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{what}: {complaint(error)}", "was the file cut off, or edited?") from error
    except RecursionError as error:
        raise EvidenceError(f"{what}: nested too deeply", "record it again") from error


def line_number(value: int | None) -> int | None:
    """A line as a frame has it: None where there is none."""
    return value if value is not None and 0 < value < 2**31 else None
