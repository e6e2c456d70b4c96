"""``.mailmap``: which names and addresses in commits are one person (https://git-scm.com/docs/gitmailmap)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gatecli.model import Person
from gatecli.provenance.folding import normal

MAX_BYTES = 2_000_000
MAX_LINES = 20_000

_LINE = re.compile(r"([^<#]{0,200})<([^<>]{1,200})>(?:([^<#]{0,200})<([^<>]{1,200})>)?\s*(?:#.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailmap:
    """Stated address, alone or with the stated name, to the person that is meant; all keys are folded."""

    by_address: Mapping[str, Person] = field(default_factory=dict)
    by_both: Mapping[tuple[str, str], Person] = field(default_factory=dict)

    def proper(self, person: Person) -> Person:
        """The person as the map knows them, else as they state themselves."""
        address = normal(person.email)
        found = self.by_both.get((address, normal(person.name))) or self.by_address.get(address)
        if found is None:
            return person
        return Person(name=found.name or person.name, email=found.email or person.email)


def read_mailmap(data: bytes | None) -> Mailmap:
    """The map that a file holds; a line that git would not read is skipped, the last one for an address counts."""
    by_address: dict[str, Person] = {}
    by_both: dict[tuple[str, str], Person] = {}
    text = (data or b"")[:MAX_BYTES].decode("utf-8", "replace")
    for line in text.splitlines()[:MAX_LINES]:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        name, email, stated_name, stated = match.groups()
        name = name.strip()
        if stated is None:
            by_address[normal(email)] = Person(name=name, email="")
        elif stated_name.strip():
            by_both[normal(stated), normal(stated_name)] = Person(name=name, email=email.strip())
        else:
            by_address[normal(stated)] = Person(name=name, email=email.strip())
    return Mailmap(by_address=by_address, by_both=by_both)
