"""Changes for the tests of this folder, from the two texts of a file."""

from gatecli.model import Behaviour, FileChange, FileStatus, FunctionChange, ParsedFile
from gatecli.sources.rebuild import hunks_between
from gatecli.syntax.match import changed_functions

Text = str | bytes | None

BASE = """\
import os

LIMIT = 3


@cached
def price(n):
    \"\"\"Doc.\"\"\"
    return n * 2


class Shop:
    tax = 1

    def total(self, n):
        # sum
        def inner(x):
            return x + 1

        return inner(n)

    def tax_of(self, n):
        return n * self.tax


key = lambda item: item.price
"""
"""A small program with a bit of everything, that tests of changes edit."""


def file_change(before: Text, after: Text, path: str = "a.py", old_path: str | None = None, **more) -> FileChange:
    """A file with both sides, its hunks and its status taken from them."""
    old, new = (text.encode() if isinstance(text, str) else text for text in (before, after))
    status = FileStatus.MODIFIED if old_path is None else FileStatus.RENAMED
    status = FileStatus.ADDED if old is None else FileStatus.DELETED if new is None else status
    return FileChange(
        path=path,
        old_path=None if old is None else old_path or path,
        status=more.pop("status", status),
        hunks=hunks_between(old, new),
        before=old,
        after=new,
        **more,
    )


def changes(*files: FileChange) -> tuple[FunctionChange, ...]:
    """The touched functions."""
    return changed_functions(files)[0]


def parsed(*files: FileChange) -> tuple[ParsedFile, ...]:
    """How the files were read."""
    return changed_functions(files)[1]


def touched(before: Text, after: Text) -> list[str]:
    """``kind qualname`` of each touched function of one file; ``kind old -> new`` where the name changed."""
    return [row(change) for change in changes(file_change(before, after))]


def row(change: FunctionChange) -> str:
    """One touched function in a few words."""
    name = change.id.qualname
    if change.before is not None and change.before.id.qualname != name:
        name = f"{change.before.id.qualname} -> {name}"
    return f"{change.kind.value} {name}"


def behaviour(before: str, after: str, name: str = "f") -> Behaviour:
    (found,) = (change for change in changes(file_change(before, after)) if change.id.qualname == name)
    assert found.behaviour is not None
    return found.behaviour


def body(*lines: str, head: str = "def f(x):") -> str:
    return f"{head}\n" + "".join(f"    {line}\n" for line in lines)
