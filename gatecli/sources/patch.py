"""Unified diffs: ``git diff``, ``git format-patch`` (also a series) and plain ``diff -u``, with or without a tree.

The parser counts hunk lines, so no content can pass for a header. A patch that ends inside a hunk or a file header, or
holds less than the summary of its mail, is an error, never half a change. (A ``git diff`` that was cut between two
files looks whole; ``rebuild`` notices a cut between two hunks by the blob ids.)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import FileStatus, Hunk, Revision
from gatecli.sources.mail import MBOX, Summary, read_mail, summary

_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$")
_ESCAPE = re.compile(rb'\\([abfnrtv"\\]|[0-7]{1,3})')
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_MODES = {b"new file mode ": "new", b"deleted file mode ": "old", b"old mode ": "old", b"new mode ": "new"}
_MOVES = {b"rename from ": "from", b"rename to ": "to", b"copy from ": "from", b"copy to ": "to"}
_INDEX = re.compile(rb"^index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: (\d{6}))?$")
# The blob of an empty file, whose addition or deletion has no hunk: sha1 and sha256.
_EMPTY = (
    b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    b"473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
_CUT_OFF = "the patch was cut off: make it again, and give the whole of it"

# A line number beyond this is no source file; a patch that names one would make gate build a huge blank file.
MAX_LINE = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchHunk:
    """One hunk as written: where it stands, its ``(tag, text)`` lines, and the heading git found for it.

    A text ends with its ``\\n``, unless the patch says that the file has none there.
    """

    old_start: int
    new_start: int
    lines: tuple[tuple[bytes, bytes], ...]
    heading: bytes = b""

    def side(self, drop: bytes) -> tuple[bytes, ...]:
        """The lines of one side: ``drop`` is the tag that the side does not have."""
        return tuple(text for tag, text in self.lines if tag != drop)

    def replaced(self) -> Iterator[Hunk]:
        """The replaced blocks inside, without context."""
        old, new = self.old_start, self.new_start
        removed = added = 0
        for tag, _ in (*self.lines, (b" ", b"")):
            if tag == b"-":
                removed += 1
            elif tag == b"+":
                added += 1
            else:
                if removed or added:
                    yield Hunk(old_start=old, old_count=removed, new_start=new, new_count=added)
                old, new = old + removed + 1, new + added + 1
                removed = added = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchFile:
    """One file section of a patch; the blob ids are as (un)abbreviated as the patch has them."""

    old_path: str | None
    path: str | None
    status: FileStatus
    old_mode: str | None = None
    new_mode: str | None = None
    old_blob: str | None = None
    new_blob: str | None = None
    binary: bool = False
    hunks: tuple[PatchHunk, ...] = ()

    @property
    def replaced(self) -> tuple[Hunk, ...]:
        """The replaced blocks of all hunks."""
        return tuple(block for hunk in self.hunks for block in hunk.replaced())


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """The file sections of a patch in order, and the commits that a mail series carries, newest first.

    ``unseen`` are the lines in which ``diff -r`` names a file without showing what is in it.
    """

    files: tuple[PatchFile, ...]
    revisions: tuple[Revision, ...] = ()
    unseen: tuple[str, ...] = ()


@dataclass(slots=True)
class _Header:
    """What stands before the hunks of one file section."""

    line: int
    is_git: bool
    names: dict[str, str | None] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    blobs: tuple[bytes, bytes] | None = None
    similarity: bytes | None = None

    def is_whole(self, hunks: tuple[PatchHunk, ...]) -> bool:
        """Whether the hunks are all that such a header announces, as far as that can be seen."""
        if hunks or "binary" in self.flags:
            return True
        if not self.is_git or "---" in self.names or "+++" in self.names:
            return False
        if self.blobs is not None:
            return all(not blob.strip(b"0") or any(empty.startswith(blob) for empty in _EMPTY) for blob in self.blobs)
        if self.flags & {"rename", "copy"}:
            return {"from", "to"} <= self.flags and self.similarity in (None, b"100%")
        named = self.names.get("from") is not None and self.names.get("from") == self.names.get("to")
        return named and {"old", "new"} <= self.modes.keys()


def parse(data: bytes, *, name: str = "the patch") -> Patch:
    """Read a patch.

    Raises:
        UsageError: there is no diff in it, or it is a combined (merge) diff.
        EvidenceError: it is cut off or a header is malformed.
    """
    lines = data.split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    if lines and all(line.endswith(b"\r") for line in lines):
        lines = [line[:-1] for line in lines]  # the patch itself was converted, not the files in it
    files: list[PatchFile] = []
    revisions: list[Revision] = []
    unseen: list[str] = []
    mail: tuple[Summary | None, int] = (None, 0)  # what the mail announces, and the number of files before it
    position = 0
    while position < len(lines):
        line = lines[position].rstrip(b"\r")
        if line.startswith((b"diff --cc ", b"diff --combined ")):
            raise UsageError(
                f"{name}, line {position + 1}: a combined diff of a merge has no single before and after",
                "make it with `git diff BASE...HEAD` or `git diff HEAD^1 HEAD`",
            )
        if match := MBOX.match(line):
            _require_all(files, mail, name)
            revision, position = read_mail(lines, position, match[1].decode())
            if revision is not None:
                revisions.insert(0, revision)
            mail = (None, len(files))
        elif line.startswith(b"diff --git ") or _starts_plain(lines, position):
            file, position = _file(lines, position, name)
            files.append(file)
        elif _HUNK.match(line):
            raise EvidenceError(
                f"{name}, line {position + 1}: a hunk without a file header",
                "give the whole patch, from its `diff --git` or `---` line on",
            )
        else:
            if line.startswith((b"Only in ", b"Binary files ")):
                unseen.append(line.decode("utf-8", "replace"))
            if revisions and mail[1] == len(files):
                mail = (summary(line) or mail[0], mail[1])
            position += 1
    _require_all(files, mail, name)
    if not files and not revisions and not unseen and data.strip():
        raise UsageError(
            f"{name} holds no unified diff", "give the output of `git diff`, `git format-patch` or `diff -u`"
        )
    return Patch(files=tuple(files), revisions=tuple(revisions), unseen=tuple(unseen))


def _require_all(files: list[PatchFile], mail: tuple[Summary | None, int], name: str) -> None:
    """A mail of ``git format-patch`` counts its files and lines before it shows them."""
    announced, start = mail
    if announced is None:
        return
    blocks = [block for file in files[start:] for block in file.replaced]
    added, deleted = sum(block.new_count for block in blocks), sum(block.old_count for block in blocks)
    if len(files) - start < announced.files or (added, deleted) != (announced.added, announced.deleted):
        raise EvidenceError(
            f"{name} announces {announced.files} files, +{announced.added} -{announced.deleted} lines, "
            f"and holds {len(files) - start} files, +{added} -{deleted}",
            _CUT_OFF,
        )


def _starts_plain(lines: list[bytes], position: int) -> bool:
    following = lines[position + 1] if position + 1 < len(lines) else b""
    return lines[position].startswith(b"--- ") and following.startswith(b"+++ ")


def _file(lines: list[bytes], position: int, name: str) -> tuple[PatchFile, int]:
    """One file section: extended headers, the two names, the hunks."""
    first = lines[position].rstrip(b"\r")
    header = _Header(line=position + 1, is_git=first.startswith(b"diff --git "))
    if header.is_git:
        header.names["from"], header.names["to"] = _git_names(first[len(b"diff --git ") :])
        position += 1
    while position < len(lines):
        line = lines[position].rstrip(b"\r")
        if line.startswith((b"--- ", b"+++ ")):
            header.names[line[:3].decode()] = plain_path(line[4:])
            position += 1
            if line.startswith(b"+++ "):
                break
        elif header.is_git and _extended_header(line, header):
            position += 1
        elif header.is_git and line.startswith((b"GIT binary patch", b"Binary files ")):
            header.flags.add("binary")
            position = _skip_binary(lines, position + 1) if line.startswith(b"GIT") else position + 1
            break
        else:
            break
    hunks: list[PatchHunk] = []
    while position < len(lines) and (match := _HUNK.match(lines[position].rstrip(b"\r"))):
        hunk, position = _hunk(lines, position, match, name)
        hunks.append(hunk)
    if not header.is_whole(tuple(hunks)):
        raise EvidenceError(f"{name}, line {header.line}: the patch ends in the middle of a file", _CUT_OFF)
    return _section(header, tuple(hunks)), position


def _extended_header(line: bytes, header: _Header) -> bool:
    for prefix, side in _MODES.items():
        if line.startswith(prefix):
            header.modes[side] = line[len(prefix) :].decode("ascii", "replace").strip()
            header.flags.add(prefix.split(b" ")[0].decode())
            return True
    for prefix, key in _MOVES.items():
        if line.startswith(prefix):
            header.names[key] = _unquote(line[len(prefix) :])
            header.flags |= {prefix.split(b" ")[0].decode(), key}
            return True
    if match := _INDEX.match(line):
        header.blobs = match[1], match[2]
        if match[3]:  # the mode of both sides, where it did not change
            header.modes.setdefault("old", match[3].decode())
            header.modes.setdefault("new", match[3].decode())
        return True
    if line.startswith(b"similarity index "):
        header.similarity = line.removeprefix(b"similarity index ").strip()
        return True
    return line.startswith(b"dissimilarity index ")


def _section(header: _Header, hunks: tuple[PatchHunk, ...]) -> PatchFile:
    names, flags = header.names, header.flags
    old = names.get("---", names.get("from"))
    new = names.get("+++", names.get("to"))
    if not header.is_git and old and new:
        old, new = _plain_pair(old, new)
    if "deleted" in flags or new == "/dev/null":
        status, new = FileStatus.DELETED, None
    elif ("new" in flags and "old" not in header.modes) or old == "/dev/null":
        status, old = FileStatus.ADDED, None
    elif "rename" in flags or "copy" in flags:
        status = FileStatus.RENAMED if "rename" in flags else FileStatus.COPIED
        old, new = names["from"], names["to"]
    else:
        status = FileStatus.MODIFIED
    return PatchFile(
        old_path=old,
        path=new,
        status=status,
        old_mode=header.modes.get("old"),
        new_mode=header.modes.get("new"),
        old_blob=header.blobs[0].decode() if header.blobs else None,
        new_blob=header.blobs[1].decode() if header.blobs else None,
        binary="binary" in flags,
        hunks=hunks,
    )


def _hunk(lines: list[bytes], position: int, match: re.Match[bytes], name: str) -> tuple[PatchHunk, int]:
    start = position
    if max(len(number or b"") for number in match.groups()[:4]) > len(str(MAX_LINE)):
        raise EvidenceError(f"{name}, line {start + 1}: the hunk names a line beyond {MAX_LINE:,}", "check the patch")
    old_start, new_start = int(match[1]), int(match[3])
    old_left = int(match[2]) if match[2] is not None else 1
    new_left = int(match[4]) if match[4] is not None else 1
    if max(old_start + old_left, new_start + new_left) > MAX_LINE:
        raise EvidenceError(f"{name}, line {start + 1}: the hunk names a line beyond {MAX_LINE:,}", "check the patch")
    # With a count of 0 the header names the line before the hunk.
    old_start, new_start = old_start + (old_left == 0), new_start + (new_left == 0)
    body: list[tuple[bytes, bytes]] = []
    position += 1
    while old_left > 0 or new_left > 0:
        if position >= len(lines):
            raise EvidenceError(
                f"{name}, line {start + 1}: the patch ends inside a hunk, {old_left} old, {new_left} new lines short",
                _CUT_OFF,
            )
        tag, text = lines[position][:1] or b" ", lines[position][1:]
        if tag == b"\r" and not text:
            tag, text = b" ", b"\r"
        if tag == b"\\":
            _unterminate(body)
            position += 1
            continue
        if tag not in b" +-":
            raise EvidenceError(
                f"{name}, line {position + 1}: a hunk line starts with neither space, + nor -",
                "the patch is malformed: white space may have been lost on the way (mail, chat); make it again",
            )
        old_left -= tag != b"+"
        new_left -= tag != b"-"
        body.append((tag, text + b"\n"))
        position += 1
    while position < len(lines) and lines[position].startswith(b"\\"):
        _unterminate(body)
        position += 1
    if old_left < 0 or new_left < 0 or _continues(lines, position):
        raise EvidenceError(
            f"{name}, line {start + 1}: the hunk holds more lines than its header says", "make it again"
        )
    return PatchHunk(old_start=old_start, new_start=new_start, lines=tuple(body), heading=match[5].strip()), position


def _unterminate(body: list[tuple[bytes, bytes]]) -> None:
    r"""What ``\ No newline at end of file`` says of the line before it."""
    if body:
        body[-1] = (body[-1][0], body[-1][1].removesuffix(b"\n"))


def _continues(lines: list[bytes], position: int) -> bool:
    """Whether a line that belongs to a hunk stands where none should; ``-- `` is the signature of a mail."""
    line = lines[position] if position < len(lines) else b""
    return line[:1] in (b"+", b"-") and line.rstrip() != b"--" and not _starts_plain(lines, position)


def _skip_binary(lines: list[bytes], position: int) -> int:
    """Past the base85 blocks of a binary patch: ``literal``/``delta`` blocks, each ended by an empty line."""
    while position < len(lines) and lines[position].startswith((b"literal ", b"delta ")):
        while position < len(lines) and lines[position] != b"":
            position += 1
        position += 1
    return position


def _git_names(rest: bytes) -> tuple[str | None, str | None]:
    """Both names of ``diff --git a/X b/X``; unquoted names with spaces are told apart by being equal."""
    if rest.startswith(b'"'):
        end = re.match(rb'"(?:[^"\\]|\\.)*"', rest)
        if end is None:
            return None, None
        return _strip_prefix(_unquote(end[0])), _strip_prefix(_unquote(rest[end.end() :].strip()))
    if rest.endswith(b'"'):
        old, _, new = rest.partition(b' "')
        return _strip_prefix(_unquote(old)), _strip_prefix(_unquote(b'"' + new))
    half = len(rest) // 2
    if len(rest) % 2 and rest[half : half + 1] == b" ":
        old, new = rest[:half], rest[half + 1 :]
        if old.partition(b"/")[2] == new.partition(b"/")[2] or old == new:
            return _strip_prefix(_unquote(old)), _strip_prefix(_unquote(new))
    return None, None


def plain_path(rest: bytes) -> str:
    """The name on a ``---``/``+++`` line: without the time stamp of ``diff -u`` and the prefix of git."""
    if rest.startswith(b'"'):
        return _strip_prefix(_unquote(rest))
    path = _unquote(rest.partition(b"\t")[0].rstrip())
    return path if path == "/dev/null" else _strip_prefix(path)


def _plain_pair(old: str, new: str) -> tuple[str, str]:
    """Names of ``diff -u``: two folders compared (``old/x new/x``) or a backup (``x.orig x``) are one file."""
    if "/dev/null" in (old, new):
        return old, new
    old_rest, new_rest = old.partition("/")[2], new.partition("/")[2]
    if old != new and old_rest and old_rest == new_rest:
        return new_rest, new_rest
    return new, new


def _strip_prefix(path: str) -> str:
    """Without ``a/``, ``b/`` and the prefixes of ``diff.mnemonicPrefix``."""
    return path[2:] if len(path) > 2 and path[1] == "/" and path[0] in "abciwo" else path


def _unquote(raw: bytes) -> str:
    """A path as git quotes it, decoded like every path (``os.fsdecode``)."""
    if len(raw) >= 2 and raw.startswith(b'"') and raw.endswith(b'"'):
        raw = _ESCAPE.sub(_unescape, raw[1:-1])
    return raw.decode("utf-8", "surrogateescape")


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if code[:1].isdigit() else _ESCAPED.get(code, code)
