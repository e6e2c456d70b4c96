"""How much of a change was judged function by function, how much as whole files, and what was not read at all."""

from collections import Counter
from dataclasses import dataclass

from gatecli.model import Case, FileChange, FileKind, FileType, ParsedFile, ParseStatus
from gatecli.reports.text import count, listed

_NAMES = {
    FileKind.PYTHON: "Python file",
    FileKind.CYTHON: "Cython file",
    FileKind.SQL: "SQL file",
    FileKind.DEPENDENCIES: "dependency file",
    FileKind.GO: "Go file",
    FileKind.RUST: "Rust file",
    FileKind.C: "C file",
    FileKind.CPP: "C++ file",
    FileKind.JAVA: "Java file",
    FileKind.KOTLIN: "Kotlin file",
    FileKind.SCALA: "Scala file",
    FileKind.CSHARP: "C# file",
    FileKind.SWIFT: "Swift file",
    FileKind.DART: "Dart file",
    FileKind.JAVASCRIPT: "JavaScript file",
    FileKind.TYPESCRIPT: "TypeScript file",
    FileKind.RUBY: "Ruby file",
    FileKind.PHP: "PHP file",
    FileKind.PERL: "Perl file",
    FileKind.LUA: "Lua file",
    FileKind.ELIXIR: "Elixir file",
    FileKind.R: "R file",
    FileKind.POWERSHELL: "PowerShell file",
    FileKind.HTML: "HTML file",
    FileKind.CSS: "CSS file",
    FileKind.PROTOBUF: "Protocol Buffers file",
    FileKind.GRAPHQL: "GraphQL file",
    FileKind.STUB: "stub",
    FileKind.NOTEBOOK: "notebook",
    FileKind.TEMPLATE: "template",
    FileKind.WORKFLOW: "workflow",
    FileKind.IMAGE: "image",
}
_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The files of one kind that were judged as a whole, and their changed lines."""

    kind: FileKind
    files: int
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """``lines`` were changed (added and deleted), ``by_function`` of them judged function by function.

    ``whole`` are the others by kind, most lines first; a line that does not parse counts there. ``unread`` are the
    files whose content was not read (binary, submodules, too large), by kind: they have no lines to count.
    """

    lines: int
    by_function: int
    whole: tuple[Whole, ...]
    unread: tuple[tuple[FileKind, int], ...]


def levels(case: Case) -> Levels:
    """Count the changed lines of a change by how closely they were looked at."""
    parsed = {file.path: file for file in case.parsed}
    lines, files, unread = Counter[FileKind](), Counter[FileKind](), Counter[FileKind]()
    total = 0
    for file in case.change.files:
        how = parsed.get(file.path)
        kind = how.kind if how else FileKind.OTHER
        size = file.added_count + file.deleted_count
        left = _not_by_function(file, how)
        total += size
        if left:
            lines[kind] += left
            files[kind] += 1
        elif not size and is_unread(file, how):
            unread[kind] += 1
    return Levels(
        lines=total,
        by_function=total - lines.total(),
        whole=tuple(
            Whole(kind=kind, files=files[kind], lines=number)
            for kind, number in sorted(lines.items(), key=lambda item: (-item[1], item[0]))
        ),
        unread=tuple(sorted(unread.items(), key=lambda item: (-item[1], item[0]))),
    )


def _not_by_function(file: FileChange, how: ParsedFile | None) -> int:
    """How many changed lines of a file no function (nor class or module body) was found for."""
    if how is None or how.status in (ParseStatus.NOT_PYTHON, ParseStatus.NOT_PARSED):
        return file.added_count + file.deleted_count
    errors = frozenset(how.error_lines)
    return sum(line in errors for hunk in file.hunks for line in hunk.added) if errors else 0


def is_unread(file: FileChange, how: ParsedFile | None) -> bool:
    """Whether nothing is known of a file but its name, mode and size."""
    unparsed = how is None or how.status is ParseStatus.NOT_PARSED
    return file.binary or file.type is FileType.SUBMODULE or (unparsed and not file.hunks)


def named(kind: FileKind, number: int) -> str:
    """``2 configuration files``, ``1 SQL file``, ``3 images``."""
    return count(number, _NAMES.get(kind, f"{kind} file"))


def phrases(found: Levels) -> tuple[str, ...]:
    """How much was judged how closely; empty where all of it was judged function by function."""
    said = []
    whole = [f"{one.lines:,} in {named(one.kind, one.files)}" for one in found.whole[:_MOST]]
    rest = found.whole[_MOST:]
    files = sum(one.files for one in found.whole)
    if rest:
        whole.append(f"{sum(one.lines for one in rest):,} in {count(sum(one.files for one in rest), 'file')} more")
    if whole:
        said += [
            f"{found.by_function:,} of {count(found.lines, 'changed line')} function by function",
            f"{listed(whole, _MOST + 1)}, {'as a whole' if files == 1 else 'each as a whole'}",
        ]
    unread = [named(kind, number) for kind, number in found.unread]
    if unread:
        said.append(f"not read: {listed(unread, _MOST)}")
    return tuple(said)


def by_kind(case: Case) -> tuple[tuple[str, str], ...]:
    """Every file with what is known of it: ``(path, "configuration, +3 −1, as a whole")``, by kind and path."""
    parsed = {file.path: file for file in case.parsed}
    files = [(parsed.get(file.path), file) for file in case.change.files]
    ordered = sorted(files, key=lambda pair: (pair[0].kind if pair[0] else FileKind.OTHER, pair[1].path))
    return tuple((file.path, ", ".join(_facts(file, how))) for how, file in ordered)


def _facts(file: FileChange, how: ParsedFile | None) -> list[str]:
    facts = [str(how.kind if how else FileKind.OTHER)]
    if file.type is not FileType.REGULAR:
        facts.append(str(file.type))
    size = file.added_count + file.deleted_count
    if size:
        facts.append(f"+{file.added_count:,} −{file.deleted_count:,}")
    left = _not_by_function(file, how)
    if not size:
        facts.append("not read" if is_unread(file, how) else "no line changed")
    elif left == size:
        facts.append("as a whole")
    elif left:
        facts.append(f"function by function but for {count(left, 'line')}")
    else:
        facts.append("function by function")
    return [*facts, how.reason] if how and how.reason else facts
