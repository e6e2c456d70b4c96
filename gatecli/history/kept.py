"""The state of a replay on disk: what is known of a mainline up to a commit, so that one more change can be looked at.

Every entry of the state is a row, and only the rows that somebody asks for are read: the facts of three files of a
history of 50,000 changes take as long as those of 50. What it holds belongs to one commit and one way of replaying;
whoever reads it has to compare both, so that facts of something else are never taken for these.
"""

import contextlib
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from types import GenericAlias
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from gatecli.history import outcomes, replay, signals
from gatecli.history.outcomes import Chronicle
from gatecli.history.replay import Replay
from gatecli.model import MainlineChange

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_TABLE = "create table if not exists facts (part text, key blob, value blob, primary key (part, key)) without rowid"
_BUSY_S = 2.0
_META = "meta"
_SHARED = "_changes"
"""Both the replay and its chronicle keep the changes; on disk they are there once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Of what the facts are: the newest commit they hold, its number on the mainline, and how they were made."""

    revision: str
    changes: int
    method: str


def method(*settings: str) -> str:
    """A name for the way of replaying: the code that does it, and the settings that it depends on.

    Facts that another version of this code made mean something else; no number that somebody must remember to raise.
    """
    code = [Path(module.__file__ or "").read_bytes() for module in (replay, signals, outcomes)]
    return sha256(b"\0".join([*code, *(one.encode("utf-8", "replace") for one in settings)])).hexdigest()


