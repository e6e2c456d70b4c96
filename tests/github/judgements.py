"""Judgements of pull request 1204, and how its GitHub looks once they are published."""

from dataclasses import replace

from gatecli.model import Candidate, Report, RequirementStatus
from gatecli.reports import json, markdown
from gatecli.reports.judgement import Judgement, failure, judgement, read_document
from gatecli.reports.publishing import Commenting, Place, Wanted
from tests.github.fake import (
    HEAD_SHA,
    FakeGitHub,
)
from tests.reports import sample

LINK = "https://github.com/acme/shop/actions/runs/77"
PLACE = Place(number=1204, base="main", commit=HEAD_SHA, link=LINK)
EVERYTHING = Wanted(comment=Commenting.AUTO, status=True, reviewers=True, label=True)
COMMENT = Wanted(status=False)
STATUS = Wanted(comment=Commenting.NEVER)
REVIEWERS = Wanted(comment=Commenting.NEVER, status=False, reviewers=True)
LABEL = Wanted(comment=Commenting.NEVER, status=False, label=True)


def judged(report: Report) -> Judgement:
    return judgement(read_document(json.to_json(report)), markdown.render(report))


PASS, REVIEW, BLOCK, SIGNED = map(judged, (sample.passing(), sample.review(), sample.block(), sample.signed()))
ERROR = failure(HEAD_SHA)


def state(fake: FakeGitHub) -> list[tuple[str, str, str]]:
    return [(one["state"], one["context"], one["description"]) for one in reversed(fake.statuses)]


def needing(*people: str, count: int = 1, satisfied: tuple[str, ...] = ()) -> Judgement:
    report = sample.review()
    asked = replace(
        report.signoff.requirements[0],
        count=count,
        satisfied_by=satisfied,
        status=RequirementStatus.UNSATISFIED,
        who=tuple(Candidate(person=person, evidence="") for person in people),
    )
    return judged(replace(report, signoff=replace(report.signoff, requirements=(asked,), candidates=())))


def requested(fake: FakeGitHub) -> list[str]:
    pull = fake.pulls[1204]
    return [one["login"] for one in pull["requested_reviewers"]] + [one["slug"] for one in pull["requested_teams"]]
