import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.config import Config, People
from gatecli.errors import UsageError
from gatecli.model import (
    AgentEvidence,
    Approval,
    Binding,
    Counted,
    Dismissal,
    Person,
    Provenance,
    ProvenanceClass,
    SourceKind,
)
from gatecli.policy.approvals import Submitted, counted
from gatecli.provenance.identity import directory
from tests.scoring.cases import DANA, INES, case, changed, revision

HEAD = "a71b0d4" + "0" * 33
NOW = 1_796_000_000
PEOPLE = People(seniors=("ravi",), aliases={"ines": ("ines@shop.example", "ines-codes")})
KNOWN = directory(PEOPLE)
AI = Provenance(
    klass=ProvenanceClass.AI,
    agents=(AgentEvidence(tool="claude", channel="trailer", strength=3),),
    operator=DANA,
    operator_source="author",
    authors=(DANA,),
)
CASE = case(changed(), head=HEAD, provenance=AI, revisions=(revision(DANA, sha=HEAD),))


def user(login: str, kind: str = "User") -> dict:
    return {"login": login, "id": 1, "type": kind, "site_admin": False}


def review(login: str, state: str = "APPROVED", *, commit: str | None = HEAD, at: str = "2026-11-20T16:02:00Z") -> dict:
    return {
        "id": 80, "user": user(login), "body": "fine", "state": state, "commit_id": commit, "submitted_at": at,
        "author_association": "MEMBER",
    }  # fmt: skip


def commit(
    author: str | None = "danacodes", email: str = "dana@shop.example", committer: str | None = "web-flow"
) -> dict:
    return {
        "sha": HEAD,
        "commit": {"author": {"name": "Dana", "email": email, "date": "2026-11-20T10:00:00Z"},
                   "committer": {"name": "GitHub", "email": "noreply@github.com"}, "message": "m"},
        "author": user(author) if author else None,
        "committer": user(committer) if committer else None,
    }  # fmt: skip


def answers(*reviews: dict, **more) -> bytes:
    values = {
        "pull_request": {"number": 1204, "user": user("opener"), "head": {"sha": HEAD}, "commits": 1},
        "reviews": list(reviews),
        "commits": [commit()],
        "collaborators": [
            {"login": login, "permissions": {"pull": True, "push": True}, "role_name": "write"}
            for login in ("ravi", "tom", "danacodes", "opener", "ines", "ines-codes", "copilot-review[bot]")
        ],
    }
    return json.dumps(values | more).encode()


def read(data: bytes, given_case=CASE) -> Counted:
    """What counts and what does not, without who is barred."""
    config, given = Config(people=PEOPLE), Submitted(answers=data)
    found = counted(given_case, (), KNOWN, config, submitted=given, policy="p", now=NOW)
    return Counted(approvals=found.approvals, dismissed=found.dismissed)


