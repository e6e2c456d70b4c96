"""T08, S01, S08: what is seen in the text of any file, or in its being touched at all."""

import re
from collections.abc import Iterator

from gatecli.model import Confidence, FileChange, FileStatus
from gatecli.rules import code
from gatecli.rules.code import View
from gatecli.rules.lines import added, removed
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.paths import matches
from gatecli.rules.pattern import MAX_LINE
from gatecli.rules.spec import Rule
from gatecli.rules.wording import plural, snippet

# Token formats with a prefix of the provider's own, so that a match is a token and not a word. Sources: the formats
# GitHub, GitLab, AWS, Google, Slack, Stripe, npm, PyPI, SendGrid, Anthropic and OpenAI document for secret scanning.
_TOKENS = {
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    "a GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{82}\b"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20}\b"),
    "a Google API key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    "a Slack token": re.compile(r"\bxox[abposr]-[0-9]{8,14}-[0-9A-Za-z-]{20,80}"),
    "a Stripe live key": re.compile(r"\b[sr]k_live_[A-Za-z0-9]{24,100}\b"),
    "an npm token": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    "a PyPI token": re.compile(r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,200}"),
    "a SendGrid key": re.compile(r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
    "an Anthropic key": re.compile(r"\bsk-ant-[a-z0-9]{3,8}-[A-Za-z0-9_-]{80,120}"),
    "an OpenAI key": re.compile(r"\bsk-(?:proj-)?[A-Za-z0-9_-]{20,100}T3BlbkFJ[A-Za-z0-9_-]{20,100}"),
}
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"[A-Za-z0-9+/=]{40,}")
_NAMED_SECRET = re.compile(
    r"(?i)(?:passw(?:or)?d|passphrase|secret(?:_?key)?|api_?key|access_?key|auth_?token|client_?secret|signing_?key)[\"']?\]?"
    r"\s{0,4}[:=]\s{0,4}[bru]?([\"'])([^\"'\s{}<>]{10,200})\1"
)
_CLASSES = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]")))
_WORDS = re.compile(r"^[A-Za-z]{0,40}(?:[-_./: ][A-Za-z]{0,40}){0,20}$|^https?:|^/|^[\w.]{1,80}\.[a-z]\w{1,40}$")
"""What is a name, a path or an address, and no secret."""

_PLACEHOLDER = re.compile(r"(?i)example|sample|dummy|fake|placeholder|x{6}|0{8}|1234567|abcdef")
_MIN_DISTINCT = 10
"""Distinct characters of a real token; "AAAA…" and "xxxx…" have fewer."""

# Bidirectional controls that reorder what follows (Trojan Source, CVE-2021-42574), and characters that nothing shows:
# zero-width ones outside of emoji and scripts that need them, and the tag block that can hide a whole text.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HIDDEN = re.compile("[\u200b\u2060-\u2064\ufeff]|(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0020-\U000e007f]")


# What gate itself reads before it judges: policy, rules, weights, incidents, owners, keys.
_OWN_GUARDS = (".gate/", "CODEOWNERS", "allowed_signers")

_HOW = {FileStatus.ADDED: "added", FileStatus.DELETED: "deleted", FileStatus.RENAMED: "renamed"}


def guardrails_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """T08: each touched file under either of its names; the rule's ``paths`` say which of them guard the repository.

    What decides about this very gate blocks. Whether an edit of a workflow or of an agent's instructions weakens
    anything has to be read: a review.
    """
    for file in view.case.change.files:
        names = (file.path,) if file.status is FileStatus.COPIED else (file.path, file.old_path or file.path)
        how = _HOW.get(file.status, "changed")
        lines = f"{plural(file.added_count, 'line')} added, {file.deleted_count:,} removed"
        for path in dict.fromkeys(names):
            line = max(1, file.hunks[0].new_start) if file.hunks and file.after is not None else None
            says = f"guards this repository and is {how} ({lines}): a human must agree"
            is_own = matches(_OWN_GUARDS, path) or path in view.around.guards
            sure = Confidence.HIGH if is_own else Confidence.MEDIUM
            yield Observation(says=says, path=path, line=line, text=how, confidence=sure)


MIN_PUSH = 150
"""Blanks in a row, after something else on the line, that no layout needs: what follows is beyond any window."""


