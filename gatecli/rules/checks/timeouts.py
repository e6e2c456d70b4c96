"""E05: how long a call may take: no longer bounded, bounded three times looser or tighter, or never bounded."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.checks.guards import deadline_removed
from gatecli.rules.checks.numbers import calls, figure, handed_on_less, left_out, positional, replaced
from gatecli.rules.checks.readers import Readers, read_by
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import amount, snippet

if TYPE_CHECKING:
    from tree_sitter import Node

FACTOR = 3
"""From this ratio on a timeout is another promise, not a tuning (reference: approval and provenance §4, E05)."""

# "cache", "session" and the like are about how long something is kept, not how long someone waits.
_NOT_A_WAIT = re.compile(r"(?i)cache|session|cookie|idle|lock_?out|keep_?alive|invit|token|expir")

# Calls that wait for ever unless told otherwise (httpx and aiohttp have a default and are left out), and how many
# arguments come before a positional timeout.
_UNBOUNDED = {
    f"requests.{verb}": 99 for verb in ("get", "post", "put", "patch", "delete", "head", "options", "request")
}
_UNBOUNDED |= {"urllib.request.urlopen": 3, "urllib2.urlopen": 3, "urlopen": 3, "socket.create_connection": 2}
_UNBOUNDED |= {"smtplib.SMTP": 4, "smtplib.SMTP_SSL": 6, "ftplib.FTP": 5, "imaplib.IMAP4": 3, "imaplib.IMAP4_SSL": 99}


def timeout_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """Timeouts that were removed or changed by the factor, and new network calls without one."""
    for touched in view.functions:
        if touched.after is not None:
            yield from _unbounded(view, touched, touched.after)
        if touched.before is not None and touched.after is not None:
            for gone in chain(
                left_out(view, touched.before, touched.after, _is_timeout),
                handed_on_less(view, touched.before, touched.after, _is_timeout),
            ):
                if not _NOT_A_WAIT.search(gone.callee) and gone.value.type not in ("true", "false"):
                    says = f"no longer gives {snippet(gone.callee)} a {gone.key} (was {snippet(code.text(gone.value))})"
                    yield seen(touched, code.line(gone.call), says, f"{gone.callee} {gone.key}")
            for what, old, new in replaced(view, touched.before, touched.after, _is_timeout):
                if not _NOT_A_WAIT.search(what):
                    yield from _compared(view, touched, what, old, new)
    yield from deadline_removed(view)


def _compared(view: View, touched: Touched, what: str, old: "Node", new: "Node") -> Iterator[Observation]:
    was, now = figure(old), figure(new)
    if was is not None and was > 0 and new.type == "none":
        says = f"no longer bounds {what} (was {amount(was)})"
    elif was is not None and now is not None and was > 0 and now > 0 and max(was, now) >= FACTOR * min(was, now):
        says = f"{'raises' if now > was else 'lowers'} {what} from {amount(was)} to {amount(now)}"
    else:
        return
    readers = read_by(view, what, touched.change.id.path) if touched.is_container else Readers()
    says += readers.says
    yield seen(touched, code.line(new), says, what, evidence=readers.evidence, usage=readers.usage)


def _unbounded(view: View, touched: Touched, after: Code) -> Iterator[Observation]:
    """New calls that wait for ever; one that the other side had too, with or without a timeout, is not new."""
    known = calls(view, touched.before)
    for name, found in calls(view, after).items():
        if name not in _UNBOUNDED:
            continue
        for call in found[len(known.get(name, ())) :]:
            if not code.has_splat(call) and not _timeouts(call) and positional(call) < _UNBOUNDED[name]:
                yield seen(touched, code.line(call), f"now calls {name} without a timeout", name)


def _timeouts(call: "Node") -> dict[str, "Node"]:
    if _NOT_A_WAIT.search(code.callee(call)):
        return {}
    return {name: value for name, value in code.keywords(call).items() if _is_timeout(name)}


def _is_timeout(name: str) -> bool:
    return "timeout" in name.lower() and not _NOT_A_WAIT.search(name)
