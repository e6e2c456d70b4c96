"""Agent Trace files (``.agent-trace/traces.jsonl``): what tools say that they wrote.

https://github.com/cursor/agent-trace: an RFC, whose own implementation names the commit before the change, numbers its
version otherwise, and falls back to line 1. So the content decides: a record counts for the lines that the change adds.
The file lies in the tree that is judged, so it is text that anyone may type: strength 2.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from gatecli.model import AgentEvidence, Change, FileChange, LineRange

PATH = ".agent-trace/traces.jsonl"
MAX_BYTES = 20_000_000
MAX_RECORDS = 5_000
MAX_RANGES = 500

_AI = ("ai", "mixed")


def read_traces(data: bytes, change: Change) -> Iterator[AgentEvidence]:
    """One sign a conversation with lines in the change; broken records are skipped."""
    files = {file.path: file for file in change.files}
    here = {change.merge_base, change.base, change.head, *(one.sha for one in change.revisions)}
    for line in data[-MAX_BYTES:].splitlines()[-MAX_RECORDS:]:
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        revision = _part(record, "vcs").get("revision")
        if revision is None or revision in here or PATH in files:
            yield from _record(record, files, revision if isinstance(revision, str) else None)


def _record(record: Any, files: dict[str, FileChange], revision: str | None) -> Iterator[AgentEvidence]:
    for entry in _list(record, "files"):
        file = files.get(entry.get("path", "")) if isinstance(entry.get("path"), str) else None
        for conversation in _list(entry, "conversations") if file else ():
            assert file is not None, "only files of the change are looked at"
            lines, model = _lines(conversation, file)
            if lines:
                count = sum(one.last - one.first + 1 for one in lines)
                yield AgentEvidence(
                    tool=_text(_part(record, "tool").get("name")) or "unknown",
                    channel="trace",
                    strength=2,
                    model=model,
                    session=_text(conversation.get("url")) or _text(record.get("id")),
                    commit=revision,
                    text=f"{count:,} changed {'line' if count == 1 else 'lines'} of {file.path[:200]}",
                    source=PATH,
                    lines=lines,
                )


def _lines(conversation: dict[str, Any], file: FileChange) -> tuple[tuple[LineRange, ...], str | None]:
    """The added lines that an agent claims, and its model."""
    whole = _part(conversation, "contributor")
    found, model = [], None
    for one in _list(conversation, "ranges")[:MAX_RANGES]:
        contributor = _part(one, "contributor") or whole
        start, end = one.get("start_line"), one.get("end_line")
        if contributor.get("type") not in _AI or not isinstance(start, int) or not isinstance(end, int):
            continue
        model = model or _text(contributor.get("model_id"))
        for hunk in file.hunks:
            first, last = max(start, hunk.added.start), min(end, hunk.added.stop - 1)
            if first <= last:
                found.append(LineRange(path=file.path, first=first, last=last))
    return tuple(sorted(set(found))), model


def _part(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _list(value: Any, key: str) -> list[dict[str, Any]]:
    found = value.get(key) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(value: Any) -> str | None:
    return value.strip()[:250] or None if isinstance(value, str) else None
