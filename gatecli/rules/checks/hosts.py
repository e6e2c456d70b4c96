"""A03: hosts that the change begins to talk to."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.code import Code, View
from gatecli.rules.lines import decoded
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_STRINGS = Pattern(
    '((string) @match (#match? @match "(https?|wss?|amqps?|rediss?|postgres|mysql|ftp|sftp|tcp|grpc)://"))'
)
URL = re.compile(
    r"\b(?:https?|wss?|amqps?|rediss?|postgres(?:ql)?|mysql|s?ftp|tcp|grpc)://(?:[^@/\s\"'{}]{0,80}@)?([A-Za-z0-9.-]{1,253})"
)
TELLING = re.compile(r"(?i)(?:url|uri|host|endpoint|server|base|api|webhook|dsn|broker|address)s?$")
"""Names of what holds an address."""
# What a name says that is shown to people and not talked to; a call that sends is believed before it.
SHOWN = re.compile(
    r"(?i)(?:^|_)(?:docs?|documentation|help|support|homepage|home_page|project|license|terms|privacy|blog|faq|about"
    r"|schema|namespace|xmlns|issues?|repository|learn_more|read_more)(?:_|$)"
)
_SENDS = re.compile(
    r"(?:^|\.)(?:get|post|put|patch|delete|head|request|urlopen|urlretrieve|Client|AsyncClient|Session|connect|create_connection"
    r"|Request|fetch|stream|open|send|from_url|create_engine|ws_connect|ServerProxy)$"
)
OURS = re.compile(
    r"(?i)^(?:localhost|127\.|0\.0\.0\.0|10\.|192\.168\.|::1)|(?:^|\.)(?:example|test|invalid|localhost|local|internal|svc)(?:\.(?:com|org|net))?$"
    r"|(?:^|\.)(?:w3\.org|schema\.org|json-schema\.org|xmlsoap\.org)$"
)


def outbound_host_added(rule: Rule, view: View) -> Iterator[Observation]:
    """Hosts of addresses that are sent to or kept under a telling name, and that no changed file named before."""
    found = [
        (touched, host, line)
        for touched in view.functions
        if touched.after is not None
        for host, line in _hosts(view, touched.after)
        if "." in host and not OURS.search(host)
    ]
    texts = (decoded(file.before) for file in view.case.change.files) if found else ()
    known = {host for text in texts for host in URL.findall(text)}
    for touched, host, line in found:
        if host not in known:
            known.add(host)
            yield seen(touched, line, f"now talks to {snippet(host)}", host)


def _hosts(view: View, side: Code) -> Iterator[tuple[str, int]]:
    for match in view.own(_STRINGS, side):
        found = URL.search(code.text(match["match"])[:2_000])
        if found and _is_used(match["match"]):
            yield found[1].rstrip(".").lower(), code.line(match["match"])


def _is_used(node: "Node") -> bool:
    """Whether an address is an argument of a call that sends, or the value of a name that says what it is."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "argument_list":
        call = parent.parent
        return call is not None and call.type == "call" and bool(_SENDS.search(code.callee(call)))
    name = parent.child_by_field_name({"assignment": "left", "pair": "key"}.get(parent.type, "name"))
    told = code.text(name).strip("\"'") if name is not None else ""
    return bool(TELLING.search(told)) and not SHOWN.search(told)
