"""``gate check``: judge a change."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.cli import streams
from gatecli.errors import UsageError

if TYPE_CHECKING:
    from gatecli.model import Report

EPILOG = """\b
Examples:
  gate check                               from the default branch to the working tree
  gate check origin/main...HEAD            a pull request
  gate check --staged                      what the next commit would hold
  gate check --diff change.patch           a patch, also outside a repository
  gate check --report json=gate.json --report terminal
  gate check --profile prod.json.gz --mode advise
"""


class ModeOption(StrEnum):
    """``--mode``."""

    ADVISE = "advise"
    ENFORCE = "enforce"


class FailOnOption(StrEnum):
    """``--fail-on``."""

    BLOCK = "block"
    REVIEW = "review"
    NEVER = "never"


class AiOption(StrEnum):
    """``--ai``."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


def check(
    revisions: Annotated[
        str | None,
        typer.Argument(
            metavar="REVISIONS", help="BASE or BASE...HEAD (from the merge base), or BASE..HEAD (two trees)."
        ),
    ] = None,
    staged: Annotated[bool, typer.Option("--staged", help="Judge the index.")] = False,
    diff: Annotated[str | None, typer.Option("--diff", metavar="FILE", help="Judge a patch; - is stdin.")] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="PATH_OR_URL", help="Runtime profile; default: the policy's.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Policy; default: .gate/policy.yml of the newest base.")
    ] = None,
    organisation: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            envvar="GATE_ORGANISATION",
            help="Policy laid over the repository's, which cannot weaken it.",
        ),
    ] = None,
    report: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT[=FILE]",
            help="terminal, json, markdown, html, sarif, github, junit, gitlab or svg; repeatable.",
        ),
    ] = None,
    mode: Annotated[
        ModeOption | None, typer.Option(metavar="advise|enforce", help="advise reports and exits 0.")
    ] = None,
    fail_on: Annotated[
        FailOnOption | None, typer.Option(metavar="block|review|never", help="From which verdict on to fail.")
    ] = None,
    approvals: Annotated[
        Path | None, typer.Option(metavar="FILE", help="GitHub's REST answers: {pull_request, reviews, commits}.")
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", envvar="GATE_LEDGER", help="Record of decisions: read for the pace, and added to."
        ),
    ] = None,
    ledger_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", envvar="GATE_LEDGER_KEY", help="SSH key that signs the record anew."),
    ] = None,
    ai: Annotated[
        AiOption, typer.Option(metavar="auto|yes|no", help="Whether an agent wrote it: found out, or declared.")
    ] = AiOption.AUTO,
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
    show_all: Annotated[bool, typer.Option("--all", help="Show every function and finding.")] = False,
) -> int:
    """Judge a change: pass, review or block, with the evidence and who must sign off."""
    from gatecli import pipeline
    from gatecli.config import FailOn
    from gatecli.model import Mode

    wanted = _reports(report or ["terminal"])
    origin = pipeline.open_source(repo, revisions=revisions, staged=staged, patch=_patch(diff))
    request = pipeline.Request(
        profile=profile,
        policy=policy,
        organisation=organisation,
        mode=Mode(mode.value) if mode else None,
        fail_on=FailOn(fail_on.value) if fail_on else None,
        approvals=read_file(approvals),
        ledger=ledger,
        declared=ai.value,
        call_tree=any(format == "html" for format, _ in wanted),
    )
    if ledger is None:
        result = pipeline.judge(origin, request)
    else:
        result = pipeline.judge_and_record(origin, request, ledger_key)
    try:
        for format, target in wanted:
            emit(result, format, target, show_all=show_all, folder=origin.root)
        sys.stdout.flush()
    except BrokenPipeError:
        streams.discard_output()  # the reader (head, less) has seen enough; the verdict stands
    return result.exit_code


def emit(
    report: "Report", format: str, target: Path | None, *, show_all: bool = False, folder: Path | None = None
) -> None:
    """Write a report in one format to a file, or to stdout; ``folder`` holds the sources that a terminal can open."""
    from gatecli import reports
    from gatecli.reports import links

    source_url = links.web_url(report.case.change, os.environ)
    if format == "terminal" and target is None:
        from gatecli.cli import paging

        opened = links.folder_url(folder) if folder is not None else None
        paging.show(report, show_all=show_all, source_url=source_url or opened)
    elif target is None:
        sys.stdout.write(reports.render(format, report, source_url=source_url))
    else:
        write_file(target, reports.render(format, report, source_url=source_url))


def write_file(target: Path, text: str) -> None:
    """Write a file whole or not at all."""
    from gatecli.writing import write_whole

    try:
        write_whole(target, text.encode("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}", "check the folder of the report") from error


def _reports(specifications: list[str]) -> list[tuple[str, Path | None]]:
    from gatecli.reports import FORMATS

    wanted = []
    for specification in specifications:
        format, _, file = specification.partition("=")
        if format not in FORMATS:
            raise UsageError(f"unknown report format: {format}", f"known formats: {', '.join(FORMATS)}")
        wanted.append((format, Path(file) if file else None))
    if sum(target is None for _, target in wanted) > 1:
        raise UsageError("two reports would both go to stdout", "give one a file: --report json=gate.json")
    return wanted


def _patch(diff: str | None) -> tuple[str, bytes] | None:
    if diff is None:
        return None
    if diff == "-":
        if streams.nothing_to_read():
            raise UsageError("there is no patch on stdin", "pipe one in: git diff | gate check --diff -")
        return "stdin", sys.stdin.buffer.read()
    content = read_file(Path(diff))
    assert content is not None, "a named file is read or refused"
    return diff, content


def read_file(path: Path | None) -> bytes | None:
    """The content of a named file, None where none is named."""
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check the path") from error
