"""A tree in memory for the tests of callers."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


class MemoryTree:
    """Files by path, behind ``model.Tree``; ``asked`` remembers what was read."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.files = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        self.asked: list[str] = []

    def paths(self) -> Iterable[str]:
        return self.files

    def ids(self) -> Mapping[str, str]:
        return {}

    def read(self, path: str) -> bytes | None:
        self.asked.append(path)
        return self.files.get(path)

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        return ((path, self.read(path)) for path in paths)

    def grep(self, words: Iterable[str], keep: Callable[[str], bool] | None = None) -> Iterator[tuple[str, bytes]]:
        pattern = re.compile(rb"\b(?:" + b"|".join(re.escape(word.encode()) for word in words) + rb")\b")
        for path, content in self.files.items():
            wanted = path.endswith((".py", ".pyi")) and (keep is None or keep(path))
            if wanted and pattern.search(content):
                yield path, content
