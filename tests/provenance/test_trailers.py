import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.config import People
from gatecli.model import (
    AgentEvidence,
    Change,
    Person,
    Provenance,
    ProvenanceClass,
    Revision,
    SourceKind,
)
from gatecli.provenance.trailers import MAX_MESSAGE_CHARACTERS, read, trailers

DANA = Person(name="Dana Reed", email="dana@shop.example")
INES = Person(name="Ines", email="ines@shop.example")
COPILOT = Person(name="copilot-swe-agent[bot]", email="198982749+Copilot@users.noreply.github.com")
WEB = Person(name="GitHub", email="noreply@github.com")
CLAUDE = "Co-Authored-By: Claude Opus 4.5 <noreply@anthropic.com>"
SENIORS = People(seniors=("ines@shop.example",))


def commit(message: str, author: Person = DANA, committer: Person | None = None, sha: str = "a1") -> Revision:
    return Revision(
        sha=sha, author=author, committer=committer or author, authored_at=1, committed_at=1, message=message
    )


def change(*revisions: Revision, branch: str | None = None) -> Change:
    return Change(
        kind=SourceKind.RANGE, base="b0", head="a1", merge_base="b0", digest="d", files=(), revisions=revisions,
        branch=branch,
    )  # fmt: skip


def test_an_agent_as_co_author_and_its_operator():
    assert read(change(commit(f"Add retry\n\nBecause.\n\n{CLAUDE}\n"))) == Provenance(
        klass=ProvenanceClass.AI,
        agents=(
            AgentEvidence(
                tool="claude",
                channel="trailer",
                strength=3,
                model="Claude Opus 4.5",
                commit="a1",
                source="commit",
                text="Claude Opus 4.5 <noreply@anthropic.com>",
            ),
        ),
        operator=DANA,
        operator_source="author",
        authors=(DANA,),
    )


def test_an_agent_as_author_and_the_human_it_names():
    message = (
        "Add retry\n\nAgent-Logs-Url: https://github.com/shop/api/sessions/77\n\n"
        "Co-authored-by: ines <9+ines@users.noreply.github.com>"
    )
    found = read(change(commit(message, author=COPILOT, committer=WEB)))
    ines = Person(name="ines", email="9+ines@users.noreply.github.com")
    assert found == Provenance(
        klass=ProvenanceClass.AI,
        agents=(
            AgentEvidence(
                tool="copilot-agent",
                channel="identity",
                strength=3,
                commit="a1",
                source="commit",
                text="copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>",
            ),
            AgentEvidence(
                tool="copilot-agent",
                channel="trailer",
                strength=3,
                session="77",
                commit="a1",
                source="commit",
                text="Agent-Logs-Url: https://github.com/shop/api/sessions/77",
            ),
        ),
        operator=ines,
        operator_source="co-author named by the agent",
        authors=(ines,),
    )


def test_no_evidence_is_said_as_such():
    found = read(change(commit("Fix typo\n\nReviewed-by: Claude Martin <claude@martin.example>", author=DANA)))
    assert found == Provenance(
        klass=ProvenanceClass.NO_EVIDENCE, operator=DANA, operator_source="author", authors=(DANA,)
    )


def test_uncommitted_work_has_no_author():
    assert read(change()) == Provenance(klass=ProvenanceClass.NO_EVIDENCE)


@pytest.mark.parametrize(
    ("message", "klass"),
    [
        (f"t\n\n{CLAUDE}", ProvenanceClass.AI),
        (f"Squashed (#12)\n\n* one\n\n{CLAUDE}\n\n* two\n\nCo-authored-by: Tom <t@x.example>", ProvenanceClass.AI),
        ("t\n\nCo-Authored-By: Claude\n <noreply@anthropic.com>", ProvenanceClass.AI),
        (f"Squashed commit of the following:\n\ncommit 1f\nAuthor: D\n\n    add\n\n    {CLAUDE}", ProvenanceClass.AI),
        ("Squashed\n\nAuthor: Devin AI <158243242+devin-ai-integration[bot]@users.noreply.github.com>",
         ProvenanceClass.AI),
        ("t\r\n\r\nMade-with: Cursor\r\n", ProvenanceClass.AI),
        ("t\n\nCo\u200b-Authored-By: Cl\u00adaude <noreply@anthropic.com>", ProvenanceClass.AI),
        ("t\n\nＣo-Authored-By: Claude <noreply@anthropic．com>", ProvenanceClass.AI),
        ("t\n\n🤖 Generated with [Claude Code](https://claude.com/claude-code)", ProvenanceClass.ASSISTED),
        ("t\n\nAssisted-by: Claude Sonnet 4.6", ProvenanceClass.ASSISTED),
        ("Merge pull request #7 from shop/codex/add-tests\n\nAdd tests", ProvenanceClass.ASSISTED),
        ("Merge branch 'claude/fix-1' into work", ProvenanceClass.ASSISTED),
        ("t\n\nReported-by: Claude <claude@shannon.example>", ProvenanceClass.NO_EVIDENCE),
        ("Explain that noreply@anthropic.com is Claude's address", ProvenanceClass.NO_EVIDENCE),
        ("t\n\nReplit-Commit-Author: Deployment", ProvenanceClass.NO_EVIDENCE),
        ("", ProvenanceClass.NO_EVIDENCE),
    ],
)  # fmt: skip
def test_class_by_message(message, klass):
    assert read(change(commit(message))).klass is klass


