"""The files of one revision, as the stages read them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol


class Tree(Protocol):
    """A tree of files at one revision (a commit, the index, a directory), handed between stages by the pipeline."""

    def paths(self) -> Iterable[str]:
        """Every file path, ``/``-separated, relative to the root."""
        ...

    def ids(self) -> Mapping[str, str]:
        """The git blob ids of the files whose content is known to be that blob, by path; others are left out."""
        ...

    def read(self, path: str) -> bytes | None:
        """The content of a file, None where there is none or it is too large to read."""
        ...

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """The contents of many files, in their order."""
        ...

    def grep(self, words: Iterable[str], keep: Callable[[str], bool] | None = None) -> Iterator[tuple[str, bytes]]:
        """The Python files that contain one of the words (whole identifiers), with their content.

        ``keep`` says which paths are wanted; the others are not read.
        """
        ...
