"""The text of a source file: decoded as Python would, or refused where its lines could hide code."""

import codecs
import re

from gatecli.errors import EvidenceError

# A file above this is named in the report and judged as a whole. tree-sitter reads about 4 MB a second, and its trees
# need about a hundred bytes of memory a byte of source (docs/benchmarks.md).
MAX_SOURCE_BYTES = 4_000_000
# Python decodes source declared so, and with them a comment can hold code and a file can have other lines than git
# counts. The last two also take time quadratic in the length.
_HIDING_ENCODINGS = frozenset({"unicode-escape", "raw-unicode-escape", "utf-7", "punycode", "idna"})

# The declaration of PEP 263, in a comment that is the first line, or the second after a blank or a comment:
# https://docs.python.org/3/reference/lexical_analysis.html#encoding-declarations
# Not left to tokenize.detect_encoding, which on 3.14 and newer takes a declaration back that does not decode its line:
# the judged code may run on another Python than gate does.
_DECLARATION = re.compile(rb"[ \t\f]*#[^\n]*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:#|\r?$)")
# What Python takes for UTF-8 and Latin-1, with what editors add to them (utf-8-unix).
_USUAL = re.compile(r"(?:(utf-8)|latin-1|iso-8859-1|iso-latin-1)(?:-|$)")


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
    encoding = _declared(source)
    if encoding in _HIDING_ENCODINGS:
        raise EvidenceError(f"the file declares the encoding {encoding}, in which comments can hold code")
    for candidate in (encoding, "utf-8"):
        try:
            return source.decode(candidate)
        except (UnicodeError, LookupError):
            continue
    return source.decode("latin-1")


def _declared(source: bytes) -> str:
    """The codec that the source declares; UTF-8 where it declares none, or none that there is: Python refuses that."""
    if source.startswith(codecs.BOM_UTF8):
        return "utf-8"
    for line in source.split(b"\n", 2)[:2]:
        if match := _DECLARATION.match(line):
            return _codec(match[1].decode("ascii", "replace"))
        if not _BLANK.match(line):
            break
    return "utf-8"


def _codec(name: str) -> str:
    if usual := _USUAL.match(name.lower().replace("_", "-")):
        return "utf-8" if usual[1] else "iso8859-1"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"