@pytest.mark.parametrize(
    ("branch", "klass"),
    [
        ("claude/add-retry-Zk3", ProvenanceClass.ASSISTED),
        ("devin/1718031722-add-retry", ProvenanceClass.ASSISTED),
        ("devin/fix-typo", ProvenanceClass.NO_EVIDENCE),
        ("feature/claude", ProvenanceClass.NO_EVIDENCE),
        (None, ProvenanceClass.NO_EVIDENCE),
    ],
)
def test_class_by_branch(branch, klass):
    found = read(change(commit("t"), branch=branch))
    assert found.klass is klass
    assert [sign.commit for sign in found.agents] == [None] * (klass is ProvenanceClass.ASSISTED)


def test_aider_marks_its_author_and_not_its_committer():
    marked = Person(name="Dana Reed (aider)", email="dana@shop.example")
    by_aider = read(change(commit("t", author=marked, committer=marked)))
    assert (by_aider.klass, by_aider.operator, by_aider.authors) == (ProvenanceClass.AI, DANA, (DANA,))
    own_edit = read(change(commit("t", author=DANA, committer=marked)))
    assert (own_edit.klass, own_edit.agents) == (ProvenanceClass.NO_EVIDENCE, ())


def test_the_model_in_an_aider_trailer():
    (sign,) = read(change(commit("t\n\nCo-authored-by: aider (openai/gpt-5) <aider@aider.chat>"))).agents
    assert (sign.tool, sign.model, sign.channel) == ("aider", "openai/gpt-5", "trailer")


def test_evidence_is_listed_once_strongest_first_with_its_newest_commit():
    footer = "🤖 Generated with [Claude Code](https://claude.com/claude-code)"
    revisions = [commit(f"t\n\n{footer}\n\n{CLAUDE}", sha=sha) for sha in ("c3", "c2", "c1")]
    found = read(change(*revisions, branch="claude/x")).agents
    assert [(sign.channel, sign.strength, sign.commit) for sign in found] == [
        ("trailer", 3, "c3"),
        ("body", 2, "c3"),
        ("branch", 1, None),
    ]


def test_two_models_in_one_squash_are_two_signs():
    message = f"t\n\n{CLAUDE}\nCo-Authored-By: Claude Haiku 4.5 <noreply@anthropic.com>"
    assert [sign.model for sign in read(change(commit(message))).agents] == ["Claude Opus 4.5", "Claude Haiku 4.5"]


# --------------------------------------------------------------------------- declarations


def test_declared_yes_makes_it_ai_written():
    found = read(change(commit("t")), declared="yes")
    assert found.klass is ProvenanceClass.AI
    assert found.operator == DANA
    assert [(sign.tool, sign.channel, sign.strength) for sign in found.agents] == [("unknown", "declared", 3)]


def test_declared_no_sets_weak_signs_aside_and_says_so():
    found = read(change(commit("t\n\nGenerated with Claude Code"), branch="claude/x"), declared="no")
    assert found.klass is ProvenanceClass.NO_EVIDENCE
    assert [sign.strength for sign in found.agents] == [2, 1]
    assert found.notes == ("declared as not AI-written: 2 weaker sign(s) of an agent set aside",)


def test_declared_no_never_erases_strong_evidence():
    found = read(change(commit(f"t\n\n{CLAUDE}")), declared="no")
    assert found.klass is ProvenanceClass.AI
    assert found.agents[0].text == (
        "Claude Opus 4.5 <noreply@anthropic.com> (stands against the declaration that no AI wrote this)"
    )


# --------------------------------------------------------------------------- the operator


