"""Unified diffs: ``git diff``, ``git format-patch`` (also a series) and plain ``diff -u``, with or without a tree.

The parser counts hunk lines, so no content can pass for a header. A patch that ends inside a hunk is an error, never
half a change.
"""

import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.utils import mktime_tz, parseaddr, parsedate_tz

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import FileStatus, Hunk, Person, Revision

_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$")
_MBOX = re.compile(rb"^From ([0-9a-f]{40,64}) \w{3} \w{3} +\d+ [\d:]{8} \d{4}$")
_ESCAPE = re.compile(rb'\\([abfnrtv"\\]|[0-7]{1,3})')
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_MODES = {b"new file mode ": "new", b"deleted file mode ": "old", b"old mode ": "old", b"new mode ": "new"}
_MOVES = {b"rename from ": "from", b"rename to ": "to", b"copy from ": "from", b"copy to ": "to"}

# A line number beyond this is no source file; a patch that names one would make gate build a huge blank file.
MAX_LINE = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchHunk:
    """One hunk as written: where it stands, its ``(tag, text)`` lines, and the heading git found for it."""

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
    """One file section of a patch."""

    old_path: str | None
    path: str | None
    status: FileStatus
    old_mode: str | None = None
    new_mode: str | None = None
    binary: bool = False
    hunks: tuple[PatchHunk, ...] = ()

    @property
    def replaced(self) -> tuple[Hunk, ...]:
        """The replaced blocks of all hunks."""
        return tuple(block for hunk in self.hunks for block in hunk.replaced())


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """The file sections of a patch in order, and the commits that a mail series carries, newest first."""

    files: tuple[PatchFile, ...]
    revisions: tuple[Revision, ...] = ()


def parse(data: bytes, *, name: str = "the patch") -> Patch:
    """Read a patch.

    Raises:
        UsageError: there is no diff in it, or it is a combined (merge) diff.
        EvidenceError: it is cut off or a header is malformed.
    """
    lines = data.split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    files: list[PatchFile] = []
    revisions: list[Revision] = []
    position = 0
    while position < len(lines):
        line = lines[position].rstrip(b"\r")
        if line.startswith((b"diff --cc ", b"diff --combined ")):
            raise UsageError(
                f"{name}, line {position + 1}: a combined diff of a merge has no single before and after",
                "make it with `git diff BASE...HEAD` or `git diff HEAD^1 HEAD`",
            )
        if match := _MBOX.match(line):
            revision, position = _mail(lines, position, match[1].decode())
            revisions.insert(0, revision)
        elif line.startswith(b"diff --git ") or _starts_plain(lines, position):
            file, position = _file(lines, position, name)
            files.append(file)
        elif _HUNK.match(line):
            raise EvidenceError(
                f"{name}, line {position + 1}: a hunk without a file header",
                "give the whole patch, from its `diff --git` or `---` line on",
            )
        else:
            position += 1
    if not files and not revisions and data.strip():
        raise UsageError(
            f"{name} holds no unified diff", "give the output of `git diff`, `git format-patch` or `diff -u`"
        )
    return Patch(files=tuple(files), revisions=tuple(revisions))


def _starts_plain(lines: list[bytes], position: int) -> bool:
    following = lines[position + 1] if position + 1 < len(lines) else b""
    return lines[position].startswith(b"--- ") and following.startswith(b"+++ ")


def _file(lines: list[bytes], position: int, name: str) -> tuple[PatchFile, int]:
    """One file section: extended headers, the two names, the hunks."""
    first = lines[position].rstrip(b"\r")
    names: dict[str, str | None] = {"from": None, "to": None, "---": None, "+++": None}
    modes: dict[str, str] = {}
    flags: set[str] = set()
    is_git = first.startswith(b"diff --git ")
    if is_git:
        names["from"], names["to"] = _git_names(first[len(b"diff --git ") :])
        position += 1
    while position < len(lines):
        line = lines[position].rstrip(b"\r")
        if line.startswith((b"--- ", b"+++ ")):
            names[line[:3].decode()] = plain_path(line[4:])
            position += 1
            if line.startswith(b"+++ "):
                break
        elif is_git and _extended_header(line, names, modes, flags):
            position += 1
        elif is_git and line.startswith((b"GIT binary patch", b"Binary files ")):
            flags.add("binary")
            position = _skip_binary(lines, position + 1) if line.startswith(b"GIT") else position + 1
            break
        else:
            break
    hunks: list[PatchHunk] = []
    while position < len(lines) and (match := _HUNK.match(lines[position].rstrip(b"\r"))):
        hunk, position = _hunk(lines, position, match, name)
        hunks.append(hunk)
    return _section(names, modes, flags, tuple(hunks), is_git), position


