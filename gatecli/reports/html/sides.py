"""The change of one function as two columns: what stood there, and what stands there now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gatecli.model import FileChange, Function, FunctionChange, FunctionKind, Hunk

CONTEXT = 3
"""Unchanged lines around a change."""

MAX_COMPARED = 400
"""Pairs of lines in a hunk, and lines of a moved function, that are compared; of more the order alone says what is
beside what."""

_TAB = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A numbered line of one side, without its line break, tabs expanded."""

    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two lines beside each other; a side that has none is None. ``gap`` unchanged lines were left out before it."""

    old: Line | None
    new: Line | None
    changed: bool
    gap: int = 0


class Sides:
    """The files of a change, split into lines once."""

    def __init__(self, files: Iterable[FileChange]) -> None:
        self._files: dict[str, FileChange] = {}
        for file in files:
            self._files[file.path] = file
            self._files.setdefault(file.old_path or file.path, file)
        self._split: dict[tuple[str, bool], list[str]] = {}

    def pairs(self, function: FunctionChange) -> tuple[Pair, ...]:
        """The lines of a touched function that changed, with their surroundings; empty where its file is not known."""
        old, new = function.before, function.after
        file = self._files.get(function.id.path)
        origin = self._files.get(old.id.path) if old else file
        if file is None or origin is None:
            return ()
        if old is not None and new is not None and origin is not file:
            found = self._compared(origin, old, file, new)
        else:
            found = self._aligned(file, function)
        return tuple(_trimmed(list(found), function))

    def _line(self, file: FileChange, is_new: bool, number: int) -> Line | None:
        key = file.path, is_new
        if key not in self._split:
            content = file.after if is_new else file.before
            self._split[key] = content.decode("utf-8", "replace").split("\n") if content else []
        lines = self._split[key]
        if not 1 <= number <= len(lines):
            return None
        return Line(number=number, text=lines[number - 1].rstrip("\r").expandtabs(_TAB))

    def _aligned(self, file: FileChange, function: FunctionChange) -> Iterator[Pair]:
        """The whole function as the hunks of its file lay its lines beside each other."""
        span = function.function.span
        by_new = function.after is not None
        old_next = new_next = 1
        for hunk in (*file.hunks, None):
            old_last = hunk.old_start - 1 if hunk else old_next + span.end_line
            new_last = hunk.new_start - 1 if hunk else new_next + span.end_line
            here, last = (new_next, new_last) if by_new else (old_next, old_last)
            for number in range(max(here, span.first_line), min(last, span.end_line) + 1):
                old = self._line(file, False, old_next + number - here)
                new = self._line(file, True, new_next + number - here)
                if old is not None or new is not None:
                    yield Pair(old=old, new=new if by_new else None, changed=False)
            if hunk is None:
                return
            yield from self._replaced(file, hunk, function)
            old_next, new_next = old_last + hunk.old_count + 1, new_last + hunk.new_count + 1

    def _replaced(self, file: FileChange, hunk: Hunk, function: FunctionChange) -> Iterator[Pair]:
        removed, added = _clipped(hunk.removed, function.before), _clipped(hunk.added, function.after)
        if function.function.kind in (FunctionKind.MODULE, FunctionKind.CLASS_BODY):
            # A body holds functions that have diffs of their own.
            own = any(line in function.changed_lines for line in added)
            if not own and not any(line in function.removed_lines for line in removed):
                return
        old = [line for number in removed if (line := self._line(file, False, number))]
        new = [line for number in added if (line := self._line(file, True, number))]
        yield from _beside(old, new)

    def _compared(self, origin: FileChange, old: Function, file: FileChange, new: Function) -> Iterator[Pair]:
        """A function that moved to another file: no hunk says which lines belong together."""
        before = self._whole(origin, old, False)
        after = self._whole(file, new, True)
        if max(len(before), len(after)) > MAX_COMPARED:
            yield from (Pair(old=line, new=None, changed=True) for line in before)
            yield from (Pair(old=None, new=line, changed=True) for line in after)
            return
        from difflib import SequenceMatcher

        matcher = SequenceMatcher(None, [line.text for line in before], [line.text for line in after], autojunk=False)
        for tag, i, i_end, j, j_end in matcher.get_opcodes():
            if tag == "equal":
                yield from (Pair(old=before[i + n], new=after[j + n], changed=False) for n in range(i_end - i))
            else:
                yield from _beside(before[i:i_end], after[j:j_end])

    def _whole(self, file: FileChange, side: Function, is_new: bool) -> list[Line]:
        found = (self._line(file, is_new, n) for n in range(side.span.first_line, side.span.end_line + 1))
        return [line for line in found if line is not None]


def _clipped(lines: range, side: Function | None) -> range:
    if side is None:
        return range(0)
    return range(max(lines.start, side.span.first_line), min(lines.stop, side.span.end_line + 1))


def _beside(old: list[Line], new: list[Line]) -> Iterator[Pair]:
    """Removed and added lines, those that are alike beside each other."""
    partners = _partners(old, new)
    done = 0
    for line, partner in zip(old, partners, strict=True):
        if partner is None:
            yield Pair(old=line, new=None, changed=True)
            continue
        yield from (Pair(old=None, new=each, changed=True) for each in new[done:partner])
        yield Pair(old=line, new=new[partner], changed=True)
        done = partner + 1
    yield from (Pair(old=None, new=each, changed=True) for each in new[done:])


def _partners(old: list[Line], new: list[Line]) -> list[int | None]:
    """For each old line the new one beside it: the pairs in order that are the most alike in all."""
    if len(old) * len(new) > MAX_COMPARED:
        return [index if index < len(new) else None for index in range(len(old))]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            together = best[i + 1][j + 1] + _likeness(old[i].text, new[j].text)
            best[i][j] = max(together, best[i + 1][j], best[i][j + 1])
    partners: list[int | None] = []
    j = 0
    for i in range(len(old)):
        while j < len(new) and best[i][j] == best[i][j + 1] and best[i][j] > best[i + 1][j]:
            j += 1
        is_pair = j < len(new) and best[i][j] == best[i + 1][j + 1] + _likeness(old[i].text, new[j].text)
        partners.append(j if is_pair else None)
        j += is_pair
    return partners


def _likeness(old: str, new: str) -> float:
    """0 for nothing in common to 1; a little above 0 so that any pair is better than none."""
    head, tail = differing(old.strip(), new.strip())
    return 0.01 + (head + tail) / max(1, len(old.strip()), len(new.strip()))


def _trimmed(pairs: Sequence[Pair], function: FunctionChange) -> Iterator[Pair]:
    """The changes with a few lines around each, and the line that names the function."""
    named = function.function.span.def_line
    kept: set[int] = set()
    for index, pair in enumerate(pairs):
        side = pair.new if function.after else pair.old
        if side is not None and side.number == named and function.function.kind is not FunctionKind.MODULE:
            kept.add(index)
        if pair.changed:
            kept.update(range(max(0, index - CONTEXT), min(len(pairs), index + CONTEXT + 1)))
    last = -1
    for index in sorted(kept):
        gap = index - last - 1 if last >= 0 else 0
        yield replace(pairs[index], gap=gap) if gap else pairs[index]
        last = index


def differing(old: str, new: str) -> tuple[int, int]:
    """How many characters two lines have in common at their start and their end; zeros where most of them differ."""
    shortest = min(len(old), len(new))
    head = next((index for index in range(shortest) if old[index] != new[index]), shortest)
    tail = next((index for index in range(shortest - head) if old[-1 - index] != new[-1 - index]), shortest - head)
    indent = min(head, len(new) - len(new.lstrip()))
    return (head, tail) if head + tail - indent > max(len(old), len(new)) / 3 else (0, 0)
