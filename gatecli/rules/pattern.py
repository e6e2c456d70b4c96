"""Regular expressions that take no more than a bounded time on any line: what a rule's patterns may be made of."""

import re
from functools import lru_cache

MAX_LINE = 2_000
"""Characters of a line that a pattern is searched in; longer ones are minified code or data."""

MAX_PATTERN = 2_000
MAX_REPEAT = 400

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]]{0,2000}\]")
_UNBOUNDED = re.compile(r"[*+]|\{\d{0,9},\}")
_REPEAT = re.compile(r"\{(?:\d{1,9},)?(\d{1,9})\}")
_GROUP_REPEAT = re.compile(r"\)(?:\{|\?\{)")


@lru_cache(maxsize=512)
def compiled(text: str) -> re.Pattern[str]:
    """A pattern, compiled once a process."""
    return re.compile(text)


def why_unsafe(text: str) -> str:
    """Why a pattern is refused, empty if it is not.

    Nothing repeats without a bound and no group repeats, so what a match can cost is a power of a bound and not
    exponential in the line.
    """
    if len(text) > MAX_PATTERN:
        return f"more than {MAX_PATTERN:,} characters"
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        return f"not a regular expression: {error}"
    bare = _CLASS.sub("c", _ESCAPE.sub("e", text))
    if found := _UNBOUNDED.search(bare):
        return f"{found[0]!r} repeats without a bound: write {{0,80}} or the like"
    if _GROUP_REPEAT.search(bare):
        return "a group is repeated: only '?' may follow one"
    if any(int(bound) > MAX_REPEAT for bound in _REPEAT.findall(bare)):
        return f"more than {MAX_REPEAT} repetitions"
    return ""
