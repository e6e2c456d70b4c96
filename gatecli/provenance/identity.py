"""One person, many addresses: who is the same, who is senior.

Names and addresses are what a commit claims. The claims are compared as they are; only sign-off looks for accounts
that a forge has authenticated.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from gatecli.config import People
from gatecli.model import Person
from gatecli.provenance.folding import normal
from gatecli.provenance.mailmap import Mailmap, read_mailmap

__all__ = ["Directory", "directory", "login_of", "normal"]

# https://docs.github.com/en/account-and-profile/reference/email-addresses-reference: with the id since July 2017.
_NOREPLY = re.compile(r"(?:\d{1,20}\+)?([^@+]{1,100})@users\.noreply\.github\.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The people a policy knows: ``groups`` maps every address and login to its owner's key, ``names`` a key to the
    canonical name as it is written. The repository's ``.mailmap`` joins what commits state; it makes nobody senior:
    it is no part of the policy.
    """

    groups: Mapping[str, str]
    names: Mapping[str, str]
    seniors: frozenset[str]
    mailmap: Mailmap = field(default_factory=Mailmap)

    def key(self, person: Person) -> str:
        """What two mentions of one person share: the canonical name, else the login, else the address."""
        return self._key(self.mailmap.proper(person))

    def keys(self, person: Person) -> tuple[str, ...]:
        """All that a person may be known by: a mailmap may join, and must not take anybody's name away."""
        return tuple(dict.fromkeys((self.key(person), self._key(person))))

    def _key(self, person: Person) -> str:
        address = normal(person.email)
        account = login_of(person)
        for known in (address, account):
            if known and known in self.groups:
                return self.groups[known]
        name = normal(person.name)
        return account or address or self.groups.get(name, name)

    def key_of(self, name: str) -> str:
        """The same for an account name on the forge, or an address."""
        address = "@" in name.strip().removeprefix("@")
        return self.key(Person(name="", email=name)) if address else self._key_of(name)

    def keys_of(self, names: Iterable[str]) -> frozenset[str]:
        """The keys of several names."""
        return frozenset(map(self.key_of, names))

    def _key_of(self, name: str) -> str:
        if "@" in name.strip().removeprefix("@"):
            return self._key(Person(name="", email=name))
        return self.groups.get(normal(name), normal(name))

    def called(self, person: Person) -> str:
        """How a report names the person: the canonical name, the name of the mailmap or theirs, login or address."""
        proper = self.mailmap.proper(person)
        return self.names.get(self.key(person)) or proper.name.strip() or login_of(proper) or proper.email

    def is_senior(self, person: Person) -> bool:
        """Whether the policy lists the person by address, login, canonical name or the full name they state."""
        claims = {self._key(person), normal(person.email), normal(person.name)}
        return not self.seniors.isdisjoint(claims)

    def lists_as_senior(self, name: str) -> bool:
        """Whether the policy lists the account or address, or lists a person whose alias it is."""
        return bool(name) and not self.seniors.isdisjoint({self._key_of(name), normal(name)})


def directory(people: People, mailmap: bytes | None = None) -> Directory:
    """The people of a policy, ready to compare; ``mailmap`` is the content of the base revision's ``.mailmap``."""
    groups: dict[str, str] = {}
    for canonical, addresses in people.aliases.items():
        for alias in (canonical, *addresses):
            groups[normal(alias)] = normal(canonical)
            if account := login_of(Person(name="", email=alias)):
                groups[account] = normal(canonical)
    teams = {normal(name): members for name, members in people.teams.items()}
    seniors = set()
    for entry in chain.from_iterable(teams.get(normal(one), (one,)) for one in people.seniors):
        seniors |= {normal(entry), groups.get(normal(entry), normal(entry))}
        if account := login_of(Person(name="", email=entry)):
            seniors.add(groups.get(account, account))
    names = {normal(canonical): canonical for canonical in people.aliases}
    return Directory(groups=groups, names=names, seniors=frozenset(seniors - {""}), mailmap=read_mailmap(mailmap))


def login_of(person: Person) -> str | None:
    """The GitHub account behind a private GitHub address, None for any other address."""
    match = _NOREPLY.fullmatch(normal(person.email))
    return match[1] if match else None
