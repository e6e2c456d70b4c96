"""Call chains as text, ``frame;frame;frame``, to the steps of a stack: each distinct frame is looked at once.

Chains of one program begin alike: of 10,289 different stacks that py-spy saw of a web application, 36 frames deep,
19 frames in 20 stand where they stood in an earlier one. So a chain is taken in stretches of some frames from its root
on, which are known as they are written; only what is left, or new, is taken apart. A stretch is looked up by its last
bytes first, and compared with the one that ended so before: looking up all its text takes ten times as long.
"""

from collections.abc import Callable

from gatecli.errors import EvidenceError
from gatecli.runtime.formats.stack_table import MAX_FRAMES, StackTable, step_bytes
from gatecli.runtime.recording import Frame

# A dozen frames with their paths: shorter stretches are more look-ups, longer ones are less often the same.
_STRETCH_BYTES = 1_024
_END_BYTES = 48
_MOST_KEPT_BYTES = 32 * 1024 * 1024
_NONE = (b"", b"")


class _Steps(dict[bytes, bytes]):
    """What each text is in a chain: the index of its frame as bytes, or nothing for a label; found when asked for."""

    def __init__(self, frame: Callable[[str], Frame | None], table: StackTable) -> None:
        super().__init__()
        self._frame, self._table = frame, table

    def __missing__(self, text: bytes) -> bytes:
        if len(self) >= MAX_FRAMES:
            raise EvidenceError(f"more than {MAX_FRAMES:,} different frames", "record for a shorter time")
        frame = self._frame(text.decode("utf-8", "replace"))
        step = self[text] = b"" if frame is None else step_bytes(self._table.frame(frame))
        return step


class ChainTexts:
    """The chains of one recording; ``frame`` reads the text of one frame, None for a label that is none."""

    def __init__(self, frame: Callable[[str], Frame | None], table: StackTable) -> None:
        self._step = _Steps(frame, table).__getitem__
        self._stretches: dict[bytes, bytes] = {}
        self._by_end: dict[bytes, tuple[bytes, bytes]] = {}
        self._kept_bytes = 0

    def steps(self, chain: bytes) -> bytes:
        """The ``step_bytes`` of a chain's frames, root first."""
        if not chain:
            return b""
        by_end = self._by_end.get
        found, at = [], 0
        while end := chain.find(b";", at + _STRETCH_BYTES) + 1:
            text, steps = by_end(chain[end - _END_BYTES : end], _NONE)
            if at + len(text) != end or not chain.startswith(text, at):
                text = chain[at:end]
                steps = self._stretches.get(text) or self._new(text)
                self._by_end[text[-_END_BYTES:]] = text, steps
            found.append(steps)
            at = end
        found += map(self._step, chain[at:].split(b";"))
        return b"".join(found)

    def _new(self, stretch: bytes) -> bytes:
        """The steps of a stretch, which ends in ``;``."""
        steps = b"".join(map(self._step, stretch[:-1].split(b";")))
        self._kept_bytes += len(stretch)
        if self._kept_bytes > _MOST_KEPT_BYTES:
            self._stretches.clear()
            self._by_end.clear()
            self._kept_bytes = len(stretch)
        self._stretches[stretch] = steps
        return steps
