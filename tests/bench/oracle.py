"""Is the list of touched functions right? A second opinion, from the standard library's ``ast``, over real history.

    python -m tests.bench.oracle REPOSITORY... [--changes 100] [--show]

For each of the newest merged first-parent changes of a repository that touch Python, the functions that gate lists are
compared with those that an independent reading finds: spans from ``ast`` nodes of both sides, line numbers from its
own reading of ``git diff -U0``. A line belongs to the innermost function that holds it; a function is touched where
a line of it changed, or where only one side has it. Every difference must be explained by a rule that is checked on
the text itself; what no rule explains is printed, and makes the exit code 1.
"""

import argparse
import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from gatecli.model import ChangeKind, FunctionChange, FunctionKind
from gatecli.sources.changes import read_range
from gatecli.sources.git import Repository
from gatecli.syntax.match import changed_functions
from tests.bench.second_opinion import (
    MODULE,
    File,
    Unit,
    changed_files,
    changed_lines,
    lines_of,
    merged_changes,
    own_code,
    own_text,
    units,
)

# --------------------------------------------------------------------------- the comparison


@dataclass
class Tally:
    """What was compared, and how it came out."""

    changes: int = 0
    files: int = 0
    unparsed: int = 0
    touched: int = 0
    agreed: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)


class Comparison:
    """One file: the rows of gate against the units of the second opinion."""

    def __init__(self, repository: Path, file: File, rows: list[FunctionChange], tally: Tally, where: str) -> None:
        self.repository, self.file, self.rows, self.tally, self.where = repository, file, rows, tally, where
        self.old = units(file.before, file.removed)
        self.new = units(file.after, file.added)
        self.old_rows = {
            row.before.id.qualname: row for row in rows if row.before and row.before.id.path == file.old_path
        }
        self.new_rows = {row.after.id.qualname: row for row in rows if row.after and row.after.id.path == file.path}

    def run(self) -> None:
        """Count every unit that either reading calls touched."""
        expected = set(self._expected())
        listed = self.old_rows.keys() | self.new_rows.keys()
        for qualname in sorted(expected | listed):
            self.tally.touched += 1
            reason = self._difference(qualname, qualname in expected, qualname in listed)
            if reason == "" and self._with_context(qualname) != "":
                reason = "without context (-U0) git aligns equal lines otherwise than with it"
            if reason is None:
                self.tally.agreed += 1
            elif reason:
                self.tally.explained[reason] += 1
            else:
                old, new = self.old.get(qualname), self.new.get(qualname)
                row = self.new_rows.get(qualname) or self.old_rows.get(qualname)
                self.tally.unexplained.append(
                    f"{self.where} {self.file.path or self.file.old_path}::{qualname} gate "
                    f"{row and (row.kind.value, row.removed_lines, row.changed_lines)} second opinion "
                    f"{old and sorted(old.lines)} {new and sorted(new.lines)}"
                )

    def _with_context(self, qualname: str) -> str | None:
        """The difference that is left where the lines are read from ``git diff -U3``, as gate reads them."""
        if self.file.before is None or self.file.after is None:
            return ""
        removed, added = changed_lines(self.repository, self.file.blobs, context=3)
        again = Comparison(
            self.repository, replace(self.file, removed=removed, added=added), self.rows, self.tally, self.where
        )
        listed = qualname in again.old_rows or qualname in again.new_rows
        return again._difference(qualname, qualname in set(again._expected()), listed)

    def _expected(self) -> Iterator[str]:
        for qualname in self.old.keys() | self.new.keys():
            old, new = self.old.get(qualname), self.new.get(qualname)
            held = any(unit is not None and unit.lines for unit in (old, new))
            one_sided = [unit for unit in (old, new) if unit is not None and not unit.is_container]
            if held or len(one_sided) == 1:
                yield qualname

    def _difference(self, qualname: str, expected: bool, listed: bool) -> str | None:
        """None where both agree, the rule where one explains the difference, "" where none does."""
        old, new = self.old.get(qualname), self.new.get(qualname)
        if expected and not listed:
            return self._why_not_listed(old, new)
        if listed and not expected:
            return self._why_listed(qualname)
        row = self.new_rows.get(qualname) or self.old_rows[qualname]
        if old is not None and new is not None and self.old_rows.get(qualname) is self.new_rows.get(qualname):
            judged = self._why_kind(row, old, new)
            if judged is not None:
                return judged
        for unit, rows, lines, text in (
            (old, self.old_rows, "removed_lines", self.file.before),
            (new, self.new_rows, "changed_lines", self.file.after),
        ):
            side = rows.get(qualname)
            if unit is None or text is None:
                continue
            if unit.lines and side is None and not (unit.is_container and _all_blank(unit.lines, lines_of(text))):
                return self._repeated(qualname)
            differing = unit.lines ^ set(getattr(side, lines) if side else ())
            if differing and (reason := self._why_lines(unit, differing, lines_of(text))) is not None:
                return reason
        return None

    def _why_not_listed(self, old: Unit | None, new: Unit | None) -> str:
        sides = [
            (unit, lines_of(text)) for unit, text in ((old, self.file.before), (new, self.file.after)) if unit and text
        ]
        if all(unit.is_container and _all_blank(unit.lines, text) for unit, text in sides):
            return "only blank lines of a class or module body"
        texts = [
            _stripped(own_text(unit, text))
            for unit, text in ((old, self.file.before), (new, self.file.after))
            if unit and text
        ]
        if len(texts) == 2 and texts[0] == texts[1]:
            return "its own text is unchanged: the diff blamed a look-alike"
        if any(_is_parenthesised_lambda(unit, text) for unit, text in sides):
            return "a lambda in parentheses belongs to the code around it"
        return self._repeated((new or old).qualname)  # type: ignore[union-attr]

    def _why_listed(self, qualname: str) -> str:
        row = self.new_rows.get(qualname) or self.old_rows[qualname]
        if qualname == MODULE and row.kind is ChangeKind.MOVED and self.file.old_path != self.file.path:
            return "a renamed file is listed as moved"
        if row.function.kind is FunctionKind.CLASS_BODY and row.before and row.after and row.before.id != row.after.id:
            return "a class that another one became, by a line of the other side"
        if self._shares_a_line_with_a_lambda(row):
            return "shares a line with a lambda"
        for lines, text in ((row.removed_lines, self.file.before), (row.changed_lines, self.file.after)):
            if lines and text and not _all_comments(lines, lines_of(text)):
                return self._repeated(qualname)
        return "a comment after the last statement"

    def _why_kind(self, row: FunctionChange, old: Unit, new: Unit) -> str | None:
        same = own_code(old) == own_code(new)
        if row.kind in (ChangeKind.COSMETIC, ChangeKind.MOVED) and not same:
            return self._repeated(row.id.qualname)
        if row.kind is ChangeKind.EDITED and same:
            return "written differently, same syntax tree: counted as edited"
        return None

    def _why_lines(self, unit: Unit, differing: set[int], text: list[bytes]) -> str | None:
        if _all_blank(differing, text):
            return None if unit.is_container else "blank lines at the end of a function"
        if _all_comments(differing, text):
            return "a comment after the last statement"
        if any(isinstance(getattr(inner.node, "value", None), ast.Lambda) for inner in [unit, *unit.nested]):
            return "shares a line with a lambda"
        return self._repeated(unit.qualname)

    def _shares_a_line_with_a_lambda(self, row: FunctionChange) -> bool:
        return any(
            isinstance(getattr(unit.node, "value", None), ast.Lambda) and {unit.first, unit.end} & set(lines)
            for side, lines in ((self.old, row.removed_lines), (self.new, row.changed_lines))
            for unit in side.values()
        )

    def _repeated(self, qualname: str) -> str:
        """Repeated definitions are paired by equal code first, then in order; by name alone they cannot be."""
        parts = [part.partition("#")[0] for part in qualname.split(".")]
        for side in (self.old, self.new):
            names = Counter(".".join(part.partition("#")[0] for part in name.split(".")) for name in side)
            if any(names[".".join(parts[:depth])] > 1 for depth in range(1, len(parts) + 1)):
                return "one of several definitions of a name, or in one"
        return ""


