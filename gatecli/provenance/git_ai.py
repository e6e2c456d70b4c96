"""git-ai's notes (``refs/notes/ai``, authorship/3.0.0): which lines of a commit which session of an agent wrote.

https://github.com/git-ai-project/git-ai/blob/main/specs/git_ai_standard_v3.0.0.md
A note that exists says nothing yet: 1,798 of 10,685 real ones attest no line to an agent. They are read as they are
found: ranges out of order, sessions without a record, keys of old versions. Nobody signs them, so whoever may push the
ref may forge or drop one.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from gatecli.model import AgentEvidence, LineRange, Person

REF = "refs/notes/ai"
MAX_CHARACTERS = 2_000_000
MAX_RANGES = 2_000
MAX_SESSIONS = 100

_ENTRY = re.compile(r"  (\S{1,80}) (\d[\d,\- ]{0,50000})")
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
_AUTHOR = re.compile(r"([^<\n]{0,200})<([^<>\n]{1,200})>")


def read_note(text: str, commit: str) -> Iterator[AgentEvidence]:
    """One sign a session that the note attests lines to; none where it attests only people's, or none at all."""
    attested, _, metadata = text[:MAX_CHARACTERS].partition("\n---\n")
    records = _records(metadata)
    lines: dict[str, list[LineRange]] = {}
    path, left = "", MAX_RANGES
    for line in attested.splitlines():
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            path = _path(line) if line and not line.startswith(" ") else path
            continue
        session = entry[1].partition("::")[0]
        if path and not session.startswith("h_"):
            ranges = [_range(path, match) for match in _RANGE.finditer(entry[2])][:left]
            left -= len(ranges)
            lines.setdefault(session, []).extend(ranges)
    for session, ranges in list(lines.items())[:MAX_SESSIONS]:
        yield _evidence(session, tuple(sorted(ranges)), records.get(session), commit)


def _evidence(session: str, lines: tuple[LineRange, ...], record: Any, commit: str) -> AgentEvidence:
    agent = _part(record, "agent_id")
    count = sum(one.last - one.first + 1 for one in lines)
    return AgentEvidence(
        tool=_text(agent.get("tool")) or "unknown",
        channel="note",
        strength=3,
        model=_text(agent.get("model")),
        session=_text(agent.get("id")) or session,
        commit=commit,
        text=f"{count:,} {'line' if count == 1 else 'lines'} in {len({one.path for one in lines}):,} file(s)",
        source=REF,
        operator=_person(record.get("human_author") if isinstance(record, dict) else None),
        lines=lines,
    )


def _records(metadata: str) -> Mapping[str, Any]:
    """Session and prompt records by key; a note with broken metadata still attests its lines."""
    try:
        value = msgspec.json.decode(metadata)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {**_part(value, "prompts"), **_part(value, "sessions")}


def _part(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str | None:
    return value.strip()[:100] or None if isinstance(value, str) else None


def _person(value: Any) -> Person | None:
    text = _text(value)
    if text is None:
        return None
    match = _AUTHOR.fullmatch(text)
    return Person(name=match[1].strip(), email=match[2].strip()) if match else Person(name=text, email="")


def _path(line: str) -> str:
    return line[1:-1] if len(line) > 1 and line.startswith('"') and line.endswith('"') else line


def _range(path: str, match: re.Match[str]) -> LineRange:
    first = int(match[1])
    return LineRange(path=path[:1000], first=first, last=max(first, int(match[2] or first)))
