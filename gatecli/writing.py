"""Files written whole or not at all: an interrupted run leaves what was there before."""

import os
import tempfile
from pathlib import Path


def write_whole(target: Path, content: bytes) -> None:
    """Write a file by way of a temporary one beside it, which takes its place; a link is followed.

    A device or a pipe (``/dev/null``, ``/dev/stdout``) is written to as it is: it must not be replaced by a file.

    Raises:
        OSError: it cannot be written.
    """
    real = Path(os.path.realpath(target))
    if real.exists() and not real.is_file():
        with real.open("wb") as file:
            file.write(content)
        return
    handle, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(real)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
