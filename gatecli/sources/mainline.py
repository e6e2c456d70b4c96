"""The mainline, oldest change first: what each merge or commit changed, by blob ids, without checking anything out.

Four passes of ``git log``: all commits with their parents (who wrote what a merge brought), the messages of those that
take something back or blame it, the first-parent line with its raw entries, and the lines replaced in Python files.
Blobs of other files are never read: a clone may lack them.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gatecli.model import MainlineChange, MainlineFile, Person
from gatecli.sources.git import Repository
from gatecli.sources.revisions import epoch

MAX_FILES = 5_000
"""A change of more files is a reformatting or an import; the rest of its files say nothing new."""
MAX_MESSAGE_CHARACTERS = 16_384

_FIRST_PARENT = ("log", "--first-parent", "-m", "-z", "-M100%", "--no-ext-diff", "--no-textconv", "--no-color")

_SPEAKS = "revert|back.{0,5}out|roll.{0,5}back|fixes:|regress|introduced|caused|broke|bug in|since commit"
"""Words of commits that may speak of earlier ones: more than ``history.outcomes`` understands, and never fewer."""
_NAMES_A_CHANGE = re.compile(r"\b(?:[0-9a-f]{7,40}|I[0-9a-f]{8,40}|D\d{3,12})\b|#\d")

Graph = dict[str, tuple[tuple[str, ...], Person]]
"""The parents and the author of every commit."""


def read_mainline(
    repository: Repository, revision: str = "HEAD", *, after: str | None = None
) -> Iterator[MainlineChange]:
    """The first-parent line up to a revision, oldest change first; ``after`` an earlier commit of it, the rest alone.

    Raises:
        UsageError: there is no such revision.
        EvidenceError: objects are missing.
    """
    head = repository.resolve(revision)
    head = f"{after}..{head}" if after else head
    graph = _graph(repository, head)
    spoken = _spoken(repository, head)
    lines = _python_lines(repository, head)
    seen: set[str] = set()
    for change in _changes(repository, head, lines):
        branch = tuple(_brought(change.sha, graph, seen))
        author = graph[branch[0]][1] if branch else change.author
        yield MainlineChange(
            sha=change.sha,
            author=author,
            committed_at=change.committed_at,
            message=change.message,
            files=change.files,
            branch=branch,
            said=tuple(spoken[commit] for commit in reversed(branch) if commit in spoken),
        )


def read_of_paths(
    repository: Repository, revision: str, paths: Sequence[str], *, since: int, at_most: int
) -> list[MainlineChange]:
    """The newest changes of the first-parent line that touch some paths, oldest first, and of their files those alone.

    Lines are not counted and renames not followed. Of what a merge brought only its tip is named; it is whose author
    the change has. What was under a path up to when it was last added or deleted is left out: it may have been moved
    there, or from there. ``since`` is in UTC epoch seconds: git stops at the first change that is older.

    Raises:
        EvidenceError: objects are missing.
    """
    head = repository.resolve(revision)
    limits = f"--max-count={at_most}", f"--since={since}"
    changes = _of_standing_files(list(_changes(repository, head, {}, limits=limits, paths=paths)))
    tips = _tips(repository, [one.sha for one in changes])
    authors = {sha: person for sha, (_, person) in _named(repository, list(tips.values())).items()}
    return [
        replace(one, author=authors.get(tips[one.sha], one.author), branch=(tips[one.sha],)) if one.sha in tips else one
        for one in changes
    ]


def _of_standing_files(changes: Sequence[MainlineChange]) -> list[MainlineChange]:
    """The changes with only those files that they edit, and that were neither added nor deleted since."""
    begun: set[str] = set()
    found: list[MainlineChange] = []
    for change in reversed(changes):
        begun |= {file.path for file in change.files if file.old_path is None or file.new_path is None}
        if files := tuple(file for file in change.files if file.path not in begun):
            found.append(replace(change, files=files))
    return found[::-1]


def _tips(repository: Repository, shas: Sequence[str]) -> dict[str, str]:
    """The second parent of those commits that are merges."""
    return {sha: parents[1] for sha, (parents, _) in _named(repository, shas).items() if len(parents) > 1}


def _named(repository: Repository, shas: Sequence[str]) -> Graph:
    return _graph(repository, "--no-walk", *dict.fromkeys(shas)) if shas else {}


def leads_to(repository: Repository, earlier: str, later: str, *, at_most: int) -> bool:
    """Whether a commit is on the first-parent line of another, no more than so many changes before it."""
    line = "rev-list", "--first-parent", f"--max-count={at_most + 1}", later, "--"
    return earlier in repository.text(*line).split()


def _graph(repository: Repository, *revisions: str) -> Graph:
    fields = repository.stream("log", "-z", "--encoding=UTF-8", "--format=%H%x00%P%x00%an%x00%ae", *revisions)
    found: Graph = {}
    for sha in fields:
        parents, name, mail = (next(fields, b"") for _ in range(3))
        if sha:
            person = Person(name=_text(name), email=_text(mail))
            found[_text(sha)] = tuple(_text(parents).split()), person
    return found


def _spoken(repository: Repository, head: str) -> dict[str, str]:
    """The messages that may take an earlier commit back, or blame it, by commit."""
    words = "-z", "--encoding=UTF-8", "--format=%H%x00%B", "--extended-regexp", "--regexp-ignore-case"
    fields = repository.stream("log", *words, f"--grep={_SPEAKS}", head)
    found = {}
    for sha in fields:
        message = _text(next(fields, b""))[:MAX_MESSAGE_CHARACTERS]
        if sha and _NAMES_A_CHANGE.search(message):
            found[_text(sha)] = message
    return found


def _brought(sha: str, graph: Graph, seen: set[str]) -> Iterator[str]:
    """The commits that reached the mainline with a change, newest first, its own aside."""
    seen.add(sha)
    pending = [parent for parent in graph[sha][0][1:] if parent not in seen]
    while pending:
        commit = pending.pop(0)
        if commit in seen or commit not in graph:
            continue
        seen.add(commit)
        yield commit
        pending += [parent for parent in graph[commit][0] if parent not in seen]


def _changes(
    repository: Repository,
    head: str,
    lines: dict[str, dict[str, tuple[int, int]]],
    *,
    limits: Sequence[str] = (),
    paths: Sequence[str] = (),
) -> Iterator[MainlineChange]:
    format = "--format=%x00%x01%H%x00%an%x00%ae%x00%ct%x00%B%x00"
    how = *_FIRST_PARENT, *limits, "--reverse", "--raw", "--no-abbrev", "--encoding=UTF-8", format
    fields = repository.stream(*how, head, *(("--", *paths) if paths else ()))
    sha: str | None = None
    header: tuple[Person, int, str] = (Person(name="", email=""), 0, "")
    files: list[MainlineFile] = []
    for field in fields:
        if field.startswith(b"\x01"):
            if sha is not None:
                yield _change(sha, header, files)
            sha, files = _text(field[1:]), []
            name, mail, at, message = (next(fields, b"") for _ in range(4))
            header = (
                Person(name=_text(name), email=_text(mail)),
                epoch(_text(at)),
                _text(message)[:MAX_MESSAGE_CHARACTERS],
            )
        elif field.lstrip(b"\n").startswith(b":"):
            entry = _file(field.lstrip(b"\n"), fields, lines.get(sha or "", {}))
            if entry is not None and len(files) < MAX_FILES:
                files.append(entry)
    if sha is not None:
        yield _change(sha, header, files)


def _change(sha: str, header: tuple[Person, int, str], files: Iterable[MainlineFile]) -> MainlineChange:
    author, at, message = header
    return MainlineChange(sha=sha, author=author, committed_at=at, message=message.rstrip("\n"), files=tuple(files))


def _file(entry: bytes, fields: Iterator[bytes], lines: dict[str, tuple[int, int]]) -> MainlineFile | None:
    """One raw entry ``:mode mode blob blob status``; its paths are the next fields, whatever they look like."""
    parts = entry[1:].split(b" ")
    old = os.fsdecode(next(fields, b""))
    status = parts[-1][:1]
    new = os.fsdecode(next(fields, b"")) if status in (b"R", b"C") else old
    if len(parts) != 5 or not (parts[0].startswith(b"10") or parts[1].startswith(b"10")):
        return None  # a link or a submodule
    before, after = (None if set(blob) == set(b"0") else _text(blob) for blob in parts[2:4])
    added, deleted = lines.get(new, (0, 0))
    return MainlineFile(
        old if before and status != b"C" else None, new if after else None, before, after, added, deleted
    )


def _python_lines(repository: Repository, head: str) -> dict[str, dict[str, tuple[int, int]]]:
    """Lines added and deleted in the Python files of each change, by commit and (new) path."""
    format = "--format=%x00%x01%H%x00"
    where = ("--", "*.py", "*.pyi")
    fields = repository.stream(*_FIRST_PARENT, "--numstat", format, head, *where, env={"GIT_LITERAL_PATHSPECS": "0"})
    found: dict[str, dict[str, tuple[int, int]]] = {}
    of_one: dict[str, tuple[int, int]] = {}
    for field in fields:
        if field.startswith(b"\x01"):
            of_one = found.setdefault(_text(field[1:]), {})
            continue
        counts = field.lstrip(b"\n").split(b"\t", 2)
        if len(counts) == 3:
            path = counts[2]
            if not path:  # renamed: the old and the new name follow
                next(fields, b"")
                path = next(fields, b"")
            of_one[os.fsdecode(path)] = _number(counts[0]), _number(counts[1])
    return found


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() else 0  # "-": git calls it binary


def _text(field: bytes) -> str:
    return field.decode("utf-8", "replace")
