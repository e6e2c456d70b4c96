"""The languages whose functions gate sees: which reader parses a file. A further language is a line here.

A reader makes a ``Module`` of a path and the bytes of the file, or raises ``EvidenceError`` where it cannot; see
docs/how-it-decides.md, "Adding a language".
"""

from gatecli.errors import EvidenceError
from gatecli.model import Function
from gatecli.syntax import notebook, python
from gatecli.syntax.python import Module, Reader

READERS: dict[str, Reader] = {
    ".py": python.read,
    ".pyi": python.read,
    ".ipynb": notebook.read,
}
"""Reader by the suffix of the path."""


def reader_of(path: str) -> Reader | None:
    """The reader of a file, None where its functions are not seen."""
    return next((reader for suffix, reader in READERS.items() if path.endswith(suffix)), None)


def is_read(path: str) -> bool:
    """Whether a file is judged by its functions."""
    return reader_of(path) is not None


def read_module(path: str, source: bytes) -> Module:
    """Parse a file of any language here; the last ones are remembered.

    Raises:
        EvidenceError: the file cannot be parsed at all, or is of no such language.
    """
    reader = reader_of(path)
    if reader is None:
        raise EvidenceError(f"{path} is of no language whose functions are read", f"these are: {', '.join(READERS)}")
    return python.remembered(path, source, reader)


def read_functions(path: str, source: bytes) -> tuple[Function, ...]:
    """The functions of one file, in document order, the module body first; errors as of ``read_module``."""
    return read_module(path, source).functions
