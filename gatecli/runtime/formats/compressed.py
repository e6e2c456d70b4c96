"""Files as they are read: plain, gzip, or zstd where Python or a package can inflate it."""

import gzip
import importlib
import io
import zlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from gatecli.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
# A zstd block of four bytes can hold 128 KiB of content: these become 32 MiB at most at once.
_CHUNK_BYTES = 1_024


class Inflated(Protocol):
    """What content is read from."""

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        """Fill the buffer as far as can be, 0 at the end."""
        ...


def inflated(file: io.BufferedReader) -> AbstractContextManager[Inflated]:
    """The content of a file, told by its first bytes.

    Raises:
        UsageError: it is zstd, which this Python cannot inflate.
    """
    magic = file.read(len(_ZSTD))
    file.seek(0)
    if magic.startswith(_GZIP):
        return _Gzip(file)
    return _Zstd(file) if magic == _ZSTD else file


class _Gzip(io.RawIOBase):
    """A gzip stream, with gate's own errors."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._inner = gzip.GzipFile(fileobj=file)

    def readinto(self, buffer: "WriteableBuffer") -> int:
        try:
            return self._inner.readinto(buffer)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise _damaged("gzip") from error


class _Zstd(io.RawIOBase):
    """One zstd frame behind another: the standard library has a decompressor from Python 3.14 on."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._make, self._error = _decompressor()
        self._frame = self._make()
        self._rest = b""
        self._content = memoryview(b"")

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        while not self._content:
            data = self._rest or self._file.read(_CHUNK_BYTES)
            if not data:
                if self._frame.eof:
                    return 0
                raise _damaged("zstd")
            if self._frame.eof:
                self._frame = self._make()
            try:
                self._content = memoryview(self._frame.decompress(data))
            except self._error as error:
                raise _damaged("zstd") from error
            self._rest = self._frame.unused_data if self._frame.eof else b""
        count = min(len(view), len(self._content))
        view[:count] = self._content[:count]
        self._content = self._content[count:]
        return count


def _decompressor() -> tuple[Any, type[Exception]]:
    """What makes a decompressor of one frame, and what it raises."""
    try:
        module = importlib.import_module("compression.zstd")
        return module.ZstdDecompressor, module.ZstdError
    except ImportError:
        pass
    try:
        module = importlib.import_module("zstandard")
        return lambda: module.ZstdDecompressor().decompressobj(), module.ZstdError
    except ImportError:
        raise UsageError(
            "the file is compressed with zstd, which Python reads from 3.14 on, or with a package",
            "pip install zstandard, or decompress it first: zstd -d FILE",
        ) from None


def _damaged(what: str) -> EvidenceError:
    return EvidenceError(f"the {what} data is damaged or cut off", "record or copy the file again")
