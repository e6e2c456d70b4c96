"""Making untrusted text inert, one function a target, and saying numbers the way people read them.

Paths, names, commit messages and profile labels are written by whoever wrote the change. Each function here takes such
a text and returns one line that its target shows and does not obey. All of them are total (lone surrogates too),
bounded by ``limit`` characters of input, and never return a line break.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

LIMIT = 2_000
"""Characters of one untrusted text that are shown before it is cut; Linux allows 4,096 bytes in a path."""

# What a reader cannot see, or what moves the text around it: C0, DEL and C1 controls; line and paragraph separators;
# bidirectional and zero-width marks, fillers and selectors (Default_Ignorable_Code_Point of
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt); surrogates, private use, non-characters.
# Spelled out rather than asked of unicodedata, so that every Python version gives the same report.
_INVISIBLE = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff"
)
_MARKS = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_UNSAFE = re.compile(rf"[{_INVISIBLE}]|(?<={_MARKS}{{3}}){_MARKS}")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

# A CI runner obeys a line that begins with "::" after any white space, and "##[" anywhere in a line:
# https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs; "##vso[" is the same for Azure.
_LINE_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_INLINE_COMMAND = re.compile(r"#(?=#[A-Za-z]{0,20}\[)")

# Markdown that GitHub acts on. A backslash stops the parser but not the filters that run after it (mentions,
# references, emoji): only a character between stops those, https://github.com/github/cmark-gfm/issues/181.
_MARKDOWN = re.compile(
    r"(?P<entity>[<>&$])|(?P<split>@|\#|GH(?=-\d)|:(?=//|[\w+-]+:|[\w+-]+$)|www(?=\.))"
    r"|(?P<list>^\s*\d+)(?=[.)](?:\s|$))|(?P<escape>[\\`*_\[\]~|]|^\s*[-+=])",
    re.IGNORECASE,
)
_ZERO_WIDTH_SPACE = "&#8203;"

# A Mermaid label is read three times: by the grammar, as Markdown, as HTML. Numeric codes pass all three as text:
# https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters
_MERMAID = re.compile(r"^-|^\d(?=\d*[.)](?:\s|$))|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|[^\w ,./-]", re.ASCII)


def _visible(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as os.fsdecode keeps it (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def cut(text: str, limit: int) -> str:
    """``text``, or its first ``limit`` characters and how many were left off."""
    return text if len(text) <= limit else f"{text[:limit]}… (+{len(text) - limit:,} characters)"


def title(text: str, limit: int) -> str:
    """The whole words of a title that fit in ``limit`` characters: who reads it needs no count of the rest."""
    if len(text) <= limit:
        return text
    words = text[:limit].rpartition(" ")[0] if text[limit] != " " else text[:limit]
    return f"{(words or text[:limit]).rstrip()}…"


def plain(text: str, limit: int = LIMIT) -> str:
    r"""One line for a terminal or a log: what cannot be seen is shown as ``\x1b``, ``\n`` or ``\u202e``.

    A byte that is not UTF-8 is shown as ``\xNN``. What it returned it leaves alone, if short enough to stay whole.
    """
    return guard(_UNSAFE.sub(_visible, cut(text, limit)))


def guard(text: str) -> str:
    r"""``text`` with no line that a CI runner takes for a command: ``\x3a:error::``. Lines stay lines."""
    return _INLINE_COMMAND.sub(r"\\x23", _LINE_COMMAND.sub(r"\1\\x3a", text))


def valid_unicode(text: str) -> str:
    r"""``text`` as valid Unicode: lone surrogates become ``\xNN`` (or ``\udNNN``), all else stays."""
    return _SURROGATE.sub(_visible, text)


def json_source(source: str) -> str:
    r"""JSON source with what cannot be seen written as ``\uNNNN``: the same values, inert when printed.

    ``source`` is valid JSON, so such characters stand inside strings; its own line breaks stay.
    """
    escaped = _UNSAFE.sub(_json_escape, source)
    return _INLINE_COMMAND.sub(r"\\u0023", escaped)


def _json_escape(match: re.Match[str]) -> str:
    char = match.group()
    if char == "\n":
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _markdown_escape(match: re.Match[str]) -> str:
    char = match.group()
    if match["entity"]:
        return f"&#{ord(char)};"
    if match["split"]:
        return char + _ZERO_WIDTH_SPACE
    if match["list"]:
        return f"{char}\\"
    return f"{char[:-1]}\\{char[-1]}"


def markdown(text: str, limit: int = LIMIT) -> str:
    """Inline prose for GitHub Markdown, also in a table cell: no markup, HTML, link, mention or reference comes of it.

    Mentions, references and addresses get a zero-width space; use ``markdown_code`` for what people copy.
    """
    return _MARKDOWN.sub(_markdown_escape, plain(text, limit))


def markdown_code(text: str, limit: int = LIMIT) -> str:
    """A code span for GitHub Markdown with its delimiters, also in a table cell; empty for an empty text."""
    shown = plain(text, limit).strip()
    if not shown:
        return ""
    if "`" not in shown and "|" not in shown:
        return f"`{shown}`"
    # A pipe ends a table cell even in a code span, and needs another escape outside a table: entities serve both.
    return f"<code>{re.sub('[!-/:-@[-`{-~]', lambda found: f'&#{ord(found.group())};', shown)}</code>"


def markup(text: str, limit: int = LIMIT) -> str:
    """The text of an HTML or XML element, or the value of a quoted attribute."""
    return escape(plain(text, limit))


def mermaid(text: str, limit: int = 60) -> str:
    """A label for a quoted Mermaid node, without the quotes: a long one loses its middle.

    None is empty: to Mermaid that is an error, and nothing would be drawn.
    """
    shown = plain(text) or " "
    if len(shown) > limit:
        head = limit // 3
        shown = f"{shown[:head]}…{shown[len(shown) - (limit - head - 1) :]}"
    return _MERMAID.sub(lambda found: _mermaid_code(found.group()), shown)


def _mermaid_code(char: str) -> str:
    return char if ord(char) > 0x7F else f"#{ord(char)};"


# --------------------------------------------------------------------------- numbers

UNKNOWN = "–"
"""What stands for a figure that is not known; never a zero."""


_ABSURD = 1e15
"""From here a figure is a broken profile's: no system does anything so often, and no table has room for it."""


