"""The rows of a profile's functions, each decoded when it is asked for: a change asks for a few of many thousand."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from operator import ge
from typing import Generic, TypeVar, overload

import msgspec

from gatecli.runtime.complaints import complaint

_Row = TypeVar("_Row")
_START = b'{"id":"'


class LazyRows(Sequence[_Row], Generic[_Row]):
    """Rows by position and by id; ``decode`` makes one of its text."""

    def __init__(self, ids: Sequence[str], texts: Sequence[msgspec.Raw], decode: Callable[[bytes, str], _Row]) -> None:
        self.ids = ids
        self._texts = texts
        self._decode = decode
        self._rows: dict[int, _Row] = {}

    @staticmethod
    def of(texts: Sequence[msgspec.Raw], decode: Callable[[bytes, str], _Row]) -> "LazyRows[_Row] | None":
        """Rows that begin with their id and are in order, as gate writes them; None for any other."""
        begin, quoted = len(_START), []
        for text in texts:
            row = bytes(text)
            if not row.startswith(_START):
                return None
            quoted.append(row[begin : row.find(b'"', begin)])
        joined = b"\n".join(quoted)
        if b"\\" in joined:  # an escape, which may hide a quote
            return None
        ids = joined.decode("utf-8", "replace").split("\n") if quoted else []
        if len(ids) != len(quoted) or any(map(ge, ids, ids[1:])):
            return None
        return LazyRows(ids, texts, decode)

    def find(self, id: str) -> _Row | None:
        """The row of an id."""
        position = bisect_left(self.ids, id)
        return self[position] if self.ids[position : position + 1] == [id] else None

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[_Row]:
        return map(self._row, range(len(self.ids)))

    @overload
    def __getitem__(self, index: int) -> _Row: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[_Row, ...]: ...
    def __getitem__(self, index: int | slice) -> _Row | tuple[_Row, ...]:
        if isinstance(index, slice):
            return tuple(self._row(position) for position in range(*index.indices(len(self))))
        return self._row(range(len(self))[index])

    def _row(self, position: int) -> _Row:
        row = self._rows.get(position)
        if row is None:
            row = self._rows[position] = self._decode(bytes(self._texts[position]), self.ids[position])
        return row

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return len(self)

    def __repr__(self) -> str:
        return repr(tuple(self))


def decoder(kind: type[_Row], complain: Callable[[str], Exception]) -> Callable[[bytes, str], _Row]:
    """What makes a row of its line; ``complain`` makes the error of a line that is none."""
    decode = msgspec.json.Decoder(kind).decode

    def row(line: bytes, id: str) -> _Row:
        try:
            found = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise complain(complaint(error, 300)) from error
        if getattr(found, "id", None) != id:
            raise complain(f"a function has two ids, {id[:100]!r} is one of them")
        return found

    return row
