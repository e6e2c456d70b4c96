"""The facts of files, kept on disk by their content: a file that was looked at once is not read again.

One SQLite file in the user's cache folder serves every repository. The key is the git blob id with the path (imports
are relative to it). The file is made anew when gate or the grammar changes what it says of a file, and when it is
damaged; it is shortened when it grows too large. Whatever goes wrong, gate works without it.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Self

from gatecli.syntax.facts import SCHEMA

MAX_BYTES = 256_000_000
# Another gate that writes at the same time is waited for so long; then this run keeps nothing.
BUSY_MS = 2_000
_DAY_S = 86_400
_CHUNK = 500

_TABLE = """
create table if not exists facts (
    blob text not null, path text not null, words blob, names blob, used integer not null, primary key (blob, path)
) without rowid
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheInfo:
    """What is kept: in which folder, its bytes in all, and of how many files of code the facts are known."""

    path: Path
    size: int
    files: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The facts of one file; None: not looked at yet."""

    words: bytes | None
    names: bytes | None


Key = tuple[str, str]
"""A blob id and a path."""


class FactCache:
    """Facts by blob id and path; every method works, and keeps nothing, where there is no usable file.

    Who makes one closes it: as a context manager, or with ``close``.
    """

    def __init__(self, folder: Path) -> None:
        grammar = metadata.version("tree-sitter-python")
        self.path = folder / f"facts-{SCHEMA}-{grammar}.sqlite"
        self._connection: sqlite3.Connection | None = None
        self._is_usable = True

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def words(self, keys: Iterable[Key]) -> dict[Key, bytes]:
        """The words of those files that are known.

        They are asked for one by one, in the order of the file: it holds other repositories too, and to read them all
        takes longer from the second on.
        """
        found: dict[Key, bytes] = {}
        with self._open() as connection:
            if connection is None:
                return found
            for key in sorted(keys):
                row = connection.execute("select words from facts where blob = ? and path = ?", key).fetchone()
                if row is not None and row[0] is not None:
                    found[key] = row[0]
        return found

    def names(self, key: Key) -> bytes | None:
        """The encoded names of a file, if they are known."""
        with self._open() as connection:
            if connection is not None:
                row = connection.execute("select names from facts where blob = ? and path = ?", key).fetchone()
                return row[0] if row is not None else None
        return None

    def keep(self, facts: Mapping[Key, Kept]) -> None:
        """Add what was found out of some files; what is known already and not given stays."""
        today = int(time.time()) // _DAY_S
        rows = [(*key, kept.words, kept.names, today) for key, kept in facts.items()]
        with self._open() as connection:
            if connection is None or not rows:
                return
            with connection:
                connection.executemany(
                    "insert into facts values (?, ?, ?, ?, ?) on conflict do update set used = excluded.used,"
                    " words = coalesce(excluded.words, words), names = coalesce(excluded.names, names)",
                    rows,
                )
            self._shorten(connection)

    def info(self) -> CacheInfo:
        """What is kept."""
        count = 0
        if self.path.exists():
            with self._open() as connection:
                if connection is not None:
                    (count,) = connection.execute("select count(*) from facts").fetchone()
        size = sum(file.stat().st_size for file in self._files(every_version=True))
        return CacheInfo(path=self.path.parent, size=size, files=count)

    def clear(self) -> int:
        """Forget everything, also what earlier versions kept; returns the bytes that became free."""
        self.close()
        freed = 0
        for file in self._files(every_version=True):
            with contextlib.suppress(OSError):
                size = file.stat().st_size
                file.unlink()
                freed += size
        return freed

    def _files(self, *, every_version: bool = False) -> list[Path]:
        pattern = "facts-*" if every_version else f"{self.path.name}*"
        return sorted(self.path.parent.glob(pattern))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        """The connection, None where there is none; what fails inside ends there and counts as nothing found."""
        connection = self._connected()
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.DatabaseError) -> None:
        """Keep nothing in this run; a damaged file is removed, so that the next one makes it anew."""
        self._is_usable = False
        self.close()
        is_damaged = not isinstance(error, sqlite3.OperationalError) or "no such column" in str(error)
        if is_damaged:  # and not locked, read-only or on a full disk
            for file in self._files():
                with contextlib.suppress(OSError):
                    file.unlink()

    def _connected(self) -> sqlite3.Connection | None:
        if not self._is_usable:
            return None
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            self._give_up(error)
        except OSError:
            self._is_usable = False
        return None

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Held before anything can fail: what gives up closes it.
            self._connection = sqlite3.connect(self.path, timeout=BUSY_MS / 1_000)
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = off")  # lost facts are found again
            self._connection.execute(_TABLE)
        return self._connection

    def _shorten(self, connection: sqlite3.Connection) -> None:
        """Forget the half that was not used for longest when the file has grown too large."""
        (pages,), (size,) = (connection.execute(f"pragma {name}").fetchone() for name in ("page_count", "page_size"))
        if pages * size <= MAX_BYTES:
            return
        with connection:
            connection.execute(
                "delete from facts where (blob, path) in (select blob, path from facts"
                " order by used, blob, path limit (select (count(*) + 1) / 2 from facts))"
            )
        connection.execute("vacuum")