def _known(value: float | None) -> float | None:
    """The value where it is a number that can be: not negative, not absurd, not NaN."""
    return value if value is not None and 0 <= value < _ABSURD else None


def rate(value: float | None) -> str:
    """A count per minute to three significant digits: ``61,400``, ``12``, ``0.5``, ``< 0.1``."""
    known = _known(value)
    if known is None:
        return UNKNOWN
    if known == 0:
        return "0"
    if known < 0.1:
        return "< 0.1"
    if known < 9.95:
        return f"{known:.1f}".removesuffix(".0")
    digits = max(0, len(f"{known:.0f}") - 3)
    return f"{round(known, -digits):,.0f}"


def share(value: float | None, margin: float | None = None) -> str:
    """A part of 0..1 in percent: ``38 %``, ``0.4 %``, ``< 0.1 %``, ``> 99 %``; with its margin ``38 ±3 %``."""
    known = _known(value)
    if known is None:
        return UNKNOWN
    if known == 0:
        return "0 %"
    if known < 0.001:
        return "< 0.1 %"
    if 0.995 <= known < 1:
        return "> 99 %"
    percent = known * 100
    digits = 1 if percent < 0.95 else 0
    spread = _known(margin)
    if spread and spread * 100 >= 0.5:
        return f"{percent:.{digits}f} ±{spread * 100:.0f} %"
    return f"{percent:.{digits}f} %"


def milliseconds(value: float | None) -> str:
    """A duration given in milliseconds: ``0.4 ms``, ``12 ms``, ``2.1 s``, ``45 s``, ``3.5 min``."""
    known = _known(value)
    if known is None:
        return UNKNOWN
    if 0 < known < 0.1:
        return "< 0.1 ms"
    if known < 9.95:
        return f"{known:.1f}".removesuffix(".0") + " ms"
    if known < 999.5:
        return f"{known:.0f} ms"
    seconds = known / 1000
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f}".removesuffix(".0") + " min"


_AGES = ((365 * 86400, "year"), (60 * 86400, "month"), (86400, "day"), (3600, "hour"), (60, "minute"))
_LENGTHS = {"month": 30.44 * 86400}


def age(seconds: float | None) -> str:
    """A length of time given in seconds, in its largest whole unit: ``3 days``, ``1 hour``, ``4 months``."""
    known = _known(seconds)
    if known is None:
        return UNKNOWN
    for least, unit in _AGES:
        if known >= least:
            return count(int(known // _LENGTHS.get(unit, least)), unit)
    return "less than a minute"


def moment(timestamp: int | None) -> str:
    """UTC epoch seconds as ``2026-11-20 16:02 UTC``."""
    if timestamp is None:
        return UNKNOWN
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):  # a forged commit date may lie outside the calendar
        return UNKNOWN


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 function``, ``1,204 functions``, ``2 entries``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(items: Sequence[str], most: int, last: str = "and") -> str:
    """``a, b and c``; of more than ``most`` the first ones and ``+4``. ``last`` joins the last two."""
    if len(items) > most:
        return f"{', '.join(items[:most])} +{len(items) - most:,}"
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
