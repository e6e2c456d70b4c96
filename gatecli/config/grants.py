"""Grants: ``.gate/grants.yml`` at the newest base excuses changes of a kind from requirements, signed, for a time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

import msgspec
import yaml

from gatecli.config.document import Problem, mismatches, parse, refuse
from gatecli.config.freeze import is_moment
from gatecli.config.requirements import Name, Text, Texts
from gatecli.errors import UsageError

GRANTS_PATH = ".gate/grants.yml"
SCHEMA = "gate-grant/1"
MAX_GRANTS = 100


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One grant: which requirements need not be met, by changes to nothing but ``paths``, until when, and who says so.

    ``paths`` are gitignore patterns; ``to`` are the people whose changes they have to be (none: anybody's).
    ``signature`` is of everything else, by ssh-keygen for ``gate-grant``. Times are ISO 8601 with zone.
    """

    requirements: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=100)]
    paths: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=100)]
    since: Text
    until: Text
    reason: Text
    by: Text
    to: Texts = ()
    repository: Text | None = None
    signature: Annotated[str, msgspec.Meta(max_length=20_000)] = ""

    @property
    def payload(self) -> bytes:
        """What is signed."""
        stated = {name: value for name, value in msgspec.to_builtins(self).items() if name != "signature"}
        return msgspec.json.encode({"schema": SCHEMA, **stated}, order="sorted")


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    grants: Annotated[tuple[Grant, ...], msgspec.Meta(max_length=MAX_GRANTS)] = ()


def read_grants(read: Callable[[str], bytes | None]) -> tuple[Grant, ...]:
    """All grants of a tree, also those that have ended; none without the file. Signatures are not checked here.

    Raises:
        UsageError: the file has problems.
    """
    data = read(GRANTS_PATH)
    if data is None:
        return ()
    document = parse(data, GRANTS_PATH)
    if document.value is None:
        return ()
    refuse([*document.problems, *mismatches(document, _File)], GRANTS_PATH)
    grants = msgspec.convert(document.value, _File).grants
    refuse(
        [
            Problem(document.lines.get(("grants", number), 1), f"{text!r} is no time with a zone: 2026-12-01T08:00Z")
            for number, one in enumerate(grants)
            for text in (one.since, one.until)
            if not is_moment(text)
        ],
        GRANTS_PATH,
    )
    return grants


def write_grants(grants: Iterable[Grant]) -> str:
    """The file that says so."""
    grants = tuple(grants)
    text: str = yaml.safe_dump(
        {"grants": [msgspec.to_builtins(one) for one in grants]}, sort_keys=False, allow_unicode=True
    )
    if read_grants(lambda _: text.encode()) != grants:
        raise UsageError("a grant holds text that YAML does not keep", "write plain names, patterns and reason")
    return text
