"""Which of many gitignore-like patterns is the last to match a path, without trying each of them.

Most patterns of a code owners file name a folder, a file or an ending: those are looked up. What is left is tried from
the last line on, and only where the literal part of a pattern stands in the path. Matching is linear in the length of
the path: between two wildcards the first place that fits is taken, which is enough
(https://git-scm.com/docs/gitignore#_pattern_format).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

_WILD = re.compile(r"(?<!\\)[*?]")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class _Shape:
    """A pattern taken apart: its segments, whether it hangs on the root, and what it wants behind its last segment."""

    segments: tuple[str, ...]
    rooted: bool
    folder_only: bool
    children_only: bool


_Glob = tuple[int, str, str]
"""A pattern that has to be tried: its number, a literal that every match holds, and the pattern."""


@dataclass(slots=True)
class Patterns:
    """Numbered patterns, ready to look up: the highest number that matches counts.

    ``rooted_only`` reads a pattern without a leading slash as one that matches in any folder, as GitLab does.
    """

    rooted_only: bool = False
    _paths: dict[str, int] = field(default_factory=dict)
    _folders: dict[str, int] = field(default_factory=dict)
    _children: dict[str, int] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)
    _folder_names: dict[str, int] = field(default_factory=dict)
    _endings: dict[str, int] = field(default_factory=dict)
    _within: dict[str, list[_Glob]] = field(default_factory=dict)
    _anywhere: list[_Glob] = field(default_factory=list)

    def add(self, number: int, pattern: str) -> None:
        """Add a pattern; numbers grow."""
        shape = _shape(pattern, self.rooted_only)
        *folder, last = map(_plain, shape.segments)
        if None in folder:
            self._add_glob(number, pattern, shape)
        elif shape.children_only and shape.rooted:
            self._children["/".join(map(str, folder))] = number
        elif last is not None and shape.rooted:
            (self._folders if shape.folder_only else self._paths)["/".join(map(str, (*folder, last)))] = number
        elif last is not None and not folder:
            (self._folder_names if shape.folder_only else self._names)[last] = number
        elif not folder and not shape.folder_only and (ending := _ending(shape.segments[0])) is not None:
            self._endings[ending] = number
        else:
            self._add_glob(number, pattern, shape)

    def _add_glob(self, number: int, pattern: str, shape: _Shape) -> None:
        pieces = [_ESCAPED.sub(r"\1", one) for segment in shape.segments for one in _WILD.split(segment)]
        fixed = [_plain(segment) for segment in shape.segments[:-1]]
        count = fixed.index(None) if None in fixed else len(fixed)
        start = "/".join(str(one) for one in fixed[:count]) if shape.rooted else ""
        where = self._within.setdefault(start, []) if start else self._anywhere
        where.append((number, max(pieces, key=len, default=""), pattern))

    def last(self, path: str) -> int:
        """The number of the last pattern that matches a path, -1 if none does."""
        parts = path.split("/")
        folder = path.rpartition("/")[0]
        best = max(self._paths.get(path, -1), self._children.get(folder, -1), self._names.get(parts[-1], -1))
        globs = [self._anywhere]
        at = ""
        for part in parts[:-1]:
            at = f"{at}/{part}" if at else part
            best = max(best, self._paths.get(at, -1), self._folders.get(at, -1))
            best = max(best, self._names.get(part, -1), self._folder_names.get(part, -1))
            if at in self._within:
                globs.append(self._within[at])
        if self._endings:
            best = max(best, *(self._endings.get(ending, -1) for ending in _endings(path)), -1)
        for some in globs:
            for number, literal, pattern in reversed(some):
                if number <= best:
                    break
                if literal in path and _expression(pattern, self.rooted_only).match(path):
                    best = number
                    break
        return best


def _endings(path: str) -> Iterator[str]:
    """From each dot of each segment to the segment's end."""
    for part in path.split("/"):
        start = part.find(".")
        while start >= 0:
            yield part[start:]
            start = part.find(".", start + 1)


def _plain(segment: str) -> str | None:
    """A segment without wildcards as it stands in a path, None for any other."""
    if "\\" not in segment:
        return None if "*" in segment or "?" in segment else segment
    return None if _WILD.search(segment) else _ESCAPED.sub(r"\1", segment)


def _ending(segment: str) -> str | None:
    return _plain(segment[1:]) if segment.startswith("*.") else None


def _shape(pattern: str, rooted_only: bool) -> _Shape:
    segments = [segment for segment in pattern.split("/") if segment]
    folder_only = pattern.endswith("/")
    rooted = pattern.startswith("/") or (not rooted_only and len(segments) > 1)
    while segments[:1] == ["**"] and len(segments) > 1:
        segments, rooted = segments[1:], False
    segments = ["*"] if segments == ["**"] else segments
    # GitHub and GitLab say that `docs/*` means what lies in docs itself; git would take what lies deeper as well.
    children_only = len(segments) > 1 and segments[-1] == "*" and not folder_only
    while len(segments) > 1 and segments[-1] == "**":
        segments, folder_only = segments[:-1], True
    return _Shape(tuple(segments), rooted, folder_only, children_only)


@cache
def _expression(pattern: str, rooted_only: bool) -> re.Pattern[str]:
    shape = _shape(pattern, rooted_only)
    blocks: list[list[str]] = [[]]
    for segment in shape.segments:
        if segment == "**":
            blocks.append([])
        else:
            blocks[-1].append(_segment(segment))
    text = ""
    for number, block in enumerate(blocks):
        anywhere = "(?:[^/]+/)*?" if number or not shape.rooted else ""
        last = number == len(blocks) - 1
        body = "/".join(block) + ("" if last or not block else "/")
        # A block that is found stays where it was found first: only the last one may have to move on.
        text += anywhere + body if last else f"(?>{anywhere}{body})"
    end = "" if shape.children_only else "/." if shape.folder_only else r"(?:/|\Z)"
    return re.compile(text + (end or r"\Z"), re.DOTALL)


def _segment(text: str) -> str:
    """One segment; ``*`` takes any characters but a slash, ``?`` one."""
    pieces = [_literal(piece) for piece in re.split(r"(?<!\\)\*+", text)]
    if len(pieces) == 1:
        return pieces[0]
    if not any(pieces):
        return "[^/]+"
    first, *middle, last = pieces
    return first + "".join(f"(?>[^/]*?{piece})" for piece in middle if piece) + f"[^/]*{last}(?=/|\\Z)"


def _literal(piece: str) -> str:
    parts = re.split(r"(\\.|\?)", piece, flags=re.DOTALL)
    return "".join("[^/]" if part == "?" else re.escape(part[1:] if part[:1] == "\\" else part) for part in parts)
