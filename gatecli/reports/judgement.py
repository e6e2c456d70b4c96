"""A JSON report as it is published: the word, the sentence and the comment that stand on a pull request."""

from dataclasses import dataclass

import msgspec

from gatecli.errors import UsageError
from gatecli.model import Decision, Mode, RequirementStatus, SourceKind, WaiverKind
from gatecli.reports.document import Document, Requirement
from gatecli.reports.markdown import MARKER
from gatecli.reports.text import listed

MAX_COMMENT = 65_000
"""Characters of the Markdown: GitHub answers a comment of more than 65,536 with 422, and a line of history follows."""

_WAIVED = {WaiverKind.OVERRIDE: "overridden by", WaiverKind.GRANT: "bypassed by a grant of"}
_OUTSTANDING = (RequirementStatus.UNSATISFIED, RequirementStatus.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is published of a report: ``word`` is pass, review, block or error (the change could not be judged).

    ``summary`` is for the status; ``body`` the Markdown for the comment, None where there is none; ``paths`` what was
    judged; ``needed`` the sign-offs that are outstanding; ``waived`` says that some were lifted and not met.
    """

    word: str
    head: str
    summary: str
    body: str | None = None
    paths: frozenset[str] = frozenset()
    needed: tuple[Requirement, ...] = ()
    candidates: tuple[str, ...] = ()
    waived: bool = False


def read_document(data: bytes) -> Document:
    """A JSON report.

    Raises:
        UsageError: it is none, or one of another version of gate.
    """
    try:
        return msgspec.json.decode(data, type=Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        hint = "make it with this version: gate check --report json=FILE"
        raise UsageError(f"this is no JSON report of gate: {str(error)[:200]}", hint) from error


def judgement(document: Document, markdown: str) -> Judgement:
    """What to publish of a report.

    Raises:
        UsageError: it is not of commits, or the Markdown is not gate's own or too long for a comment.
    """
    if document.change.kind is not SourceKind.RANGE or document.change.head is None:
        raise UsageError("the report is not of commits", "judge the head of the pull request: gate check BASE...HEAD")
    if not markdown.startswith(MARKER) or len(markdown) > MAX_COMMENT:
        raise UsageError("the Markdown is no comment of gate", "make it with gate check --report markdown=FILE")
    verdict = document.verdict
    word = "error" if verdict.incomplete and verdict.outcome is Decision.PASS else str(verdict.outcome)
    if word == "pass" and document.exit_code != 0:
        word = "error"
    files = document.change.files
    return Judgement(
        word=word,
        head=document.change.head,
        summary=_summary(document, word),
        body=markdown,
        paths=frozenset(path for file in files for path in (file.path, file.old_path) if path),
        needed=tuple(one for one in document.signoff.requirements if one.status in _OUTSTANDING),
        candidates=tuple(one.person for one in document.signoff.candidates),
        waived=bool(document.signoff.waivers),
    )


def failure(head: str) -> Judgement:
    """What to publish where there is no report: the change was not judged, whatever an earlier run said of it."""
    return Judgement(word="error", head=head, summary="gate could not judge this change, the log says why")


def _summary(document: Document, word: str) -> str:
    verdict, signoff = document.verdict, document.signoff
    said = f"risk {document.score.total}" + (", advice only" if document.mode is not Mode.ENFORCE else "")
    needed = [one for one in signoff.requirements if one.status in _OUTSTANDING]
    if word == "error":
        return f"{said}; evidence incomplete: {listed(verdict.incomplete, 1)}".removesuffix(": ")
    if word == "pass":
        signed = sorted({name for one in signoff.requirements for name in one.satisfied_by})
        lifted = [f"{_WAIVED[one.kind]} {one.by}: {one.reason}" for one in signoff.waivers[:1]]
        return said + "".join(f", {one}" for one in lifted) + (f", signed by {listed(signed, 3)}" if signed else "")
    if needed:
        who = [one.person for one in needed[0].who or signoff.candidates]
        asked = f" ({listed(who[:2], 2, 'or')})" if who else ""
        return f"{said}; needs {needed[0].name}{asked}" + (f" +{len(needed) - 1}" if len(needed) > 1 else "")
    return said + "".join(f"; {reason.text}" for reason in verdict.reasons[:1])
