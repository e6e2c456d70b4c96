"""Signs that do not stand in a commit: git-ai's notes, Agent Trace files, the text of a pull request."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.config import People
from gatecli.model import Change, LineRange, Person, ProvenanceClass, PullText
from gatecli.provenance.agent_trace import read_traces
from gatecli.provenance.git_ai import read_note
from gatecli.provenance.trailers import read
from tests.provenance.test_trailers import change, commit
from tests.scoring.cases import DANA, RAVI, file

SENIORS = People(seniors=("ravi@shop.example",))
SESSION = "s_0123456789abcd"


def note(*entries: str, sessions: dict | None = None, prompts: dict | None = None) -> str:
    metadata = {"schema_version": "authorship/3.0.0", "base_commit_sha": "a1", "prompts": prompts or {}}
    return "\n".join(entries) + "\n---\n" + json.dumps(metadata | ({"sessions": sessions} if sessions else {}))


def session(human: str | None = None, **more) -> dict:
    record = {"agent_id": {"tool": "cursor", "id": "conv-7", "model": "claude-opus-4-5"}, **more}
    return record | ({"human_author": human} if human else {})


def ranges(*bounds: tuple[int, int], path: str = "shop/pricing.py") -> tuple[LineRange, ...]:
    return tuple(LineRange(path=path, first=first, last=last) for first, last in bounds)


def test_a_session_with_its_lines_model_and_operator():
    text = note("shop/pricing.py", f"  {SESSION}::t_0123456789abcd 12-14,1-4,9", sessions={SESSION: session(str(DANA))})
    (sign,) = read_note(text, "a1")
    assert (sign.tool, sign.model, sign.session, sign.operator) == ("cursor", "claude-opus-4-5", "conv-7", DANA)
    assert (sign.channel, sign.strength, sign.source, sign.commit) == ("note", 3, "refs/notes/ai", "a1")
    assert sign.lines == ranges((1, 4), (9, 9), (12, 14))
    assert sign.text == "8 lines in 1 file(s)"


@pytest.mark.parametrize(
    ("entries", "tool", "lines"),
    [
        (["a.py", "  0123456789abcdef 1-2"], "unknown", ranges((1, 2), path="a.py")),  # legacy key without a record
        (["a.py", "  0123456 7"], "unknown", ranges((7, 7), path="a.py")),
        (['"with space.py"', f"  {SESSION}::t_1 3"], "unknown", ranges((3, 3), path="with space.py")),
        (["a.py", "  s_1::t_1 5-3"], "unknown", ranges((5, 5), path="a.py")),
    ],
)
def test_notes_are_read_as_they_are_found(entries, tool, lines):
    (sign,) = read_note(note(*entries), "a1")
    assert (sign.tool, sign.lines) == (tool, lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        note(),
        note("a.py"),
        note("a.py", "  h_0123456789abcd 1-9"),  # a human's lines
        note("a.py", f" {SESSION}::t_1 1-2"),  # one space is no entry
        note(f"  {SESSION}::t_1 1-2"),  # lines of no file
        note(sessions={SESSION: session(str(DANA))}),  # a record alone attests nothing
        "---\n{}",
        "claude wrote this",
    ],
)
def test_the_existence_of_a_note_is_no_evidence(text):
    assert list(read_note(text, "a1")) == []


def test_broken_metadata_leaves_the_lines():
    (sign,) = read_note("a.py\n  s_1::t_1 1-2\n---\n{broken", "a1")
    assert (sign.tool, sign.lines) == ("unknown", ranges((1, 2), path="a.py"))


def test_a_noted_commit_is_ai_written_and_its_human_the_operator():
    text = note("shop/pricing.py", f"  {SESSION}::t_1 1", sessions={SESSION: session(str(DANA))})
    found = read(change(commit("Round", author=DANA)), attested={"a1": text}, people=SENIORS)
    assert (found.klass, found.operator, found.operator_source) == (ProvenanceClass.AI, DANA, "git-ai note")


def test_a_note_that_names_a_senior_does_not_hide_a_junior_author():
    text = note("shop/pricing.py", f"  {SESSION}::t_1 1", sessions={SESSION: session(str(RAVI))})
    found = read(change(commit("Round", author=DANA)), attested={"a1": text}, people=SENIORS)
    assert (found.operator, found.operator_source) == (DANA, "author")


@given(st.text(max_size=300))
def test_no_note_is_too_odd(text):
    for sign in read_note(text, "a1"):
        assert sign.lines


# --------------------------------------------------------------------------- Agent Trace


def traced(**more) -> bytes:
    record = {
        "version": "1.0", "id": "u-1", "timestamp": "2026-01-20T10:00:00Z",
        "tool": {"name": "cursor", "version": "2.4"},
        "vcs": {"type": "git", "revision": "base"},
        "files": [{"path": "shop/pricing.py", "conversations": [
            {"url": "https://x.example/c/1", "contributor": {"type": "ai", "model_id": "anthropic/claude-opus-4-5"},
             "ranges": [{"start_line": 1, "end_line": 13}]},
        ]}],
    }  # fmt: skip
    return json.dumps(record | more).encode() + b"\n"


def changed_file(*more: str) -> Change:
    """Lines 12 to 14 of the file are added."""
    files = tuple(file(path) for path in ("shop/pricing.py", *more))
    return replace(change(), files=files, merge_base="base")


def test_a_trace_of_changed_lines_is_a_weak_sign_with_those_lines():
    (sign,) = read_traces(traced(), changed_file())
    assert (sign.tool, sign.model, sign.session) == ("cursor", "anthropic/claude-opus-4-5", "https://x.example/c/1")
    assert (sign.strength, sign.channel, sign.source) == (2, "trace", ".agent-trace/traces.jsonl")
    assert sign.lines == ranges((12, 13))
    assert read(changed_file(), traces=traced()).klass is ProvenanceClass.ASSISTED


def conversation(kind: str, *bounds: tuple[object, object], own: str | None = None) -> list:
    more = {"contributor": {"type": own}} if own else {}
    return [{"path": "shop/pricing.py", "conversations": [
        {"contributor": {"type": kind}, "ranges": [{"start_line": a, "end_line": b, **more} for a, b in bounds]}
    ]}]  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        traced(files=conversation("human", (1, 99))),
        traced(files=conversation("ai", (1, 99), own="human")),
        traced(files=conversation("ai", (1, 1))),  # the fallback of the reference implementation
        traced(files=conversation("ai", ("1", 99), (None, None))),
        traced(files=[{"path": ".sessions", "conversations": [{"contributor": {"type": "ai"}, "ranges": [{}]}]}]),
        traced(files="all of them"),
        traced(vcs={"revision": "another"}),
        b"[]\nnull\n{\n" + b"[" * 10_000,
        b"",
    ],
)
def test_a_trace_of_anything_else_is_none(data):
    assert list(read_traces(data, changed_file())) == []


def test_a_trace_file_that_the_change_brings_counts_whatever_revision_it_names():
    both = changed_file(".agent-trace/traces.jsonl")
    assert len(list(read_traces(traced(vcs={"revision": "another"}), both))) == 1


# --------------------------------------------------------------------------- pull requests

YES = "- [x] An agent wrote code of this change <!-- gate:ai=yes -->\n"
NO = "- [X] No agent wrote any of it <!-- gate:ai=no -->\n"


@pytest.mark.parametrize(
    ("body", "declared", "klass"),
    [
        (YES, "auto", ProvenanceClass.AI),
        (YES + NO, "auto", ProvenanceClass.AI),
        (YES, "no", ProvenanceClass.AI),
        (NO, "yes", ProvenanceClass.AI),
        (NO + "🤖 Generated with [Claude Code](https://claude.com/claude-code)", "auto", ProvenanceClass.NO_EVIDENCE),
        ("🤖 Generated with [Claude Code](https://claude.com/claude-code)", "auto", ProvenanceClass.ASSISTED),
        (NO + "Co-authored-by: Claude <noreply@anthropic.com>", "auto", ProvenanceClass.AI),
        (YES.replace("[x]", "[ ]"), "auto", ProvenanceClass.NO_EVIDENCE),
        ("`- [x] gate:ai=yes`", "auto", ProvenanceClass.NO_EVIDENCE),
        ("Thanks to Claude Martin and Devin for the review", "auto", ProvenanceClass.NO_EVIDENCE),
        ("x" * 200_000, "auto", ProvenanceClass.NO_EVIDENCE),
    ],
)
def test_what_the_text_of_a_pull_request_says(body, declared, klass):
    assert read(change(commit("Round", author=DANA)), declared=declared, pulls=[PullText(body=body)]).klass is klass


def test_the_branch_of_a_pull_request_is_read_where_the_change_has_none():
    found = read(change(commit("Round", author=DANA)), pulls=[PullText(branch="codex/round")])
    assert [(one.tool, one.channel, one.strength) for one in found.agents] == [("codex", "branch", 1)]


def test_whose_pull_request_it_is_prompted_an_agent_that_names_nobody():
    agent = Person(name="copilot-swe-agent[bot]", email="198982749+Copilot@users.noreply.github.com")
    by_agent = change(commit("Round", author=agent))
    found = read(by_agent, pulls=[PullText(people=("dana-codes",))])
    assert (found.operator, found.operator_source) == (
        Person(name="dana-codes", email="dana-codes@users.noreply.github.com"), "pull request",
    )  # fmt: skip
    assert read(by_agent).operator is None
    assert read(by_agent, pulls=[PullText(people=("renovate[bot]",))]).operator is None
