import json

import pytest

from gatecli.errors import UsageError
from gatecli.reports import FORMATS, render
from tests.reports import sample


def test_every_format_renders() -> None:
    report = sample.review()
    written = {format: render(format, report) for format in FORMATS}
    assert written["terminal"].startswith(" REVIEW  4 of 11 functions matter")
    assert written["markdown"].startswith("<!-- gate-report -->\n**gate: review**")
    assert json.loads(written["json"])["verdict"]["outcome"] == "review"
    assert written["html"].startswith("<!doctype html>\n")
    assert json.loads(written["sarif"])["version"] == "2.1.0"
    assert written["github"].startswith("::warning title=gate%3A review::4 of 11 functions matter")
    assert written["junit"].startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="gate"')
    assert json.loads(written["gitlab"])[0]["severity"] == "major"
    assert written["svg"].startswith("<svg ")


@pytest.mark.parametrize("format", ["", "yaml", "JSON", "\x1b[31m"])
def test_an_unknown_format_names_those_that_exist(format: str) -> None:
    with pytest.raises(UsageError) as raised:
        render(format, sample.empty())
    assert raised.value.hint == "formats: terminal, json, markdown, html, sarif, github, junit, gitlab, svg"
    assert "\x1b" not in raised.value.message