def _stripped(lines: list[bytes]) -> list[bytes]:
    """Without the blank and comment lines at the end, of which the two readings have different opinions."""
    while lines and (not lines[-1].strip() or lines[-1].strip().startswith(b"#")):
        lines = lines[:-1]
    return lines


def _all_blank(lines: set[int], text: list[bytes]) -> bool:
    return all(line > len(text) or not text[line - 1].strip() for line in lines)


def _all_comments(lines: set[int] | tuple[int, ...], text: list[bytes]) -> bool:
    return all(line > len(text) or text[line - 1].strip()[:1] in (b"", b"#") for line in lines)


def _is_parenthesised_lambda(unit: Unit, text: list[bytes]) -> bool:
    value = getattr(unit.node, "value", None)
    if not isinstance(value, ast.Lambda):
        return False
    before = b"\n".join([*text[unit.first - 1 : value.lineno - 1], text[value.lineno - 1][: value.col_offset]])
    return before.rstrip().endswith(b"(")


def compare(repository: Path, count: int) -> Tally:
    """Both readings over the newest changes of a repository."""
    tally = Tally()
    opened = Repository.open(repository)
    for base, head in merged_changes(repository, count):
        tally.changes += 1
        rows: dict[str, list[FunctionChange]] = defaultdict(list)
        for row in changed_functions(read_range(opened, f"{base}..{head}").files)[0]:
            for path in {row.id.path, row.base_id.path}:
                rows[path].append(row)
        for file in changed_files(repository, base, head):
            tally.files += 1
            found = {id(row): row for path in {file.old_path, file.path} - {None} for row in rows[str(path)]}
            try:
                comparison = Comparison(repository, file, list(found.values()), tally, head[:10])
            except (SyntaxError, ValueError):
                tally.unparsed += 1
                continue
            comparison.run()
    return tally


def report(name: str, tally: Tally) -> None:
    """Print one repository's result as rows of a table."""
    print(f"## {name}\n")
    print("| | |\n| --- | ---: |")
    print(f"| merged changes | {tally.changes:,} |\n| Python files | {tally.files:,} |")
    print(f"| not parsed by the `ast` of Python {sys.version_info[0]}.{sys.version_info[1]} | {tally.unparsed:,} |")
    print(f"| functions that either reading calls touched | {tally.touched:,} |")
    print(f"| agreed (function, lines, kind) | {tally.agreed:,} |")
    for rule, number in tally.explained.most_common():
        print(f"| {rule} | {number:,} |")
    print(f"| unexplained | {len(tally.unexplained):,} |\n")


def main() -> int:
    """Compare, print, and say by the exit code whether anything is unexplained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path, help="git repositories, bare or not")
    parser.add_argument("--changes", type=int, default=100, help="how many merged changes of each")
    parser.add_argument("--show", type=int, default=20, help="how many unexplained differences to print")
    arguments = parser.parse_args()
    unexplained = 0
    for repository in arguments.repositories:
        tally = compare(repository, arguments.changes)
        report(repository.name if repository.name != "repo" else repository.parent.name, tally)
        unexplained += len(tally.unexplained)
        for line in tally.unexplained[: arguments.show]:
            print(line)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