def test_an_independent_approval_of_this_commit_counts():
    assert read(answers(review("ravi"))) == Counted(
        approvals=(
            Approval(
                person="ravi", at=1_795_190_520, source="github review", commit=HEAD, digest="d",
                binding=Binding.MERGE_TREE,
            ),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given_review", "why"),
    [
        (review("danacodes"), "prompted the agent"),
        (review("DanaCodes"), "prompted the agent"),
        (review("opener"), "opened the pull request"),
        (review("copilot-review[bot]"), "a bot"),
        (review("ravi") | {"user": user("ravi", "Bot")}, "a bot"),
        (review("ravi") | {"user": user("ravi", "Organization")}, "a bot"),
        (review("github-actions"), "a bot"),
        (review("ravi", commit="1c02aa9" + "0" * 33), "approved 1c02aa900000, not a71b0d400000 that was judged"),
        (review("ravi", commit=None), "approved an unknown commit, not a71b0d400000 that was judged"),
        (review("ravi", "CHANGES_REQUESTED"), "requested changes"),
        (review("ravi", "DISMISSED"), "the approval was dismissed"),
        (review("stranger"), "may not push to this repository"),
    ],
)
def test_what_does_not_count_is_listed_with_the_reason(given_review, why):
    assert read(answers(given_review)) == Counted(
        dismissed=(Dismissal(by=given_review["user"]["login"], reason=why, source="github review"),)
    )


def test_a_deleted_account_does_not_count():
    data = answers(review("ravi") | {"user": None})
    assert read(data) == Counted(
        dismissed=(Dismissal(by="a deleted account", reason="the account was deleted", source="github review"),)
    )


@pytest.mark.parametrize(
    ("reviews", "counts"),
    [
        ([("APPROVED", "10"), ("CHANGES_REQUESTED", "11")], False),
        ([("CHANGES_REQUESTED", "10"), ("APPROVED", "11")], True),
        ([("APPROVED", "10"), ("COMMENTED", "11")], True),
        ([("APPROVED", "10"), ("DISMISSED", "11")], False),
        ([("APPROVED", "11"), ("CHANGES_REQUESTED", "10")], True),  # not in the order of time
        ([("COMMENTED", "10")], None),
        ([("PENDING", "10")], None),
        ([("APPROVED", "10"), ("APPROVED", "11")], True),
    ],
)
def test_the_newest_verdict_of_a_person_decides(reviews, counts):
    data = answers(*(review("ravi", state, at=f"2026-11-20T{hour}:00:00Z") for state, hour in reviews))
    found = read(data)
    assert (len(found.approvals), len(found.dismissed)) == {True: (1, 0), False: (0, 1), None: (0, 0)}[counts]


def test_two_accounts_of_one_person_are_one():
    reviews = review("ines", at="2026-11-20T10:00:00Z"), review("ines-codes", "DISMISSED", at="2026-11-20T11:00:00Z")
    assert read(answers(*reviews)) == Counted(
        dismissed=(Dismissal(by="ines-codes", reason="the approval was dismissed", source="github review"),)
    )


def test_committers_co_authors_and_the_one_who_pushed_last_are_no_reviewers():
    commits = [commit(committer="tom"), commit(author=None, committer="ravi")]
    reviews = [review("tom"), review("ravi"), review("ines-codes")]
    with_ines = replace(CASE, provenance=replace(AI, authors=(DANA, INES)))
    data = answers(*reviews, commits=commits, pull_request={"user": user("opener")})
    assert {one.by: one.reason for one in read(data, with_ines).dismissed} == {
        "tom": "committed part of it",
        "ravi": "pushed last",
        "ines-codes": "wrote part of it",
    }


def test_an_author_is_known_by_the_address_that_github_links():
    tom = Person(name="Tom", email="tom@home.example")
    by_tom = replace(CASE, provenance=replace(AI, operator=tom, authors=(tom,)))
    data = answers(review("tom"), commits=[commit("tom", "Tom@home.example")])
    assert read(data, by_tom).dismissed == (Dismissal(by="tom", reason="prompted the agent", source="github review"),)


def test_who_assigned_an_agent_prompted_it():
    pull = {"user": user("Copilot", "Bot"), "assignees": [user("Copilot", "Bot"), user("ravi")], "commits": 1}
    data = answers(review("ravi"), pull_request=pull)
    assert read(data).dismissed == (
        Dismissal(by="ravi", reason="asked the agent for this change", source="github review"),
    )
    by_human = answers(review("ravi"), pull_request=pull | {"user": user("opener")})
    assert [one.person for one in read(by_human).approvals] == ["ravi"]


@pytest.mark.parametrize("kind", [SourceKind.PATCH, SourceKind.STAGED, SourceKind.WORKTREE])
def test_an_approval_needs_a_commit_to_be_bound_to(kind):
    given_case = replace(CASE, change=replace(CASE.change, kind=kind))
    assert read(answers(review("ravi")), given_case).dismissed == (
        Dismissal(by="ravi", reason="what was judged is no commit that an approval could name", source="github review"),
    )


@pytest.mark.parametrize(
    ("login", "association", "counts"),
    [
        ("tom", "MEMBER", True),
        ("tom", "COLLABORATOR", True),
        ("tom", "CONTRIBUTOR", False),
        ("tom", "NONE", False),
        ("ravi", "CONTRIBUTOR", True),
        ("tom", None, True),
    ],
)
def test_without_collaborators_the_association_stands_for_them(login, association, counts):
    data = answers(review(login) | {"author_association": association}, collaborators=None)
    assert bool(read(data).approvals) is counts


@pytest.mark.parametrize(
    ("collaborator", "counts"),
    [
        ({"login": "Tom", "permissions": {"push": True}}, True),
        ({"login": "tom", "permissions": {"push": False}, "role_name": "write"}, False),
        ({"login": "tom", "role_name": "maintain"}, True),
        ({"login": "tom", "role_name": "triage"}, False),
        ({"login": "tom"}, False),
    ],
)
def test_push_permission(collaborator, counts):
    assert bool(read(answers(review("tom"), collaborators=[collaborator])).approvals) is counts


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not GitHub's answers"),
        (b"[]", "not GitHub's answers"),
        (b"{", "not GitHub's answers"),
        (b'{"pull_request": {}, "reviews": []}', "missing required field `commits`"),
        (b'{"pull_request": {}, "commits": []}', "missing required field `reviews`"),
        (b'{"reviews": [], "commits": []}', "missing required field `pull_request`"),
        (answers(review("ravi") | {"state": 3}), "not GitHub's answers"),
        (answers(review("ravi") | {"user": {}}), "missing required field `login`"),
        (answers(review("ravi", at="yesterday")), "'yesterday', which is no time"),
        (answers(review("ravi"), pull_request={"commits": 31}), "hold 1 of 31 commits"),
        (b"\xff\xfe", "not GitHub's answers"),
        (b"[" * 100_000, "not GitHub's answers"),
        (b'{"reviews": ' + b"[" * 100_000, "not GitHub's answers"),
    ],
)
def test_malformed_answers_are_a_usage_error(data, message):
    with pytest.raises(UsageError) as caught:
        read(data)
    assert message in caught.value.message
    assert "REST answers" in caught.value.hint


def test_too_many_bytes_are_refused(monkeypatch):
    monkeypatch.setattr("gatecli.policy.approvals.github.MAX_BYTES", 10)
    with pytest.raises(UsageError, match="more than 10 bytes"):
        read(answers())


STATES = st.sampled_from(["APPROVED", "CHANGES_REQUESTED", "DISMISSED", "COMMENTED", "PENDING"])
LOGINS = st.sampled_from(["ravi", "tom", "danacodes", "opener", "stranger", "x[bot]"])


@given(st.lists(st.tuples(LOGINS, STATES, st.sampled_from([HEAD, "b" * 40]), st.integers(10, 23)), max_size=8))
def test_only_ravi_and_tom_can_ever_count_and_only_for_this_commit(given_reviews):
    found = read(answers(*(
        review(login, state, commit=sha, at=f"2026-11-20T{hour}:00:00Z") for login, state, sha, hour in given_reviews
    )))  # fmt: skip
    people = {one.person for one in found.approvals}
    assert people <= {"ravi", "tom"}
    for login in people:
        assert (login, "APPROVED", HEAD) in {(one[0], one[1], one[2]) for one in given_reviews}
    decisive = {one[0] for one in given_reviews if one[1] not in ("COMMENTED", "PENDING")}
    assert decisive == people | {one.by for one in found.dismissed}
