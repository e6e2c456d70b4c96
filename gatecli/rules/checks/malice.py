"""S07: functions that read what is secret and send something away."""

import re
from collections.abc import Iterator

from gatecli.model import Confidence
from gatecli.rules import code
from gatecli.rules.code import Code, View
from gatecli.rules.matching import Captures, Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

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
