"""S05, S07: functions that run what they downloaded, and those that read what is secret and send something away."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.model import Confidence
from gatecli.rules import code
from gatecli.rules.code import Code, View
from gatecli.rules.matching import Captures, Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

_STRINGS = Pattern("(string) @match")
_ENVIRON = Pattern('((attribute) @match (#eq? @match "os.environ"))')

_FILES = re.compile(
    r"\.aws/credentials|\.ssh/(?:id_\w{1,20}|known_hosts|config)|\.netrc|\.pypirc|\.npmrc|\.kube/config|\.docker/config\.json"
    r"|\.git-credentials|\.gnupg|/etc/shadow|/proc/self/environ|\.config/gcloud|\.azure/"
    r"|Login Data|cookies\.sqlite|wallet\.dat|/var/run/secrets|169\.254\.169\.254"
)
_SENDS = re.compile(
    r"^(?:(?:requests|httpx|session|client|http|self\.session|self\.client)\.(?:post|put|patch|request|get)"
    r"|(?:urllib\.request\.)?(?:urlopen|Request)|\w{0,40}(?:sock|socket|conn|s)\.(?:send|sendall|sendto)"
    r"|socket\.(?:gethostbyname|getaddrinfo)|smtplib\.\w{1,20}|\w{0,40}\.sendmail)$"
)
_STARTS = re.compile(r"^(?:subprocess|os\.(?:exec|spawn|posix_spawn)|asyncio\.create_subprocess|Popen)")


def secrets_sent(rule: Rule, view: View) -> Iterator[Observation]:
    """Functions that read the whole environment or a file of credentials, and send something."""
    for touched in view.functions:
        if touched.after is None:
            continue
        secrets, sends = _secrets(view, touched.after), _sends(view, touched.after)
        if not secrets or not sends:
            continue
        if _secrets(view, touched.before) and _sends(view, touched.before):
            continue
        what, line, sure = secrets[0]
        says = f"reads {what} and sends something with {snippet(sends[0])}"
        confidence = Confidence.HIGH if sure else Confidence.MEDIUM
        yield seen(touched, line, says, f"{what} {sends[0]}", confidence=confidence)


def _secrets(view: View, side: Code | None) -> list[tuple[str, int, bool]]:
    """What is read, on which line, and whether that is sure to be a secret; the surest first."""
    if side is None:
        return []
    found = []
    for match in view.own(_STRINGS, side):
        named = _FILES.search(code.text(match["match"])[:2_000])
        if named:
            found.append((f"`{snippet(named[0])}`", code.line(match["match"]), True))
    environments = (match for match in view.own(_ENVIRON, side) if _is_whole(match))
    return found + [("the whole environment", code.line(match["match"]), True) for match in environments]


def _is_whole(match: Captures) -> bool:
    """Whether all of ``os.environ`` is taken, and not handed to a child process."""
    node = match["match"]
    parent = node.parent
    if parent is None or parent.type == "subscript":
        return False
    if parent.type == "attribute":
        name = parent.child_by_field_name("attribute")
        return name is not None and code.text(name) in ("copy", "items", "values")
    return parent.type in (
        "argument_list",
        "pair",
        "dictionary_splat",
        "return_statement",
        "keyword_argument",
    ) and not (_goes_to_a_child(match))


def _goes_to_a_child(match: Captures) -> bool:
    node = match["match"].parent
    for _ in range(6):
        if node is None:
            return False
        if node.type == "call" and _STARTS.match(code.callee(node)):
            return True
        node = node.parent
    return False


def _sends(view: View, side: Code | None) -> list[str]:
    found = view.own(code.CALLS, side) if side is not None else []
    return [name for match in found if _SENDS.match(name := code.callee(match["match"]))]


# --------------------------------------------------------------------------- S05

# Searched for where something is run only: an assignment is everywhere, and each match costs.
_BOUND = """
(assignment left: (_) @key right: (_) @value) @match
(as_pattern (_) @value alias: (as_pattern_target (identifier) @key)) @match
(for_statement left: (_) @key right: (_) @value) @match
((call function: [(identifier) (attribute)] @how arguments: (argument_list . (_) . (_) @key) @value) @match
  (#match? @how "urlretrieve$"))
"""
_FETCHES = re.compile(r"\b(?:urlopen|urlretrieve|requests\.(?:get|post)|httpx\.(?:get|post))\(")
_DECODES = re.compile(r"\b(?:b(?:16|32|64|85)decode|a85decode|unhexlify|bytes\.fromhex|zlib\.decompress)\(")
_RUNS = re.compile(
    r"^(?:exec|eval|builtins\.(?:exec|eval)|os\.(?:system|popen)|subprocess\.(?:run|call|check_call|check_output|Popen|getoutput))$"
)
_LOADS = re.compile(r"^(?:pickle|marshal|dill|cloudpickle)\.loads$")
"""What makes objects of bytes runs them too; what is only decoded first mostly comes from a store of one's own."""

MAX_STEPS = 200
"""Assignments of a function that are followed."""


def runs_downloaded(rule: Rule, view: View) -> Iterator[Observation]:
    """What a function downloads or decodes in one step and runs in a later one, by the names that it goes by."""
    for touched in view.functions:
        if touched.after is None:
            continue
        known = {name for name, _ in _run(view, touched.before)}
        for name, call in _run(view, touched.after):
            if name not in known:
                says = f"now runs what it decodes or downloads: {snippet(code.text(call))}"
                yield seen(touched, code.line(call), says, f"{name} {code.normal(call)}", shown=code.text(call))


def _run(view: View, side: Code | None) -> "Iterator[tuple[str, Node]]":
    """The calls that run something which came from elsewhere: what they are, and where."""
    if side is None:
        return
    runs = [
        (name, call)
        for name, found in view.calls(side).items()
        if _RUNS.match(name) or _LOADS.match(name)
        for call in found
    ]
    fetched = _names(view, side, _FETCHES) if runs else set()
    decoded = _names(view, side, _DECODES) if runs else set()
    for name, call in runs:
        came = fetched | decoded if _RUNS.match(name) else fetched
        if came and (first := _first(call)) and came.intersection((first, *_WORD.findall(first))):
            yield name, call


def _names(view: View, side: Code, comes: re.Pattern[str]) -> set[str]:
    """The names (and paths in quotes) under which a function holds what some calls gave it."""
    came: set[str] = set()
    for match in view.own(Pattern(_BOUND), side)[:MAX_STEPS]:
        value, key = code.text(match["value"]), match["key"]
        if "how" in match or comes.search(value) or came.intersection(_WORD.findall(value)):
            came.update([code.text(key)] if key.type == "string" else _WORD.findall(code.text(key)))
    return came


def _first(call: "Node") -> str:
    """What a call runs: its first argument, of a list of arguments the first of them."""
    arguments = call.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    first = given[0] if given else None
    if first is not None and first.type in ("list", "tuple"):
        first = first.named_children[0] if first.named_children else None
    if first is not None and first.type == "call" and code.callee(first) == "compile":
        return _first(first)
    return code.text(first) if first is not None else ""


_WORD = re.compile(r"[A-Za-z_]\w{0,80}")
