"""The sample program as a tree, and profiles of it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gatecli.model import ChangeKind, Function, FunctionChange, FunctionId, FunctionKind, Span
from gatecli.runtime.formats import read
from gatecli.runtime.profile import Profile, ProfiledFunction
from gatecli.runtime.recording import Recording
from gatecli.runtime.resolve import build_profile
from gatecli.syntax.python import read_functions

DATA = Path(__file__).resolve().parents[1] / "data"
PROFILES = DATA / "profiles"
GENERATED_AT = 1_795_223_600  # 2026-11-21T01:13:20Z, after the recordings of spans
REVISION = "0123456789abcdef0123456789abcdef01234567"


class Files:
    """A tree of files in memory."""

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        self.files = {
            path: content.encode() if isinstance(content, str) else content for path, content in files.items()
        }

    def paths(self) -> Iterable[str]:
        return self.files

    def ids(self) -> Mapping[str, str]:
        return {}

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        return ((path, self.read(path)) for path in paths)

    def grep(self, words: Iterable[str], keep: Callable[[str], bool] | None = None) -> Iterator[tuple[str, bytes]]:
        pattern = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in words).encode())
        return (
            (path, content)
            for path, content in self.files.items()
            if (keep is None or keep(path)) and pattern.search(content)
        )


SHOP = Files(
    {path.relative_to(DATA / "shop").as_posix(): path.read_bytes() for path in sorted((DATA / "shop").rglob("*.py"))}
)


def recording(name: str) -> Recording:
    return read(PROFILES / name)


def profile(*names: str, **options: Any) -> Profile:
    return build(*(recording(name) for name in names), **options)


def build(*recordings: Recording, **options: Any) -> Profile:
    options = {"tree": SHOP, "functions_of": read_functions, "generated_at": GENERATED_AT, **options}
    return build_profile(recordings, **options)


def rows(profile: Profile) -> dict[str, ProfiledFunction]:
    return {row.id: row for row in profile.functions}


def shop(key: str) -> FunctionId:
    path, _, qualname = key.rpartition("::")
    return FunctionId(path=f"shop/{path}", qualname=qualname)


def function(
    key: str, *, kind: FunctionKind = FunctionKind.FUNCTION, lines: tuple[int, int, int] = (1, 1, 2)
) -> Function:
    path, _, qualname = key.rpartition("::")
    first, at, end = lines
    return Function(
        id=FunctionId(path=path, qualname=qualname),
        kind=kind,
        span=Span(first_line=first, def_line=at, end_line=end),
    )


def change(key: str, *, before: str | None = "same", kind: ChangeKind = ChangeKind.EDITED) -> FunctionChange:
    """A touched function; ``before`` is its id before the change, None for a new one."""
    after = function(key)
    old = after if before == "same" else function(before) if before else None
    return FunctionChange(id=after.id, kind=kind, before=old, after=after)
