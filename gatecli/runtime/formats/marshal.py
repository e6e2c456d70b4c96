"""The part of Python's marshal format that profile dumps use, decoded with bounds.

The standard library's ``marshal.loads`` can crash the interpreter on hostile data and builds code objects; this reads
numbers, strings, tuples, lists and dicts as Python 3 writes them and refuses everything else. Format:
https://github.com/python/cpython/blob/main/Python/marshal.c
"""

import math
import struct

from gatecli.errors import EvidenceError

# A dump nests four deep: dict, value tuple, callers dict, their tuples.
MAX_DEPTH = 8
MAX_VALUES = 10_000_000
# A count or a time in seconds fits in 64 bits: five digits of 15 bits.
_MAX_DIGITS = 5

_FLAG_REF = 0x80
_END = object()  # what ends a dict
_OPEN = object()  # a container that is still being read


def loads(data: bytes) -> object:
    """The value that ``data`` starts with: None, bool, int, float, str, tuple (lists too) or dict.

    Raises:
        EvidenceError: cut off, malformed, above a bound, or holding a type that no profile holds.
    """
    try:
        return _Decoder(data).value(0)
    except (struct.error, IndexError) as error:
        raise _cut_off(data) from error


def _cut_off(data: bytes) -> EvidenceError:
    return EvidenceError(f"cut off after {len(data):,} bytes", "record or copy the file again")


class _Decoder:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._refs: list[object] = []
        self._values = 0

    def value(self, depth: int) -> object:
        """The next value; ``_END`` where a dict ends."""
        self._values += 1
        if self._values > MAX_VALUES:
            raise EvidenceError(f"more than {MAX_VALUES:,} values", "record for a shorter time")
        if depth > MAX_DEPTH:
            raise EvidenceError("nested too deep for a profile")
        code = self._byte()
        if not code & _FLAG_REF:
            return self._read(chr(code), depth)
        slot = len(self._refs)
        self._refs.append(_OPEN)
        self._refs[slot] = result = self._read(chr(code & ~_FLAG_REF), depth)
        return result

    def _read(self, kind: str, depth: int) -> object:
        if kind == "r":
            return self._reference()
        if kind in "zZ":
            return self._text(self._byte())
        if kind in "aAut":
            return self._text(self._size())
        if kind == "i":
            return self._unpack("<i", 4)
        if kind in "()[":
            count = self._byte() if kind == ")" else self._size()
            return tuple([self._member(depth + 1) for _ in range(count)])
        if kind == "g":
            return self._unpack("<d", 8)
        if kind == "{":
            return self._dict(depth + 1)
        if kind == "l":
            return self._long()
        if kind in "NTF":
            return {"N": None, "T": True, "F": False}[kind]
        if kind == "0":
            return _END
        what = "a code object" if kind == "c" else f"a value of type {kind!r}"
        raise EvidenceError(f"holds {what} at byte {self._at - 1:,}, which no profile does")

    def _member(self, depth: int) -> object:
        result = self.value(depth)
        if result is _END:
            raise EvidenceError(f"malformed at byte {self._at:,}: a value is missing")
        return result

    def _dict(self, depth: int) -> dict[object, object]:
        result: dict[object, object] = {}
        while (key := self.value(depth)) is not _END:
            # Shared tuples nested in tuples would take exponential time to hash.
            if isinstance(key, dict) or (
                isinstance(key, tuple) and any(isinstance(part, tuple | dict) for part in key)
            ):
                raise EvidenceError(f"malformed at byte {self._at:,}: a key is not a flat tuple")
            result[key] = self._member(depth)
        return result

    def _reference(self) -> object:
        index = self._size()
        result = self._refs[index] if index < len(self._refs) else _OPEN
        if result is _OPEN:
            raise EvidenceError(f"malformed at byte {self._at:,}: a reference to nothing")
        return result

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _size(self) -> int:
        """A count of things of at least one byte each that follow, or the index of a reference."""
        size = int(self._unpack("<i", 4))
        if not 0 <= size <= len(self._data):
            raise EvidenceError(f"malformed at byte {self._at:,}: a count of {size:,}")
        return size

    def _unpack(self, form: str, size: int) -> float:
        result: float = struct.unpack_from(form, self._data, self._at)[0]
        self._at += size
        return result

    def _long(self) -> int:
        count = int(self._unpack("<i", 4))
        if abs(count) > _MAX_DIGITS:
            raise EvidenceError(f"malformed at byte {self._at:,}: a number of {abs(count)} digits")
        magnitude = sum(int(self._unpack("<H", 2)) << (15 * index) for index in range(abs(count)))
        return int(math.copysign(1, count)) * magnitude

    def _text(self, size: int) -> str:
        end = self._at + size
        if end > len(self._data):
            raise _cut_off(self._data)
        self._at, start = end, self._at
        return self._data[start:end].decode("utf-8", "replace")
