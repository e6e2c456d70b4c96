"""Learned weights that were read once, kept by the digest of their text: to read 14 kB of strict YAML takes 50 ms.

What is kept is what ``read_learned`` answered, and only that reader decides what is valid; whatever is wrong with what
is kept, the text is read again.
"""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from gatecli.config import document
from gatecli.history import signals
from gatecli.scoring import learned
from gatecli.scoring.learned import Learned, read_learned
from gatecli.writing import write_whole

MOST = 20
"""So many texts are kept, of all repositories; each takes about 10 kB."""


def read_remembered(data: bytes, where: str, folder: Path) -> Learned:
    """Weights from YAML, as ``read_learned`` reads them; ``folder`` is where facts are kept between runs.

    Raises:
        UsageError: as of ``read_learned``; a refusal is not kept.
    """
    kept = folder / f"facts-weights-{_name_of(data)}.msgpack"
    with suppress(OSError, UnicodeError, msgspec.MsgspecError, RecursionError):
        return msgspec.msgpack.decode(kept.read_bytes(), type=Learned)
    found = read_learned(data, where)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(kept, msgspec.msgpack.encode(found))
        _forget(folder)
    return found


def _name_of(data: bytes) -> str:
    """A name for a text and the code that reads it: another version of that code may refuse what this one took."""
    code = [Path(module.__file__ or "").read_bytes() for module in (document, signals, learned)]
    return sha256(b"\0".join([*code, data])).hexdigest()[:32]


def _forget(folder: Path) -> None:
    """Remove the oldest ones above ``MOST``."""
    files = sorted(folder.glob("facts-weights-*.msgpack"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[MOST:]:
        file.unlink(missing_ok=True)
