"""A new incident in the file that somebody keeps by hand: every byte that was there stays where it is.

A YAML library that keeps comments would still set indents, quotes and folds its own way; here text is put in at one
place, and the result is read again to see that it says what it said before and the new incident.
"""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import yaml

from gatecli.config.document import MAX_BYTES, unquoted
from gatecli.config.incidents import INCIDENTS_PATH, Entry, decode_incidents, entry_of
from gatecli.errors import UsageError
from gatecli.model import Incident

_BOM = b"\xef\xbb\xbf"
_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_HEAD = """\
# What went wrong in production, and the commits that caused it. gate incident add writes here; edit it as you like.
# Functions that an incident came from count for more when they are touched again; the memory fades by half-lives.
"""


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.2 takes for a number, and PyYAML (1.1) for text: ``0000008``, ``12e34567``."""

    def ignore_aliases(self, data: Any) -> bool:
        """Nothing is referred to: the strict reader wants it written out."""
        return True


def _text(dumper: _Dumper, text: str) -> Any:
    style = None if isinstance(unquoted(text), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def with_incidents(data: bytes | None, added: Sequence[Incident]) -> bytes:
    """The content of the file with more incidents at the end of its list.

    Raises:
        UsageError: the file has problems, has one of the incidents already, or is laid out so that none can be put in.
    """
    content = data if data is not None else _HEAD.encode()
    before = decode_incidents(content, INCIDENTS_PATH)
    known = {one.id for one in before}
    for incident in added:
        if incident.id in known:
            raise UsageError(f"incident {incident.id} is in {INCIDENTS_PATH} already", "edit it there, it is yours")
        known.add(incident.id)
        check(incident)
    if not added:
        return content
    mark = _BOM if content.startswith(_BOM) else b""
    entries = [_plain(incident) for incident in added]
    result = mark + _inserted(content.decode("utf-8-sig"), entries).encode("utf-8")
    if len(result) > MAX_BYTES:
        raise UsageError(f"{INCIDENTS_PATH} would have more than {MAX_BYTES:,} bytes", "take out old incidents")
    try:
        is_kept = decode_incidents(result, INCIDENTS_PATH) == (*before, *added)
    except UsageError:
        is_kept = False
    if not is_kept:
        text = _items(entries[:1], "  ")
        raise UsageError(f"cannot put an incident into {INCIDENTS_PATH} as it is laid out", f"write it there:\n{text}")
    return result


def check(incident: Incident) -> None:
    """Refuse an incident that cannot be written down.

    Raises:
        UsageError: its id, its address or another text is not as it has to be.
    """
    try:
        msgspec.convert(_plain(incident), Entry)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"incident {incident.id} cannot be written down: {error}",
            "an id is made of letters, digits and . _ # / : -, a URL begins with https://",
        ) from error


def _inserted(text: str, entries: Sequence[dict[str, Any]]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    place = _list_of(text)
    if place is None:
        whole = text if not text or text.endswith("\n") else text + newline
        return whole + _lines(f"incidents:\n{_items(entries, '  ')}", newline)
    if isinstance(place, yaml.SequenceNode) and place.value and place.flow_style:
        at = place.value[-1].end_mark.index
        return text[:at] + "".join(f", {_on_one_line(entry)}" for entry in entries) + text[at:]
    if isinstance(place, yaml.SequenceNode) and place.value:
        indent = " " * place.start_mark.column
        at = _end_of_item(text, place)
    else:  # nothing, or []
        text = text[: place.start_mark.index].rstrip(" ") + text[place.end_mark.index :]
        indent, at = "  ", _next_line(text, place.start_mark.index - 1)
    head = text[:at] if text[:at].endswith("\n") else text[:at] + newline
    return head + _lines(_items(entries, indent), newline) + text[at:]


def _list_of(text: str) -> Any:
    """The node of the list; None where the file says nothing yet. The text has been read strictly before."""
    root = yaml.compose(text, Loader=_LOADER)
    if not isinstance(root, yaml.MappingNode) or not root.value:
        return None
    return root.value[0][1]


def _end_of_item(text: str, items: Any) -> int:
    """Where the line after the last item begins; the comments that are indented like its content belong to it."""
    last = items.value[-1]
    while isinstance(last, yaml.CollectionNode) and last.value and not last.flow_style:
        last = last.value[-1]
        last = last[1] if isinstance(last, tuple) else last
    at: int = last.end_mark.index
    if at and text[at - 1] != "\n":
        at = _next_line(text, at)
    while at < len(text):
        end = _next_line(text, at)
        line = text[at:end]
        bare = line.lstrip(" ")
        if not bare.startswith("#") or len(line) - len(bare) <= items.start_mark.column:
            return at
        at = end
    return at


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _plain(incident: Incident) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(entry_of(incident), builtin_types=(type(incident.day),))
    return plain


def _items(entries: Sequence[dict[str, Any]], indent: str) -> str:
    """Items of a list, a field a line."""
    text: str = yaml.dump(list(entries), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return "".join(f"{indent}{line}".rstrip(" ") + "\n" for line in text.removesuffix("\n").split("\n"))


def _on_one_line(entry: dict[str, Any]) -> str:
    text: str = yaml.dump(
        entry, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return text.removesuffix("\n")


def _lines(text: str, newline: str) -> str:
    return text.replace("\n", newline)
