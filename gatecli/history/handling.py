"""Who ended an incident: whom its record names, and who wrote what repaired it.

Whoever caused it is left out: that somebody cleaned up after themselves shows no second pair of eyes.
"""

from collections.abc import Callable, Iterable, Iterator

from gatecli.history.outcomes import repairs
from gatecli.model import Handler, Incident, Person, Revision


def handlers(
    incident: Incident,
    *,
    fixed: Iterable[tuple[str, Person]],
    caused: Iterable[Person],
    identify: Callable[[Person], str] = str,
) -> tuple[Handler, ...]:
    """Everyone who ended an incident, each once: by what repaired it, or because its record names them.

    Args:
        incident: What is remembered of it.
        fixed: The commits that repaired it, and who wrote each.
        caused: Who wrote the causes, as far as they are known.
        identify: What two mentions of one person share.
    """
    found = [Handler(person=person, commit=commit) for commit, person in fixed]
    found += [Handler(person=_named(name)) for name in incident.handled_by]
    to_blame = {identify(person) for person in caused}
    by_key = {identify(one.person): one for one in reversed(found)}
    return tuple(one for one in found if by_key[identify(one.person)] is one and identify(one.person) not in to_blame)


def repairing(incident: Incident, later: Iterable[Revision]) -> Iterator[Revision]:
    """Of some commits those that say they repair what caused an incident."""
    for one in later:
        if any(repairs(one.message, cause) for cause in incident.caused_by if not one.sha.startswith(cause)):
            yield one


def _named(name: str) -> Person:
    """A name, login or address of the record."""
    return Person(name="", email=name) if "@" in name.strip().removeprefix("@") else Person(name=name, email="")
