"""The file of incidents: how it is read, and how one is put in without touching what somebody wrote there."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.config.incident_edit import with_incidents
from gatecli.config.incidents import INCIDENTS_PATH, decode_incidents, read_incidents, severity_of
from gatecli.errors import UsageError
from gatecli.model import AgentName, FunctionId, Incident, IncidentSeverity, ProvenanceClass

CAUSE = "1f3a9c2e" * 5
PRICE = FunctionId(path="shop/pricing.py", qualname="price_order")


def incident(id: str = "INC-42", **more) -> Incident:
    facts = {"day": date(2026, 8, 14), "severity": IncidentSeverity.SEV2, "caused_by": (CAUSE,), "functions": (PRICE,)}
    return Incident(id=id, **facts | more)


WHOLE = incident(
    lesson="round: 'half' \"even\" # per order\nnot by line",
    url="https://wiki.shop.example/inc-42",
    provenance=ProvenanceClass.AI,
    agents=(AgentName(tool="claude", model="Claude Opus 4.7"), AgentName(tool="cursor")),
    functions=(PRICE, FunctionId(path="a b/é::x.py", qualname="Store.discount#2")),
    fixed_by=("71e0aa41" * 5, "0000008"),
    handled_by=("ravi@shop.example", "Mei: on call"),
)


def test_without_the_file_nothing_is_remembered():
    assert read_incidents(lambda _: None) == ()
    assert read_incidents({INCIDENTS_PATH: b"# nothing yet\n"}.get) == ()
    assert read_incidents({INCIDENTS_PATH: b"incidents:\n"}.get) == ()


def test_all_that_is_known_of_an_incident_is_written_and_read():
    content = with_incidents(None, [WHOLE])
    assert content.startswith(b"# What went wrong")
    assert decode_incidents(content, "x") == (WHOLE,)


@pytest.mark.parametrize("text", ["0000008", "12e34567", "1234567"])
def test_what_looks_like_a_number_is_written_as_text(text):
    content = with_incidents(None, [incident(caused_by=(text,))])
    assert decode_incidents(content, "x")[0].caused_by == (text,)


def test_the_shortest_entry_says_id_day_severity_and_cause():
    text = b"incidents:\n- {id: 'A', date: 2026-08-14, severity: sev1, caused_by: [abcdef1]}\n"
    expected = Incident(id="A", day=date(2026, 8, 14), severity=IncidentSeverity.SEV1, caused_by=("abcdef1",))
    assert decode_incidents(text, "x") == (expected,)


FLOW = "{id: A, date: 2026-01-02, severity: sev1, caused_by: [abcdef1]}"
BLOCK = "- id: A  # first\n  date: 2026-01-02\n  severity: sev1\n  caused_by: [abcdef1]\n"
LAYOUTS = {
    "nothing": "",
    "comment": "# ours\n",
    "no newline": "# ours",
    "key": "incidents:\n# later\n",
    "key alone": "incidents:",
    "empty list": "incidents: []  # none yet\n",
    "flow": f"incidents: [{FLOW}]  # one line\n",
    "flow with comma": f"incidents: [ {FLOW}, ]\n",
    "flow over lines": "incidents: [\n  {id: A, date: 2026-01-02,\n   severity: sev1, caused_by: [abcdef1]}  # é\n]\n",
    "block": f"---\n# é head\nincidents:\n{BLOCK}",
    "deep": "incidents:\n      -   id: A\n          date: 2026-01-02\n          severity: sev1\n          caused_by:\n"
    "            - abcdef1  # why\n          # about A\n\n# tail\n",
    "literal": f"incidents:\n{BLOCK}  lesson: |\n    é\n\n    b\n\n# tail",
    "carriage returns": f"incidents:\r\n  - {FLOW}  # a\r\n...\r\n",
    "byte order mark": f"\ufeffincidents:\n- {FLOW}\n",
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_an_incident_is_put_in_and_every_comment_stays(text):
    before = decode_incidents(text.encode(), "x")
    content = with_incidents(text.encode(), [WHOLE, incident("#7")])
    assert decode_incidents(content, "x") == (*before, WHOLE, incident("#7"))
    left = [line for line in text.splitlines() if "#" in line]
    lines = content.decode().splitlines()
    assert [line for line in left if not any(line.split("#")[-1] in other for other in lines)] == []
    assert b"\r\n" not in content or b"\n" not in content.replace(b"\r\n", b"")


texts = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=60).filter(str.strip)
names = st.text("abcXYZ_./ é", min_size=1, max_size=12)
incidents = st.builds(
    Incident,
    id=st.from_regex(r"[A-Za-z0-9#][A-Za-z0-9._#/:-]{0,12}", fullmatch=True),
    day=st.dates(),
    severity=st.sampled_from(IncidentSeverity),
    caused_by=st.lists(st.from_regex(r"[0-9a-f]{7,40}", fullmatch=True), min_size=1, max_size=3).map(tuple),
    lesson=st.lists(texts, max_size=3).map("\n".join),
    functions=st.lists(st.builds(FunctionId, path=names, qualname=names), max_size=4).map(tuple),
    provenance=st.none() | st.sampled_from(ProvenanceClass),
    agents=st.lists(st.builds(AgentName, tool=texts, model=st.none() | texts), max_size=2).map(tuple),
    fixed_by=st.lists(st.from_regex(r"[0-9a-f]{7,40}", fullmatch=True), max_size=2).map(tuple),
    handled_by=st.lists(texts, max_size=2).map(tuple),
)


@given(found=st.lists(incidents, max_size=4, unique_by=lambda one: one.id), layout=st.sampled_from(sorted(LAYOUTS)))
def test_whatever_is_written_is_read_again_and_nothing_else_changes(found, layout):
    text = LAYOUTS[layout]
    before = decode_incidents(text.encode(), "x")
    added = [one for one in found if one.id != "A"]
    content = text.encode()
    for one in added:
        content = with_incidents(content, [one])
    assert decode_incidents(content, "x") == (*before, *added)
    if "flow" not in layout and before:  # the old text is there, but for what stands in it now
        kept = iter(content.decode().splitlines())
        assert all(line in kept for line in text.splitlines())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("incidents: [{id: A}]", "incidents.0 has no date"),
        ("incidents: [{id: A, date: tomorrow, severity: sev1, caused_by: [abcdef1]}]", "incidents.0.date"),
        ("incidents: [{id: A, date: 2026-02-30, severity: sev1, caused_by: [abcdef1]}]", "incidents.0.date"),
        ("incidents: [{id: A, date: 2026-01-02, severity: sev9, caused_by: [abcdef1]}]", "did you mean 'sev"),
        ("incidents: [{id: A, date: 2026-01-02, severity: sev1, caused_by: [HEAD]}]", "caused_by.0"),
        ("incidents: [{id: A, date: 2026-01-02, severity: sev1, caused_by: []}]", "names no cause and no function"),
        ("incidents: [{id: 'a\x1b[31m', date: 2026-01-02, severity: sev1, caused_by: [abcdef1]}]", ":1:"),
        ("incidents: [{id: A, date: 2026-01-02, severity: sev1, caused_by: [abcdef1], lesion: x}]", "'lesson'"),
        ("incidents: [{id: A, date: 2026-01-02, severity: sev1, caused_by: [abcdef1], functions: [f]}]", "functions.0"),
        ("incidents: [{id: A, date: 2026-01-02, severity: sev1, caused_by: [abcdef1], url: 'javascript:a'}]", "url"),
        (
            "incidents: [{id: A, date: 2026-01-02, severity: sev1, caused_by: [abcdef1], fixed_by: [HEAD]}]",
            "fixed_by.0",
        ),
        ("incidents: [{id: A, date: 2026-01-02, severity: sev1, caused_by: [abcdef1], handled_by: ravi}]", "a list"),
        (
            "incidents: [{id: A, date: 2026-01-02, severity: sev1, caused_by: [abcdef1], handled_by: ['']}]",
            "handled_by.0",
        ),
        ("incidents: {A: 1}", "expected a list"),
        ("- A", "expected keys and values"),
        ("incidents: &a [*a]", "aliases are not read"),
        ("incidents: [", "not valid YAML"),
        ("incidents: " + "[" * 100, "more than 32 levels"),
    ],
)
def test_what_cannot_be_remembered_is_named(text, said):
    with pytest.raises(UsageError) as caught:
        decode_incidents(text.encode(), "x")
    assert said in caught.value.message


def test_two_incidents_of_one_name_are_refused_with_both_lines():
    item = "- {id: A, date: 2026-01-02, severity: sev1, caused_by: [abcdef1]}\n"
    with pytest.raises(UsageError, match=r"x:3: incident A is there already, at line 2"):
        decode_incidents(f"incidents:\n{item}{item}".encode(), "x")
    with pytest.raises(UsageError, match="already"):
        with_incidents(f"incidents:\n{item}".encode(), [incident("A")])
    with pytest.raises(UsageError, match="already"):
        with_incidents(None, [incident("B"), incident("B")])


def test_a_file_that_would_grow_too_large_is_left_as_it_is():
    with pytest.raises(UsageError, match="more than 1,000,000 bytes"):
        with_incidents(None, [incident(f"I{number}", lesson="x" * 2_000) for number in range(600)])


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        *[(text, "sev1") for text in ("sev1", "SEV-1", "Sev 1", "P0", "1", "critical", "severity:1", "prio1")],
        *[(text, "sev2") for text in ("SEV2", "p2", "High", "major")],
        *[(text, "sev4") for text in ("sev5", "low", "4")],
        *[(text, None) for text in ("", "sev6", "urgent", "sev12", "x1")],
    ],
)
def test_teams_call_severities_by_many_names(text, severity):
    assert severity_of(text) == severity
