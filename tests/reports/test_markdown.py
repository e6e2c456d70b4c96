import re
from dataclasses import replace
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from markdown_it import MarkdownIt

from gatecli.model import Report
from gatecli.reports import markdown
from tests.reports import goldens, sample
from tests.reports.payloads import PAYLOADS
from tests.reports.test_text import COMMAND, INVISIBLE, hostile

OUR_TAGS = ("<!-- gate-report -->", "<details>", "</details>", "<summary>", "</summary>", "<br>", "<sub>", "</sub>")


def inert(comment: str) -> None:
    """Fail where the comment holds anything that GitHub would act on and that gate did not mean."""
    assert not INVISIBLE.search(comment.replace("\n", ""))
    assert not COMMAND.search(comment)
    html = []
    code = 0  # inside <code>, where GitHub's filters for mentions, references and emoji do not look
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(comment):
        assert token.type not in {"heading_open", "blockquote_open", "hr", "code_block"}, token
        if token.type == "fence":
            assert token.info == "mermaid"
        html += [token.content] if token.type == "html_block" else []
        for child in token.children or ():
            assert child.type not in {"link_open", "image", "em_open", "s_open"}, child
            html += [child.content] if child.type == "html_inline" else []
            code += {"<code>": 1, "</code>": -1}.get(child.content, 0) if child.type == "html_inline" else 0
            if child.type == "text" and not code:
                assert not re.search(r"@\w|#\d|GH-\d|://|www\.|:[+-]?[a-z0-9][\w+-]*:", child.content, re.IGNORECASE), (
                    child
                )
    assert code == 0
    left = re.sub("|".join(map(re.escape, OUR_TAGS)), "", "".join(html))
    left = re.sub(r"</?code>", "", left)
    assert not re.search(r"<[a-zA-Z!/?]", left), left
    assert "".join(html).count("<details>") == "".join(html).count("</details>")


@pytest.mark.parametrize("name", sample.SAMPLES)
def test_golden(name: str) -> None:
    comment = markdown.render(sample.SAMPLES[name]())
    inert(comment)
    goldens.check(f"{name}.md", comment.encode())


def test_the_verdict_and_who_is_needed_come_first() -> None:
    marker, first, *_ = markdown.render(sample.review()).split("\n")
    assert marker == "<!-- gate-report -->"
    assert first == (
        "**gate: review** · 4 of 11 functions matter, risk 41, top 4 % of changes here. "
        "Needs **senior who knows `price_order`** (ravi or mei)."
    )


def test_at_most_five_reasons() -> None:
    report = sample.review()
    many = replace(report, verdict=replace(report.verdict, reasons=report.verdict.reasons * 4))
    assert len(re.findall(r"^\d+\. ", markdown.render(many), re.MULTILINE)) == 5


def test_block_starts_with_what_has_to_change() -> None:
    lines = markdown.render(sample.block()).split("\n")
    assert lines[5] == "**What has to change**"
    assert lines[7].startswith("1. **drop the column one release later, when no deployed code reads it**<br>")


def test_exactly_one_picture_where_there_is_something_to_draw() -> None:
    assert markdown.render(sample.review()).count("```mermaid") == 1
    assert markdown.render(sample.large()).count("```mermaid") == 1
    assert markdown.render(sample.empty()).count("```mermaid") == 0


def test_a_cut_picture_says_so() -> None:
    assert "**Cut:** 25 of 241 boxes are shown." in markdown.render(sample.large())


def test_places_are_links_where_the_source_is_known() -> None:
    comment = markdown.render(sample.review(), source_url="https://github.com/acme/shop/blob/a71b0d4/")
    link = "[`shop/pricing.py:41`](https://github.com/acme/shop/blob/a71b0d4/shop/pricing.py#L41)"
    assert f"in a loop · {link}<br>" in comment


def test_odd_paths_are_never_links() -> None:
    comment = markdown.render(
        sample.hostile("a) [x](https://evil.example"), source_url="https://github.com/a/b/blob/c/"
    )
    assert "](https://github.com/a/b/blob/c/a" not in comment
    inert(comment)


def test_names_and_quoted_code_are_set_in_code() -> None:
    comment = markdown.render(sample.review())
    assert "incident INC-42 (2026-08-14) came from `price_order`\n" in comment
    assert ": `except Exception` now hides failures of `load_settings`<br>" in comment


def test_figures_do_not_break_in_their_cells() -> None:
    assert "| 61,400 | 38&nbsp;% | 12&nbsp;ms | 5 | **26** |" in markdown.render(sample.review())


def huge() -> Report:
    """Long enough that everything is over GitHub's limit by far."""
    report = sample.large()
    long = tuple(
        replace(finding, message="*" * 5_000 + str(index), remedy="_" * 5_000)
        for index, finding in enumerate(report.findings)
    )
    reasons = tuple(replace(reason, text="|" * 5_000) for reason in report.verdict.reasons)
    return replace(report, findings=long, verdict=replace(report.verdict, reasons=reasons))


def test_too_long_a_report_is_cut_between_sections_and_says_so() -> None:
    comment = markdown.render(huge())
    assert len(comment) <= markdown.MAX_LENGTH < 65_536
    assert "**Left out**, as GitHub limits a comment: the findings" in comment
    assert comment.endswith("</sub>\n")
    inert(comment)


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_is_inert(name: str) -> None:
    comment = markdown.render(sample.hostile(PAYLOADS[name]))
    inert(comment)
    assert len(comment) <= markdown.MAX_LENGTH


@given(payload=hostile)
def test_any_text_is_inert(payload: str) -> None:
    inert(markdown.render(sample.hostile(payload)))


def test_nothing_depends_on_the_run() -> None:
    report = sample.review()
    assert markdown.render(report) == markdown.render(replace(report, generated_at=1, timings_ms={}))


# --------------------------------------------------------------------------- GitHub's own renderer

WRITTEN = {"p", "strong", "code", "pre", "ol", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
WRITTEN |= {"details", "summary", "br", "sub"}
"""Elements that the comment is made of, once it is rendered."""


class Rendered(HTMLParser):
    """A comment as GitHub renders it: fails on an element or attribute that gate did not mean."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in WRITTEN, tag
        assert {name for name, _ in attrs} <= {"align", "lang"}, (tag, attrs)
        self.seen.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        assert data.strip() == "gate-report"


def rendered(comment: str) -> Rendered:
    """By cmark-gfm, which is what GitHub renders comments with, before it takes out what may not stand there."""
    html = cmarkgfm.github_flavored_markdown_to_html(comment, Options.CMARK_OPT_UNSAFE)
    return Rendered(html)


@pytest.mark.parametrize("name", sample.SAMPLES)
def test_github_s_renderer_makes_of_it_what_was_meant(name: str) -> None:
    report = sample.SAMPLES[name]()
    comment = markdown.render(report)
    page = rendered(comment)
    assert page.seen.count("details") == comment.count("<details>")
    assert page.seen.count("table") == len(re.findall(r"^\| ?:?-", comment, re.M))
    assert page.seen.count("pre") == comment.count("```mermaid")


@pytest.mark.parametrize("name", PAYLOADS)
def test_github_s_renderer_makes_nothing_of_hostile_text(name: str) -> None:
    comment = markdown.render(sample.hostile(PAYLOADS[name]))
    assert rendered(comment).seen.count("details") == comment.count("<details>")
