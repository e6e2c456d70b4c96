"""The table of signs by which tools mark what they wrote: ``rules/provenance.yml``."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated

import msgspec

from gatecli.config import decode, read_data
from gatecli.model import Person

MAX_PERSON_CHARACTERS = 200
# General category Cf, and the joiners and variation selectors that have no width either.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
_BRACKETS = re.compile(r"[<>\n\r]")


class Channel(StrEnum):
    """Where a sign is searched: see the head of the table."""

    PERSON = "person"
    AUTHOR = "author"
    TRAILER = "trailer"
    BODY = "body"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One row: a pattern in a channel, and the examples that must and must not match it.

    ``commits`` counts the commits of the corpus that hold it.
    """

    tool: str | None
    channel: Channel
    strength: Annotated[int, msgspec.Meta(ge=1, le=3)]
    pattern: str
    commits: int
    matches: tuple[str, ...]
    ignores: tuple[str, ...]

    @property
    def regex(self) -> re.Pattern[str]:
        """The compiled pattern (the re module keeps it)."""
        return _compiled(self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All signs, texts that no sign may match, and patterns of accounts that are bots."""

    signs: tuple[Sign, ...]
    never: tuple[str, ...]
    bots: tuple[str, ...]

    def searched_in(self, *channels: Channel) -> tuple[Sign, ...]:
        """The signs of some channels."""
        return tuple(sign for sign in self.signs if sign.channel in channels)


@cache
def table() -> Table:
    """The shipped table."""
    return decode(read_data("provenance.yml"), Table, "rules/provenance.yml")


def is_agent(person: Person) -> bool:
    """Whether the account belongs to a tool that writes code."""
    text = stated(person)
    return any(sign.regex.search(text) for sign in table().searched_in(Channel.PERSON))


def tool_of(name: str) -> str | None:
    """The tool that an account or address belongs to, None where the table knows none."""
    address = name if "@" in name else f"1+{name}@users.noreply.github.com"
    text = stated(Person(name=name.partition("@")[0], email=address))
    return next((sign.tool for sign in table().searched_in(Channel.PERSON) if sign.regex.search(text)), None)


def is_bot(person: Person) -> bool:
    """Whether the account is automation of any kind, agents included."""
    return is_agent(person) or any(_compiled(pattern).search(stated(person)) for pattern in table().bots)


def stated(person: Person) -> str:
    """``Name <address>`` as the patterns expect it: normalised, without stray brackets, bounded."""
    name, email = (visible(part[:MAX_PERSON_CHARACTERS]) for part in (person.name, person.email))
    return f"{_BRACKETS.sub('', name)} <{_BRACKETS.sub('', email)}>".lstrip()


def visible(text: str) -> str:
    """Text as a reader sees it: compatibility forms folded (NFKC), marks without a width dropped."""
    return text if text.isascii() else unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)
