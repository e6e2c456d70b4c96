"""What a decoder complains of, in words that need no knowledge of it."""

import re

# How msgspec says that a number is out of its bounds, and where.
_BOUND = re.compile(r"(?:Expected `\w+` (?P<side>[<>])=? (?P<bound>\S+)|Number out of range)(?: - at `(?P<place>.*)`)?")
_MAX_PLACE = 80


def complaint(error: Exception, most: int = 200) -> str:
    """The error as one sentence of some characters at most; a number that nothing can be is called so.

    >>> complaint(ValueError("Expected `int` <= 9223372036854775807 - at `$.profiles[0].samples[3]`"))
    'the number at $.profiles[0].samples[3] is larger than 9223372036854775807'
    """
    found = _BOUND.fullmatch(str(error))
    if found is None:
        return str(error)[:most]
    place = found["place"] or ""
    if len(place) > _MAX_PLACE:
        place = f"$…{place[-_MAX_PLACE:]}"
    where = f" at {place}" if place else ""
    if found["side"] is None:
        return f"the number{where} is too large to be one"
    return f"the number{where} is {'larger' if found['side'] == '<' else 'smaller'} than {found['bound']}"