class Kept:
    """The facts of one repository in a file.

    Raises (every method): sqlite3.Error, OSError, or msgspec's where the file is damaged, locked or of something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._connection = sqlite3.connect(path, timeout=_BUSY_S)
        try:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = off")  # lost facts are found again
            self._connection.execute(_TABLE)
        except sqlite3.Error:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def stamp(self) -> Stamp | None:
        """Of what the facts are; None where there are none."""
        found = self._value(_META, "stamp")
        return msgspec.msgpack.decode(found, type=Stamp) if found is not None else None

    def replay(self, stamp: Stamp, empty: Replay) -> Replay:
        """The state at a stamp, read as it is asked for; ``empty`` knows how to look at changes."""
        changes = _Changes(self._changed, stamp.changes)
        _fill(empty, self, "", changes)
        return empty

    def save(self, state: Replay, stamp: Stamp, *, after: Stamp | None) -> bool:
        """Write what a state holds, in place of all there is or (``after``) on top of it.

        False, and nothing is written, where somebody else has brought the facts forward in between.
        """
        with self._connection:
            self._connection.execute("begin immediate")
            if after is None:
                self._connection.execute("delete from facts")
            elif self.stamp() != after:
                return False
            self._connection.executemany("insert or replace into facts values (?, ?, ?)", _rows(state, ""))
            self._connection.executemany("delete from facts where part = ? and key = ?", _gone(state, ""))
            row = (_META, msgspec.msgpack.encode("stamp"), msgspec.msgpack.encode(stamp))
            self._connection.execute("insert or replace into facts values (?, ?, ?)", row)
        return True

    def _value(self, part: str, key: Any) -> bytes | None:
        asked = part, msgspec.msgpack.encode(key)
        row = self._connection.execute("select value from facts where part = ? and key = ?", asked).fetchone()
        return row[0] if row else None

    def _changed(self, number: int) -> MainlineChange:
        value = self._value(_SHARED, number)
        if value is None:
            raise sqlite3.DatabaseError(f"the facts lack change {number}")
        found: MainlineChange = _decoded(value, MainlineChange)
        return found


class _Rows(dict[K, V]):
    """A dictionary whose entries are read when they are asked for; it cannot be listed."""

    def __init__(self, fetch: Callable[[K], V | None], default: Callable[[], V] | None) -> None:
        super().__init__()
        self.fetch, self.default = fetch, default
        self.gone: set[K] = set()

    def _held(self, key: K) -> bool:
        if dict.__contains__(self, key):
            return True
        value = self.fetch(key) if key not in self.gone else None
        if value is None:
            return False
        self[key] = value
        return True

    def __contains__(self, key: object) -> bool:
        return self._held(key)  # type: ignore[arg-type]

    def __missing__(self, key: K) -> V:
        if self._held(key):
            return dict.__getitem__(self, key)
        if self.default is None:
            raise KeyError(key)
        return self.default()

    def get(self, key: K, default: Any = None) -> Any:
        return dict.__getitem__(self, key) if self._held(key) else default

    def setdefault(self, key: K, default: Any = None) -> Any:
        if not self._held(key):
            self[key] = default
        return dict.__getitem__(self, key)

    def pop(self, key: K, *default: Any) -> Any:
        self._held(key)
        self.gone.add(key)
        return super().pop(key, *default)


class _Changes(list[MainlineChange]):
    """All changes, of which the older ones are read when they are asked for; only appending and looking up work."""

    def __init__(self, fetch: Callable[[int], MainlineChange], count: int) -> None:
        super().__init__()
        self._fetch, self.before = fetch, count
        self._read: dict[int, MainlineChange] = {}

    def __len__(self) -> int:
        return self.before + super().__len__()

    def __getitem__(self, number: Any) -> Any:
        if number >= self.before:
            return super().__getitem__(number - self.before)
        if number not in self._read:
            self._read[number] = self._fetch(number)
        return self._read[number]

    def new(self) -> Iterator[tuple[int, MainlineChange]]:
        """Those that were appended, by their number."""
        yield from enumerate(super().__iter__(), self.before)


# --------------------------------------------------------------------------- a state as rows


def _parts(owner: Replay | Chronicle) -> Iterator[tuple[str, Any]]:
    """What an owner remembers: the name and the type of each of its own fields."""
    hints = get_type_hints(type(owner))
    yield from ((one.name, hints[one.name]) for one in fields(owner) if one.name.startswith("_"))


def _is_table(kind: Any) -> bool:
    return get_origin(kind) in (dict, Counter)


def _rows(owner: Replay | Chronicle, prefix: str) -> Iterator[tuple[str, bytes, bytes]]:
    for name, kind in _parts(owner):
        part, value = prefix + name, getattr(owner, name)
        if kind is Chronicle:
            yield from _rows(value, f"{part}.")
        elif name == _SHARED:
            changes = value.new() if isinstance(value, _Changes) else enumerate(value)
            yield from ((part, _encoded(number), _encoded(one)) for number, one in changes if not prefix)
        elif _is_table(kind):
            yield from ((part, _encoded(key), _encoded(item)) for key, item in dict.items(value))
        else:
            yield part, _encoded(""), _encoded(value)


def _gone(owner: Replay | Chronicle, prefix: str) -> Iterator[tuple[str, bytes]]:
    for name, kind in _parts(owner):
        value = getattr(owner, name)
        if kind is Chronicle:
            yield from _gone(value, f"{prefix}{name}.")
        elif isinstance(value, _Rows):
            yield from ((prefix + name, _encoded(key)) for key in value.gone if not dict.__contains__(value, key))


def _fill(owner: Replay | Chronicle, kept: Kept, prefix: str, changes: _Changes) -> None:
    for name, kind in _parts(owner):
        part = prefix + name
        if kind is Chronicle:
            _fill(getattr(owner, name), kept, f"{part}.", _Changes(changes.__getitem__, changes.before))
        elif name == _SHARED:
            setattr(owner, name, changes)
        elif _is_table(kind):
            arguments = get_args(kind)
            value_kind = arguments[1] if len(arguments) > 1 else int
            default = int if get_origin(kind) is Counter else None
            setattr(owner, name, _Rows(_fetcher(kept, part, value_kind), default))
        else:
            found = kept._value(part, "")
            if found is None:
                raise sqlite3.DatabaseError(f"the facts lack {part}")
            setattr(owner, name, _decoded(found, kind))


def _fetcher(kept: Kept, part: str, kind: Any) -> Callable[[Any], Any]:
    def fetch(key: Any) -> Any:
        found = kept._value(part, key)
        return _decoded(found, kind) if found is not None else None

    return fetch


def _encoded(value: Any) -> bytes:
    return msgspec.msgpack.encode(value, enc_hook=_plain)


def _decoded(value: bytes, kind: Any) -> Any:
    return msgspec.msgpack.decode(value, type=kind, dec_hook=_typed)


def _plain(value: Any) -> Any:
    if isinstance(value, deque):
        return value.maxlen, list(value)
    raise TypeError(f"{type(value).__name__} is not kept")


def _typed(kind: Any, value: Any) -> Any:
    if isinstance(kind, GenericAlias) and get_origin(kind) is deque:
        return deque(msgspec.convert(value[1], list[get_args(kind)[0]]), maxlen=value[0])  # type: ignore[misc]
    raise TypeError(f"{kind} is not kept")
