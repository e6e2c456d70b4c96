"""The output of ``git log -z`` to commits with their whole messages."""

from gatecli.model import Person, Revision

MAX_MESSAGE_CHARACTERS = 65_536

REVISION_FORMAT = "--format=%H%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B"


def parse_revisions(out: bytes) -> tuple[Revision, ...]:
    """The commits that ``git log -z`` prints in ``REVISION_FORMAT``."""
    fields = out.decode("utf-8", "replace").split("\0")
    return tuple(_revision(fields[i : i + 8]) for i in range(0, len(fields) - 7, 8))


def _revision(fields: list[str]) -> Revision:
    sha, author, author_mail, authored, committer, committer_mail, committed, message = fields
    return Revision(
        sha=sha,
        author=Person(name=author, email=author_mail),
        committer=Person(name=committer, email=committer_mail),
        authored_at=epoch(authored),
        committed_at=epoch(committed),
        message=_bounded(message.rstrip("\n")),
    )


def _bounded(message: str) -> str:
    """A message without its middle where it is too long: padding must not push the trailers at its end out of sight."""
    half = MAX_MESSAGE_CHARACTERS // 2
    return message if len(message) <= MAX_MESSAGE_CHARACTERS else f"{message[:half]}\n\n{message[-half:]}"


def epoch(text: str) -> int:
    """Seconds since 1970 as git prints them; a commit may claim any date, also none: 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