def _extended_header(line: bytes, names: dict[str, str | None], modes: dict[str, str], flags: set[str]) -> bool:
    for prefix, side in _MODES.items():
        if line.startswith(prefix):
            modes[side] = line[len(prefix) :].decode("ascii", "replace").strip()
            flags.add(prefix.split(b" ")[0].decode())
            return True
    for prefix, key in _MOVES.items():
        if line.startswith(prefix):
            names[key] = _unquote(line[len(prefix) :])
            flags.add(prefix.split(b" ")[0].decode())
            return True
    return line.startswith((b"index ", b"similarity index ", b"dissimilarity index "))


def _section(
    names: dict[str, str | None], modes: dict[str, str], flags: set[str], hunks: tuple[PatchHunk, ...], is_git: bool
) -> PatchFile:
    old = names["from"] if names["---"] is None else names["---"]
    new = names["to"] if names["+++"] is None else names["+++"]
    if not is_git and old and new:
        old, new = _plain_pair(old, new)
    if "deleted" in flags or new == "/dev/null":
        status, new = FileStatus.DELETED, None
    elif ("new" in flags and "old" not in modes) or old == "/dev/null":
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
        old_mode=modes.get("old"),
        new_mode=modes.get("new"),
        binary="binary" in flags,
        hunks=hunks,
    )


def _hunk(lines: list[bytes], position: int, match: re.Match[bytes], name: str) -> tuple[PatchHunk, int]:
    start = position
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
                "the patch was cut off: make it again, and give the whole of it",
            )
        tag, text = lines[position][:1] or b" ", lines[position][1:]
        if tag == b"\r" and not text:
            tag, text = b" ", b"\r"
        if tag == b"\\":
            position += 1
            continue
        if tag not in b" +-":
            raise EvidenceError(
                f"{name}, line {position + 1}: a hunk line starts with neither space, + nor -",
                "the patch is malformed: white space may have been lost on the way (mail, chat); make it again",
            )
        old_left -= tag != b"+"
        new_left -= tag != b"-"
        body.append((tag, text))
        position += 1
    while position < len(lines) and lines[position].startswith(b"\\"):
        position += 1
    if old_left < 0 or new_left < 0:
        raise EvidenceError(
            f"{name}, line {start + 1}: the hunk holds more lines than its header says", "make it again"
        )
    return PatchHunk(old_start=old_start, new_start=new_start, lines=tuple(body), heading=match[5].strip()), position


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


def _mail(lines: list[bytes], position: int, sha: str) -> tuple[Revision, int]:
    """The header and message of one mail of ``git format-patch``; ends before its first diff."""
    end = position + 1
    while end < len(lines) and not lines[end].startswith(b"diff --") and lines[end].rstrip(b"\r") != b"---":
        if end > position + 1 and _MBOX.match(lines[end]):
            break
        end += 1
    headers = BytesHeaderParser(policy=email.policy.compat32).parsebytes(b"\n".join(lines[position + 1 : end]))
    author_name, author_email = parseaddr(_header(headers["From"]))
    date = parsedate_tz(_header(headers["Date"]))
    body = headers.get_payload()
    subject = re.sub(r"^\[PATCH[^\]]*\]\s*", "", " ".join(_header(headers["Subject"]).split()))
    at = int(mktime_tz(date)) if date else 0
    person = Person(name=author_name, email=author_email)
    message = f"{subject}\n\n{body if isinstance(body, str) else ''}".strip()
    revision = Revision(sha=sha, author=person, committer=person, authored_at=at, committed_at=at, message=message)
    return revision, end


def _header(value: object) -> str:
    """A header with its encoded words decoded; what cannot be decoded stays as it is."""
    from email.header import decode_header, make_header

    text = str(value or "")
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, UnicodeError, ValueError):
        return text
