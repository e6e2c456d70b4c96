"""The outlines of past versions of files, kept on disk by blob id: a history that was read once is not read again."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Self

import msgspec

from gatecli.errors import EvidenceError
from gatecli.model import Piece
from gatecli.syntax.outline import SCHEMA

_TABLE = "create table if not exists outlines (blob text primary key, pieces blob not null) without rowid"
MAX_BYTES = 2_000_000_000
"""A larger file is begun anew; a history of 40,000 changes needs a third of it."""
_BUSY_S = 5.0
_CHUNK = 100
_REMEMBERED = 2_000
_IS_KEPT = "select 1 from outlines where blob = ?"
_FEW = 2_000
"""So many are looked up one by one, which takes less time than to list all that are kept."""

_decode = msgspec.msgpack.Decoder(list[tuple[str, int, int, int, int, int]]).decode


class Outlines:
    """Outlines by blob id; what the file cannot take is kept in memory for this run.

    A damaged file is made anew: at once where that is seen before anything was read from it, else by the next run.
    Who makes one closes it: as a context manager, or with ``close``.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"facts-outlines-{SCHEMA}-{metadata.version('tree-sitter-python')}.sqlite"
        self._here: dict[str, bytes] = {}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.path.exists() and self.path.stat().st_size > MAX_BYTES:
                self._remove()
            self._connection = self._open(str(self.path))
        except (sqlite3.Error, OSError):
            self._remove()
            self._connection = self._open(":memory:")
        # A version of a file is asked for twice: as what a change made, and as what the next one found.
        self.get = lru_cache(maxsize=_REMEMBERED)(self._get)

    @staticmethod
    def _open(where: str) -> sqlite3.Connection:
        connection = sqlite3.connect(where, timeout=_BUSY_S)
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = off")  # lost outlines are made again
            connection.execute(_TABLE)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _remove(self) -> None:
        for file in self.path.parent.glob(f"{self.path.name}*"):
            with contextlib.suppress(OSError):
                file.unlink()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def missing(self, blobs: Iterable[str]) -> list[str]:
        """Those that are not kept yet, in their order."""
        asked = list(dict.fromkeys(blobs))
        try:
            known = self._known(asked)
        except sqlite3.DatabaseError:
            self.close()
            self._remove()
            self._connection = self._open(":memory:")
            known = set()
        return [blob for blob in asked if blob not in known and blob not in self._here]

    def _known(self, asked: list[str]) -> set[str]:
        if len(asked) < _FEW:
            return {blob for blob in asked if self._connection.execute(_IS_KEPT, (blob,)).fetchone()}
        return {blob for (blob,) in self._connection.execute("select blob from outlines")}

    def keep(self, found: Mapping[str, tuple[Piece, ...]]) -> None:
        """Add the outlines of some blobs."""
        rows = {blob: encode(pieces) for blob, pieces in found.items()}
        try:
            with self._connection:
                self._connection.executemany("insert or replace into outlines values (?, ?)", rows.items())
        except sqlite3.DatabaseError:  # a full disk, or another gate that writes for long
            self._here |= rows

    def _get(self, blob: str) -> tuple[Piece, ...]:
        """The pieces of a blob; none where it is not known.

        Raises:
            EvidenceError: it is known, and damaged. To take it for a file without functions would be to judge by less.
        """
        try:
            row = self._connection.execute("select pieces from outlines where blob = ?", (blob,)).fetchone()
            kept = self._here.get(blob) or (row[0] if row else None)
            return tuple(Piece(*one) for one in _decode(kept)) if kept is not None else ()
        except (sqlite3.DatabaseError, UnicodeError, msgspec.MsgspecError) as error:
            self._remove()
            message = f"what is kept of past versions of files is damaged: {error}"
            raise EvidenceError(message, "run it again: the file is made anew") from error


def encode(pieces: Iterable[Piece]) -> bytes:
    """Pieces as they are kept."""
    fields = [(one.qualname, one.body, one.lines, one.signature, one.flow, one.constants) for one in pieces]
    return msgspec.msgpack.encode(fields)


def chunks(blobs: list[str], size: int = _CHUNK) -> Iterator[list[str]]:
    """The blobs in parts of a size that one process reads at once."""
    return (blobs[at : at + size] for at in range(0, len(blobs), size))
