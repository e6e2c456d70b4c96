"""The standard streams, where they are closed, or nobody reads them any more."""

import os
import sys
from pathlib import Path


def open_missing() -> None:
    """A parent may close the standard streams; the next files that are opened would take their places."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process


def nothing_to_read() -> bool:
    """Whether stdin is closed or /dev/null: nobody said that there is nothing, as an empty pipe does."""
    try:
        return os.path.samestat(os.fstat(sys.stdin.fileno()), Path(os.devnull).stat())
    except OSError:
        return False


def discard_output() -> None:
    """Forget what is not written yet, and what follows: Python would complain of it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
