"""gate's own profile as an input, so that profiles of several days, services' processes or kinds become one.

Its functions are frames, named by path and qualified name at the revision they were recorded at, and are matched anew.
"""

from typing import IO

from gatecli.errors import EvidenceError
from gatecli.runtime.profile import MAX_BYTES, SCHEMA, ProfiledFunction, decode
from gatecli.runtime.recording import Basis, Frame, Recording


def matches(head: bytes) -> bool:
    """Whether the bytes start a JSON object with the schema of a profile, of whatever version."""
    start = head.lstrip()
    return start[:1] == b"{" and b'"' + SCHEMA.rpartition("/")[0].encode() + b"/" in start[:200].replace(b" ", b"")


def read(stream: IO[bytes]) -> Recording:
    """Read one profile.

    Raises:
        UsageError: another version of the schema.
        EvidenceError: cut off, malformed, or without functions.
    """
    profile = decode(stream.read(MAX_BYTES))
    if not profile.functions and not profile.tests:
        raise EvidenceError("the profile names no function", "make it again: gate profile import FILE")
    return Recording(
        kind="gate-profile",
        basis=Basis.PROFILE,
        frames=tuple(map(_frame, profile.functions)),
        profile=profile,
        service=profile.meta.service,
        environment=profile.meta.environment,
        revision=profile.meta.revision,
        revision_source=profile.meta.revision_source,
    )


def _frame(row: ProfiledFunction) -> Frame:
    """A repeated name in a file has ``#2`` behind it, which no code object has: the first line tells."""
    path, _, qualname = row.id.rpartition("::")
    return Frame(file=path, name=qualname.partition("#")[0], first_line=row.first_line)
