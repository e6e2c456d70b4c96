"""Files written whole or not at all: an interrupted run leaves what was there before."""

import os
import tempfile
from pathlib import Path


def write_whole(target: Path, content: bytes) -> None:
    """Write a file by way of a temporary one beside it, which takes its place.

    A link to a file is replaced and not followed: in a hostile repository it may lead anywhere. A device or a pipe
    (``/dev/null``, ``/dev/stdout``) is written to as it is: it must not be replaced by a file.

    Raises:
        OSError: it cannot be written.
    """
    if target.exists() and not target.is_file():  # by its own name: a pipe behind /dev/stdout has no real path
        with target.open("wb") as file:
            file.write(content)
        return
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
