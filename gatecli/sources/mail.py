"""Mails of ``git format-patch``: the commit that one carries, and what it says of its own size."""

import email.policy
import re
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.utils import mktime_tz, parseaddr, parsedate_tz

from gatecli.model import Person, Revision

MBOX = re.compile(rb"^From ([0-9a-f]{40,64}) \w{3} \w{3} +\d+ [\d:]{8} \d{4}$")
_SUMMARY = re.compile(rb"^ (\d{1,9}) files? changed(?:, (\d{1,9}) insertions?\(\+\))?(?:, (\d{1,9}) deletions?\(-\))?$")
_PREFIX = re.compile(r"^\[([^\]]*PATCH[^\]]*)\]\s*")
_COVER = re.compile(r"\b0+/\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The last line of a diffstat."""

    files: int
    added: int
    deleted: int


def summary(line: bytes) -> Summary | None:
    """The diffstat's total, where a line is one."""
    match = _SUMMARY.match(line)
    return Summary(files=int(match[1]), added=int(match[2] or 0), deleted=int(match[3] or 0)) if match else None


def read_mail(lines: list[bytes], position: int, sha: str) -> tuple[Revision | None, int]:
    """The commit that one mail describes (None for a cover letter), and where its diff or the next mail starts."""
    end = position + 1
    while end < len(lines) and not lines[end].startswith(b"diff --") and lines[end].rstrip(b"\r") != b"---":
        if MBOX.match(lines[end].rstrip(b"\r")):
            break
        end += 1
    headers = BytesHeaderParser(policy=email.policy.compat32).parsebytes(b"\n".join(lines[position + 1 : end]))
    subject = " ".join(_header(headers["Subject"]).split())
    prefix = _PREFIX.match(subject)
    if prefix and _COVER.search(prefix[1]):
        return None, end
    author_name, author_email = parseaddr(_header(headers["From"]))
    body = headers.get_payload()
    at = _epoch(_header(headers["Date"]))
    person = Person(name=author_name, email=author_email)
    message = f"{subject[prefix.end() :] if prefix else subject}\n\n{body if isinstance(body, str) else ''}".strip()
    revision = Revision(sha=sha, author=person, committer=person, authored_at=at, committed_at=at, message=message)
    return revision, end


def _epoch(date: str) -> int:
    """Seconds since 1970 of a mail's date, 0 for one that is none."""
    try:
        parsed = parsedate_tz(date)
        return int(mktime_tz(parsed)) if parsed else 0
    except (ValueError, OverflowError):
        return 0


def _header(value: object) -> str:
    """A header with its encoded words decoded; what cannot be decoded stays as it is."""
    from email.header import decode_header, make_header

    text = str(value or "")
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, UnicodeError, ValueError):
        return text
