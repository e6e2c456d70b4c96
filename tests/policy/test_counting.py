"""What must hold of the count, whatever was said."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatecli.config import People
from gatecli.model import ApprovalSource, Counted, Severity, SignerKind
from gatecli.policy.approvals import barred
from gatecli.policy.approvals.claims import Claim, Word
from gatecli.policy.approvals.counting import count
from gatecli.policy.owners import read_owners
from gatecli.provenance.identity import directory
from gatecli.sources.standing import Content, Standing
from tests.policy.test_approvals import AI, HEAD
from tests.scoring.cases import DANA, case, changed, file, finding, revision

NOW = 1_800_000_000
FILES = {"shop/pricing.py": "p1", "shop/tax.py": "t1"}
PEOPLE = People(seniors=("ravi",), aliases={"ravi": ("ravi@shop.example",)}, agents={"review@bots.example": "gpt"})
KNOWN = directory(PEOPLE)
OWNERS = read_owners({"CODEOWNERS": b"* @ravi\n/shop/tax.py @tom\n"}.get)
BASE = case(
    changed(), head=HEAD, provenance=AI, revisions=(revision(DANA, sha=HEAD),), files=(file(), file("shop/tax.py"))
)
CASE = replace(BASE, change=replace(BASE.change, digest="d", file_digests=FILES))
FINDINGS = [
    replace(finding("a", severity=Severity.REVIEW, code="A01"), fingerprint="aa"),
    replace(finding("b", severity=Severity.BLOCK, code="B01"), fingerprint="bb"),
    replace(finding("n", severity=Severity.NOTE, code="N01"), fingerprint="nn"),
]
CONTENTS = st.sampled_from([
    None, Content(digest="d", files=FILES), Content(digest="e", files={**FILES, "shop/tax.py": "t0"}),
    Content(digest="f", files={}), Content(digest="g", files={"shop/pricing.py": "p0", "shop/tax.py": "t0"}),
])  # fmt: skip
CLAIMS = st.lists(
    st.builds(
        Claim,
        by=st.sampled_from(
            ["ravi", "ravi@shop.example", "tom", "dana@shop.example", "review@bots.example", "r\u0430vi"]
        ),
        word=st.sampled_from(list(Word)),
        source=st.sampled_from(list(ApprovalSource)),
        at=st.none() | st.sampled_from([1, 2, 3, NOW + 10_000]),
        kind=st.sampled_from(list(SignerKind)),
        commit=st.sampled_from([HEAD, "b" * 40, None]),
        content=CONTENTS,
        merge_tree=st.sampled_from([None, "tree"]),
        acknowledged=st.none() | st.frozensets(st.sampled_from(["aa", "bb"])),
        key=st.sampled_from([None, "k1", "k2"]),
        problem=st.none() | st.just("no"),
        genuine=st.booleans(),
    ),
    max_size=7,
)
STANDING = Standing(merge_tree=lambda: "tree")


def counted(claims, findings=()) -> Counted:
    return count(claims, CASE, findings, KNOWN, PEOPLE, barred(CASE, KNOWN), STANDING, now=NOW, owners=OWNERS)


def people(found: Counted) -> set[str]:
    return {KNOWN.key_of(one.person) for one in found.approvals}


@given(CLAIMS)
def test_one_approval_a_person_and_nobody_who_is_barred(claims):
    found = counted(claims)
    assert len(people(found)) == len(found.approvals)
    assert not people(found) & set(found.barred)
    assert all(one.person.isascii() for one in found.approvals)
    yes = {KNOWN.key_of(one.by) for one in claims if one.word is Word.YES and one.genuine and one.problem is None}
    assert people(found) <= yes


@given(CLAIMS, st.data())
def test_removing_an_approval_never_helps(claims, data):
    yes = [number for number, one in enumerate(claims) if one.word is Word.YES]
    if yes:
        gone = data.draw(st.sampled_from(yes))
        fewer = [one for number, one in enumerate(claims) if number != gone]
        # A key is its first holder's: without that claim the same person is known by the other name.
        assert len(counted(fewer).approvals) <= len(counted(claims).approvals)


@given(CLAIMS, st.lists(st.sampled_from(FINDINGS), max_size=3), st.sampled_from(FINDINGS))
def test_adding_a_finding_never_helps(claims, findings, more):
    assert people(counted(claims, [*findings, more])) <= people(counted(claims, findings))


@given(CLAIMS)
def test_adding_an_objection_never_helps(claims):
    objection = Claim(by="ravi", word=Word.NO, source=ApprovalSource.SSH, at=None)
    assert people(counted([*claims, objection])) <= people(counted(claims)) - {"ravi"}


@given(CLAIMS)
def test_whoever_said_something_is_counted_or_told_why_not(claims):
    found = counted(claims)
    listed = people(found) | {KNOWN.key_of(one.by) for one in found.dismissed}
    genuine = [one for one in claims if one.genuine]
    for one in claims:
        same = {KNOWN.key_of(one.by)}
        for _ in genuine:  # whoever shares a key, or a name with one who does
            keys = {other.key for other in genuine if other.key and KNOWN.key_of(other.by) in same}
            same |= {KNOWN.key_of(other.by) for other in genuine if other.key in keys}
        assert listed & same