def test_the_least_senior_operator_is_the_one_to_cover():
    by_senior = commit(f"t\n\n{CLAUDE}", author=INES, sha="c2")
    by_junior = commit(f"t\n\n{CLAUDE}", author=DANA, sha="c1")
    assert read(change(by_senior), people=SENIORS).operator == INES
    assert read(change(by_senior, by_junior), people=SENIORS).operator == DANA
    nobody = commit("Initial plan", author=COPILOT, committer=WEB, sha="c0")
    assert read(change(by_senior, nobody), people=SENIORS).operator is None
    assert read(change(by_junior, nobody), people=SENIORS).operator == DANA


def test_a_human_commit_beside_an_agents_is_not_the_operator():
    by_agent = commit("Plan", author=COPILOT, committer=WEB, sha="c2")
    merge = commit("Fix lint", author=INES, sha="c1")
    found = read(change(by_agent, merge), people=SENIORS)
    assert (found.operator, found.authors) == (None, (INES,))


def test_bots_operate_nothing():
    bump = Person(name="dependabot[bot]", email="49699333+dependabot[bot]@users.noreply.github.com")
    found = read(change(commit("Bump x", author=bump, committer=WEB)))
    assert (found.klass, found.operator, found.authors) == (ProvenanceClass.NO_EVIDENCE, None, (bump,))


def test_the_committer_is_not_taken_for_the_operator():
    assert read(change(commit("t", author=COPILOT, committer=INES)), people=SENIORS).operator is None


def test_one_author_under_two_addresses_is_listed_once():
    people = People(aliases={"dana": ("dana@shop.example", "dana@home.example")})
    home = Person(name="D. Reed", email="dana@home.example")
    assert read(change(commit("t", author=home), commit("t", author=DANA)), people=people).authors == (home,)


# --------------------------------------------------------------------------- bounds


def test_a_sign_at_the_end_of_a_huge_message_is_still_seen():
    message = "t\n\n" + "x" * (3 * MAX_MESSAGE_CHARACTERS) + f"\n\n{CLAUDE}"
    found = read(change(commit(message)))
    assert found.klass is ProvenanceClass.AI
    assert found.unread == (
        "1 commit message(s) too long to read whole: the first and last half of the limit were read",
    )


@pytest.mark.parametrize("seed", ["co-authored-by: x <y@z>\n", "\ufdfa", "a: b\n", " \n", "> ", "é", "author: <"])
def test_a_thousand_hostile_commits_are_read(seed):
    message = (seed * MAX_MESSAGE_CHARACTERS)[:MAX_MESSAGE_CHARACTERS]
    found = read(change(*[commit(message, sha=str(number)) for number in range(1000)]))
    assert len(found.agents) <= 100
    assert found.unread


TEXT = st.text(st.sampled_from("abC:-<>@ \n\t()#\u200bé"), max_size=200)


@given(TEXT, TEXT, TEXT)
def test_any_text_can_be_read_and_evidence_never_goes_away(message, name, email):
    author = Person(name=name, email=email)
    assert read(change(commit(message, author=author))).klass in set(ProvenanceClass)
    with_sign = read(change(commit(f"{message}\n\n{CLAUDE}", author=author)), declared="no")
    assert with_sign.klass is ProvenanceClass.AI


# --------------------------------------------------------------------------- git's own trailers

MESSAGES = [
    "t\n\nbody\n\nKey: value\nOther-Key: more\n",
    "t\n\nKey: value\n  folded\n\tagain\n",
    "t\n\nnot a trailer\nKey: value\n",
    "t\n\nnot a trailer\nKey: value\nSigned-off-by: A <a@x.example>\n",
    "t\n\none\ntwo\nthree\nfour\nfive\nsix\nseven\nSigned-off-by: A <a@x.example>\n",
    "t\n\none\ntwo\nthree\nSigned-off-by: A <a@x.example>\n",
    "t\n\nKey: value\n(cherry picked from commit 0123456789012345678901234567890123456789)\n",
    "t\n\nKey: value\n\n\n",
    "Key: value\n",
    "t\n",
    "",
    "t\n\nKey : value\nKey: a: b\n",
    "t\n\nKey:value\n",
    "t\n\nbad key: value\n",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_trailers_are_those_that_git_sees(message, tmp_path):
    out = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=message, capture_output=True, text=True, check=True,
        cwd=tmp_path,
    ).stdout  # fmt: skip
    assert [f"{key}: {value}" for key, value in trailers(message)] == out.splitlines()
