"""OTLP documents of any size, a thousand spans at a time.

Their outer levels are walked here (``resourceSpans`` → ``scopeSpans`` → ``spans``); what they hold is cut out whole, as
bytes, and decoded elsewhere.
"""

import re
from collections.abc import Iterator
from typing import IO

from gatecli.errors import EvidenceError

MAX_VALUE_BYTES = 64 * 1024 * 1024
"""One span, one resource, or anything else that is not one of the lists that are walked."""

BATCH_SPANS = 1_000
_BATCH_BYTES = 4 * 1024 * 1024
_READ_BYTES = 1024 * 1024
_MAX_NESTING = 24

_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = rb'"(?:[^"\\]++|\\.)*+"'


def _value() -> "re.Pattern[bytes]":
    """One JSON value, with brackets of either kind in it; nothing is tried twice, so it takes as long as it is."""
    plain = rb'[^{}\[\]"]++|' + _STRING
    nested = rb"[{\[](?:%s)*+[}\]]" % plain
    for _ in range(_MAX_NESTING):
        nested = rb"[{\[](?:%s|%s)*+[}\]]" % (plain, nested)
    return re.compile(rb"%s|%s|[-+.0-9A-Za-z]++(?=[\s,\]}])" % (nested, _STRING), re.DOTALL)


class Document:
    """What begins with ``start`` and goes on in ``stream``: one document, or several."""

    def __init__(self, stream: IO[bytes], start: bytes) -> None:
        self._stream, self._buffer, self._at = stream, start, 0
        self._pattern = _value()

    def groups(self) -> Iterator[tuple[bytes, bytes]]:
        """The resource of a process (empty: none) with some of its spans as a list, of this and all that follow.

        Raises:
            EvidenceError: it is no such document, it is cut off, or a part is above a bound.
        """
        while self._peek():
            for key in self._keys():
                if key == b'"resourceSpans"' and self._takes(b"["):
                    for _ in self._items():
                        yield from self._process()
                else:
                    self._cut_out()

    def _process(self) -> Iterator[tuple[bytes, bytes]]:
        resource, waiting = b"", []
        for key in self._keys():
            if key == b'"resource"':
                resource = self._cut_out()
            elif key == b'"scopeSpans"' and self._takes(b"["):
                for _ in self._items():
                    for batch in self._scope():
                        # Writers put the resource first; where one does not, its spans wait for it.
                        if resource:
                            yield resource, batch
                        else:
                            waiting.append(batch)
                            if sum(map(len, waiting)) > MAX_VALUE_BYTES:
                                raise _damaged(f"a resource behind more than {MAX_VALUE_BYTES:,} bytes of its spans")
            else:
                self._cut_out()
        yield from ((resource, batch) for batch in waiting)

    def _scope(self) -> Iterator[bytes]:
        for key in self._keys():
            if key != b'"spans"' or not self._takes(b"["):
                self._cut_out()
                continue
            batch: list[bytes] = []
            size = 0
            for _ in self._items():
                batch.append(self._cut_out())
                size += len(batch[-1])
                if len(batch) >= BATCH_SPANS or size >= _BATCH_BYTES:
                    yield b"[%s]" % b",".join(batch)
                    batch, size = [], 0
            if batch:
                yield b"[%s]" % b",".join(batch)

    # --------------------------------------------------------------------------- the walk

    def _keys(self) -> Iterator[bytes]:
        """The keys of an object, each with its value next."""
        self._expect(b"{")
        if self._takes(b"}"):
            return
        while True:
            if self._peek() != b'"':
                raise _damaged("a key is missing")
            key = self._cut_out()
            self._expect(b":")
            yield key
            if not self._takes(b","):
                self._expect(b"}")
                return

    def _items(self) -> Iterator[None]:
        """The items of a list whose bracket was taken, each next."""
        if self._takes(b"]"):
            return
        while True:
            yield None
            if not self._takes(b","):
                self._expect(b"]")
                return

    def _opens(self, bracket: bytes) -> bool:
        return self._takes(bracket)

    def _expect(self, mark: bytes) -> None:
        if not self._takes(mark):
            found = self._peek()
            raise _damaged(f"{mark.decode()} is expected, there is {found!r}" if found else "it is cut off")

    def _takes(self, mark: bytes) -> bool:
        if self._peek() != mark:
            return False
        self._at += 1
        return True

    def _peek(self) -> bytes:
        """The next byte that is no space, empty at the end."""
        while True:
            space = _SPACE.match(self._buffer, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._buffer) or not self._more():
                return self._buffer[self._at : self._at + 1]

    def _cut_out(self) -> bytes:
        """The next value, as it stands there."""
        self._peek()
        while (found := self._pattern.match(self._buffer, self._at)) is None:
            if len(self._buffer) - self._at > MAX_VALUE_BYTES:
                raise _damaged(f"a part has more than {MAX_VALUE_BYTES:,} bytes, or is nested too deeply")
            if not self._more():
                raise _damaged("it is cut off, or nested too deeply")
        self._at = found.end()
        return found.group()

    def _more(self) -> bool:
        """Read on, twice as much as is waiting: what is not whole is looked at again."""
        waiting = self._buffer[self._at :]
        more = self._stream.read(max(_READ_BYTES, len(waiting)))
        self._buffer, self._at = waiting + more, 0
        return bool(more)


def _damaged(what: str) -> EvidenceError:
    return EvidenceError(f"not an OTLP document: {what}", "was the file cut off? JSON lines are read as well")
