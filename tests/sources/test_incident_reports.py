from datetime import date

import pytest

from gatecli.errors import EvidenceError, UsageError
from gatecli.model import FunctionId, Incident, IncidentSeverity
from gatecli.sources.incident_reports import from_csv, from_issues

SHA = "1f3a9c2e" * 5
HEAD = "id,caused_by,severity,date"


def test_a_row_is_an_incident():
    text = (
        f"\ufeffID;Caused by;Severity;Date;Lesson;url;functions;Team\r\nINC-1;{SHA[:8]} {SHA};P1;2026-08-14T09:30:00Z;"
    )
    text += '"round\nhalf; to even";https://a.example;a.py::f|b.py::C.g;payments\r\n;;;;;;;\r\n'
    assert from_csv(text.encode(), "x") == (
        Incident(
            id="INC-1",
            day=date(2026, 8, 14),
            severity=IncidentSeverity.SEV1,
            caused_by=(SHA[:8], SHA),
            lesson="round half; to even",
            url="https://a.example",
            functions=(FunctionId(path="a.py", qualname="f"), FunctionId(path="b.py", qualname="C.g")),
        ),
    )


@pytest.mark.parametrize("text", ["", HEAD, HEAD + "\n", HEAD + "\n,,,\n"])
def test_a_file_without_rows_says_nothing(text):
    assert from_csv(text.encode(), "x") == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,cause,severity,date\n1,a,1,2026-01-01\n", "has no column caused_by"),
        (f"{HEAD}\n1,abcdef1,grave,2026-01-01\n2,abcdef1,1,x\n".encode(), "row 2: 'grave' is no severity"),
        (f"{HEAD}\n1,abcdef1,grave,2026-01-01\n2,abcdef1,1,x\n".encode(), "row 3: 'x' is no day"),
        (f"{HEAD}\n,abcdef1,1,2026-01-01\n".encode(), "row 2: no id"),
        (f"{HEAD}\n1,,1,2026-01-01\n".encode(), "row 2: no cause"),
        (f"{HEAD}\n1,a\n".encode(), "row 2"),
        (f"{HEAD},functions\n1,abcdef1,1,2026-01-01,price\n".encode(), "'price' is no function"),
        (f'{HEAD}\n1,"abcdef1'.encode(), "is no CSV"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * 10_000_001, "more than 10,000,000 bytes"),
        ((HEAD + "\n1,abcdef1,1,2026-01-01" * 10_001).encode(), "more than 10,000"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_row(content, said):
    with pytest.raises(UsageError) as caught:
        from_csv(content, "x")
    assert said in caught.value.message


def issue(number: int = 7, body: str | None = f"Caused by: {SHA}", **more):
    return {
        "number": number,
        "title": "Checkout was down",
        "body": body,
        "created_at": "2026-08-14T09:30:00Z",
        "html_url": f"https://github.com/acme/shop/issues/{number}",
        "labels": [{"name": "incident"}],
        **more,
    }


def told(*issues, merged=None):
    return list(from_issues(list(issues), merged_as=(merged or {}).get, severity=IncidentSeverity.SEV3))


def test_an_issue_names_its_cause_and_its_title_is_what_to_remember():
    ((incident, problem),) = told(issue())
    assert incident == Incident(
        id="#7",
        day=date(2026, 8, 14),
        severity=IncidentSeverity.SEV3,
        caused_by=(SHA,),
        lesson="Checkout was down",
        url="https://github.com/acme/shop/issues/7",
    )
    assert problem == ""


@pytest.mark.parametrize(
    "line",
    [
        f"Caused by {SHA}",
        f"- **Caused by:** {SHA}",
        f"> introduced in {SHA}.",
        f"## Root cause: commit {SHA}, see the review",
        f"Regression from https://github.com/acme/shop/commit/{SHA}",
        "Caused by: #1204",
        "caused by https://github.com/acme/shop/pull/1204",
    ],
)
def test_causes_are_named_in_many_ways(line):
    ((incident, _),) = told(issue(body=f"It broke.\r\n{line}\r\nBye"), merged={1204: SHA})
    assert incident.caused_by == (SHA,)


def test_the_text_says_severity_and_lesson_and_labels_do():
    ((first, _), (second, _)) = told(
        issue(body=f"Severity: SEV-1\nCaused by: {SHA}\n**Lesson learned:** round half to even"),
        issue(labels=[{"name": "incident"}, {"name": "severity: high"}]),
    )
    assert (first.severity, first.lesson) == (IncidentSeverity.SEV1, "round half to even")
    assert second.severity is IncidentSeverity.SEV2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "#7 names no cause"),
        ("because of the weather", "#7 names no cause"),
        ("Caused by: the weather", "#7 names no cause"),
        ("Caused by: #1", "#7: pull request #1 was not merged"),
        ("Caused by: " * 100_000, "#7 names no cause"),
        ("\n" * 60_000 + " " * 5_000, "#7 names no cause"),
    ],
)
def test_an_issue_without_a_cause_says_so(body, said):
    ((incident, problem),) = told(issue(body=body))
    assert incident is None
    assert problem.startswith(said)


def test_pull_requests_are_no_incidents_and_other_answers_are_refused():
    assert told(issue(pull_request={"url": "x"})) == []
    with pytest.raises(EvidenceError):
        told({"number": "seven"})
