"""The text of a source file: decoded as Python would, or refused where its lines could hide code."""

import codecs
import io
import tokenize

from gatecli.errors import EvidenceError

# A file above this is named in the report and judged as a whole. tree-sitter reads about 4 MB a second, and its trees
# need about a hundred bytes of memory a byte of source (docs/benchmarks.md).
MAX_SOURCE_BYTES = 4_000_000
# Python decodes source declared so, and with them a comment can hold code and a file can have other lines than git
# counts. The last two also take time quadratic in the length.
_HIDING_ENCODINGS = frozenset({"unicode-escape", "raw-unicode-escape", "utf-7", "punycode", "idna"})


def as_utf8(source: bytes) -> bytes:
    """The source as UTF-8 with ``\\n`` line ends and without a byte-order mark, decoded as Python would (PEP 263).

    Raises:
        EvidenceError: the file is too large, binary, not in the encoding it declares, or has lines that Python sees
            and git does not (bare carriage returns, encodings such as ``unicode_escape``), where code can hide.
    """
    if len(source) > MAX_SOURCE_BYTES:
        raise EvidenceError(f"the file has {len(source):,} bytes, more than the {MAX_SOURCE_BYTES:,} that are parsed")
    if b"\0" in source:
        raise EvidenceError("the file contains NUL bytes")
    text = _decoded(source).removeprefix("\ufeff").replace("\r\n", "\n")
    if "\r" in text:
        raise EvidenceError("the file contains bare carriage returns, which end a line for Python but not for git")
    if text.count("\n") != source.count(b"\n"):
        raise EvidenceError("the encoding that the file declares changes its lines")
    return text.encode("utf-8", "surrogatepass")


def _decoded(source: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    except SyntaxError:  # no such encoding, or none declared and no UTF-8: Python would refuse it
        encoding = "utf-8"
    if codecs.lookup(encoding).name in _HIDING_ENCODINGS:
        raise EvidenceError(f"the file declares the encoding {encoding}, in which comments can hold code")
    for candidate in (encoding, "utf-8"):
        try:
            return source.decode(candidate)
        except (UnicodeError, LookupError):
            continue
    return source.decode("latin-1")