def _pushed_away(text: str) -> str:
    """What follows a long run of blanks in the middle of a line, empty if there is none."""
    bare = text.lstrip()
    place = bare.find(" " * MIN_PUSH) if len(bare) > MIN_PUSH else -1
    if place < 0:
        place = bare.find("\t" * (MIN_PUSH // 4)) if len(bare) > MIN_PUSH // 4 else -1
    return bare[place:].strip() if place > 0 else ""


def secret_added(rule: Rule, view: View) -> Iterator[Observation]:
    """S01: a token or private key in an added line. It is never repeated, not in part."""
    for file in view.case.change.files:
        lines = dict(added(file))
        for number, text in lines.items():
            for what, pattern in _TOKENS.items():
                found = pattern.search(text)
                if found and len(set(found[0])) >= _MIN_DISTINCT and not _PLACEHOLDER.search(found[0]):
                    yield Observation(says=f"now holds {what}", path=file.path, line=number, text=what)
            if _is_named_secret(text):
                says = "now holds what its name says is a secret"
                yield Observation(
                    says=says, path=file.path, line=number, text="a named secret", confidence=Confidence.MEDIUM
                )
            header = _PRIVATE_KEY.search(text)
            if header and (_KEY_BODY.search(text, header.end()) or _KEY_BODY.search(lines.get(number + 1, ""))):
                yield Observation(says="now holds a private key", path=file.path, line=number, text="a private key")


def _is_named_secret(text: str) -> bool:
    """Whether a line gives something called a password or a key a value that no human would choose for an example."""
    found = _NAMED_SECRET.search(text, 0, MAX_LINE)
    if found is None or _PLACEHOLDER.search(found[2]) or _WORDS.search(found[2]):
        return False
    kinds = sum(bool(kind.search(found[2])) for kind in _CLASSES)
    return kinds >= 3 and len(set(found[2])) >= _MIN_DISTINCT - 2


_AROUND = 20


def _stood(file: FileChange, text: str, place: int) -> bool:
    """Whether a removed line held the same with what is around it: the line was edited elsewhere."""
    around = text[max(0, place - _AROUND) : place + _AROUND]
    return any(around in line for _, line in removed(file))


def invisible_added(rule: Rule, view: View) -> Iterator[Observation]:
    """S08: an added line holds characters that nothing shows, or that show it in another order than it runs."""
    for file in view.case.change.files:
        for number, text in added(file):
            if pushed := _pushed_away(text):
                says = f"now holds code that white space pushes out of view: {snippet(pushed)}"
                yield Observation(says=says, path=file.path, line=number, text="pushed out of view")
            bidi, hidden = _BIDI.search(text), _HIDDEN.search(text, number == 1 and text.startswith("\ufeff"))
            if (found := bidi or hidden) and not _stood(file, text, found.start()):
                what = "text that is shown in another order than it runs" if bidi else "text that nothing shows"
                char = f"U+{ord(found[0]):04X}"
                yield Observation(says=f"now holds {what} ({char})", path=file.path, line=number, text=char)
    yield from _look_alikes(view)


# Cyrillic letters that look like Latin ones in most fonts, by Unicode's confusables (https://www.unicode.org/reports/tr39).
_CYRILLIC = (
    "\u0405\u0406\u0408\u0410\u0412\u0415\u041a\u041c-\u041e\u0420-\u0423\u0425\u0430\u0435\u043e\u0440\u0441\u0443"
)
_CYRILLIC += "\u0445\u0455\u0456\u0458\u0501\u051b\u051d"
_LOOK_ALIKE = f'((identifier) @match (#match? @match "[a-zA-Z]") (#match? @match "[{_CYRILLIC}]"))'
_FOREIGN = re.compile(rb"[\xd0-\xd4]")
"""The first bytes of Cyrillic letters in UTF-8: most files have none, and are not searched."""


def _look_alikes(view: View) -> Iterator[Observation]:
    """Names that are Latin to the eye and hold a letter of another alphabet, so that they are other names."""
    for touched in view.functions:
        if touched.after is None or not _FOREIGN.search(touched.after.module.source):
            continue
        known = (
            {code.text(match["match"]) for match in view.own(Pattern(_LOOK_ALIKE), touched.before)}
            if touched.before
            else set()
        )
        said = set(known)
        for match in view.own(Pattern(_LOOK_ALIKE), touched.after):
            if (name := code.text(match["match"])) not in said:
                said.add(name)
                char = next(char for char in name if "\u0400" <= char <= "\u052f")
                says = f"now holds a name with a letter that only looks Latin: {snippet(name)} (U+{ord(char):04X})"
                yield seen(touched, code.line(match["match"]), says, name)
