import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given

from gatecli.model import Blast, CallTree, Measure, Mode, Report, Score, SignOff, SignOffStatus
from gatecli.reports import html
from gatecli.reports.html import elements
from gatecli.reports.html.context import MAX_DETAILED
from gatecli.reports.html.functions import MAX_LINES
from tests.reports import goldens, sample
from tests.reports.payloads import PAYLOADS
from tests.reports.test_text import COMMAND, INVISIBLE, hostile

TAGS = re.compile(
    "html|head|meta|title|link|style|body|a|nav|ul|ol|li|main|header|p|span|h1|h2|h3|dl|dt|dd|small|div|section|strong"
    "|b|i|code|pre|details|summary|table|thead|tbody|tr|th|td|svg|g|path|rect|text|mark|footer|script|wbr"
)
VOID = {"meta", "link", "wbr"}
ATTRIBUTES = re.compile(
    "class|id|href|lang|name|content|charset|http-equiv|rel|role|tabindex|scope|title|colspan|open|style|viewbox|width"
    "|height|x|y|rx|d|stroke-width|aria-(label|labelledby|hidden|live)|data-(said|value|node|from|to)"
)
STYLE = re.compile(r"--w:[\d.e-]+%|--x:[\d.e-]+%;--w:[\d.e-]+%|--natural:\d+px")


class Page(HTMLParser):
    """What a browser makes of a page: fails on an element, attribute or address that gate does not write."""

    def __init__(self, source: str, addresses: tuple[str, ...] = ()) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.shown: list[str] = []
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self.addresses = addresses
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert TAGS.fullmatch(tag), tag
        if tag not in VOID:
            self.open.append(tag)
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), tag
        for name, value in attrs:
            assert ATTRIBUTES.fullmatch(name), (tag, name)
            if name == "id":
                self.ids.append(str(value))
            elif name == "style":
                assert STYLE.fullmatch(str(value)), value
            elif name == "href":
                self.links.append(str(value))
                allowed = re.fullmatch(r"#[a-z0-9-]+|data:,", str(value)) or str(value).startswith(
                    self.addresses or "\0"
                )
                assert allowed, value
            elif value:
                assert not INVISIBLE.search(value), (tag, name)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.shown.append(data)


def read(report: Report, source_url: str | None = None) -> Page:
    """The page of a report, checked."""
    source = html.render(report, source_url=source_url)
    page = Page(source, (source_url,) if source_url else ())
    assert "".join(page.raw["script"]) == html._asset("script.js")
    assert "".join(page.raw["style"]) == html._asset("style.css")
    assert len(page.ids) == len(set(page.ids)), "an id twice"
    for target in page.links:
        assert not target.startswith("#") or target[1:] in page.ids, f"{target} leads nowhere"
    body = source.replace(html._asset("script.js"), "").replace(html._asset("style.css"), "")
    assert not INVISIBLE.search(body.replace("\n", ""))
    assert not COMMAND.search(source)
    return page


def text(report: Report) -> str:
    """What the page says after its navigation."""
    return " ".join(" ".join(read(report).shown).partition("Record")[2].split())


# --------------------------------------------------------------------------- the page


@pytest.mark.parametrize("name", ["block", "review", "unprofiled", "pass", "empty"])
def test_golden(name: str) -> None:
    report = sample.SAMPLES[name]()
    read(report)
    source = html.render(report).replace(html._asset("style.css"), "").replace(html._asset("script.js"), "")
    source = re.sub(r"sha256-[\w+/=]+", "sha256-SCRIPT", source)
    parted = re.sub(r"(</(?:section|li|tr|p|div|ul|dl|details|g|header|nav)>)", r"\1\n", source)
    goldens.check(f"{name}.html", parted.encode())


@pytest.mark.parametrize("name", sample.SAMPLES)
def test_nothing_comes_from_elsewhere(name: str) -> None:
    source = html.render(sample.SAMPLES[name]())
    assert not re.search(r"""(?:src|srcset|poster|action)=|url\(|@import|https?://""", source)


def test_only_the_page_s_own_script_may_run() -> None:
    source = html.render(sample.review())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', source)
    assert policy is not None
    assert "default-src &#x27;none&#x27;" in policy[1]
    # printf '%s' "$(cat script.js)" | openssl dgst -sha256 -binary | base64, as browsers compute it
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.sha256(html._asset("script.js").encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{digest}&#x27;" in policy[1]


def test_the_script_never_writes_markup() -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|fetch|http", html._asset("script.js")
    )


def test_the_verdict_stands_alone() -> None:
    title = "gate: review · 4 of 11 functions matter, risk 41, top 4 % of changes here"
    assert f"<title>{title}</title>" in html.render(sample.review())
    assert text(sample.review()).startswith("review review: 4 of 11 functions matter risk 41, top 4 % of changes here")


def test_sections_without_content_are_left_out_also_of_the_navigation() -> None:
    assert [id for id in read(sample.empty()).ids if not id.endswith("-title")] == ["main", "record"]
    assert {"why", "merge", "production", "blast", "functions", "score", "findings", "history", "record"} <= set(
        read(sample.review()).ids
    )


def test_block_starts_with_what_would_have_to_change() -> None:
    said = text(sample.block())
    assert said.index("What has to change") < said.index("drop the column one release later") < said.index("To merge")


def test_incomplete_evidence_is_at_the_top() -> None:
    report = sample.incomplete()
    said = text(report)
    assert said.index("no profile, although the policy names one") < said.index("Why")
    assert 'class="verdict incomplete"' in html.render(report)


def test_advice_says_that_it_stops_nothing() -> None:
    assert "advice only: nothing is stopped" in text(replace(sample.review(), mode=Mode.ADVISE))
    assert "advice only" not in text(sample.review())


def test_a_missing_profile_is_not_zero() -> None:
    said = text(sample.unprofiled())
    assert "Traffic reached unknown not profiled" in said
    assert "exposure is unknown, which is not zero" in said


def test_people_are_named_once() -> None:
    report = sample.review()
    senior = report.signoff.requirements[0]
    asked = (senior, replace(senior, name="another"))
    tree = tuple(map(sample.as_branch, asked))
    twice = replace(report, signoff=replace(report.signoff, requirements=asked, tree=tree))
    said = text(twice)
    assert said.count("ravi can sign") == 1
    assert "any of the people above; one person can sign for all" in said


def test_places_are_links_where_the_source_is_known() -> None:
    page = read(sample.review(), "https://example.org/blob/a71b0d4/")
    assert "https://example.org/blob/a71b0d4/shop/pricing.py#L41" in page.links


def test_only_time_depends_on_the_run() -> None:
    report = sample.review()
    assert html.render(report) == html.render(sample.review())
    later = html.render(replace(report, timings_ms={"total": 999.0}))
    assert later.replace("999 ms", "410 ms") == html.render(report)


# --------------------------------------------------------------------------- the charts


def widths(report: Report) -> dict[str, str]:
    """The first place of each function in the icicle and how wide it is there."""
    found: dict[str, str] = {}
    for width, label in re.findall(
        r'<li[^>]* style="--w:([\d.]+%)"><(?:a|span)[^>]*><b>([^<]+)</b>', html.render(report)
    ):
        found.setdefault(label, width)
    return found


def test_the_icicle_is_as_wide_as_the_shares() -> None:
    found = widths(sample.review())
    assert found["POST /orders"] == "62%"  # 0.31 of 0.5
    assert found["orders.create_order"] == "100%"
    assert found["checkout.Checkout.__call__"] == "90.32%"  # 0.28 of 0.31
    assert found["pricing.price_order"] == "67.86%"  # 0.19 of 0.28


def test_touched_functions_are_lit_and_lead_to_their_diff() -> None:
    source = html.render(sample.review())
    assert source.count('<li class="lit"') == 6  # price_order twice, Checkout, charge, _round_half_even, Cart.total
    assert re.search(r'<li class="lit"[^>]*><a class="bar" href="#f1"[^>]*><b>pricing.price_order</b>', source)
    assert re.search(r'<li style="[^"]*"><span class="bar"[^>]*><b>orders.create_order</b>', source)


def test_an_icicle_of_calls_says_so() -> None:
    tree = replace(sample.production(), measure=Measure.CALLS, truncated=False)
    said = text(replace(sample.review(), production=tree))
    assert "by number of calls" in said
    assert "What is small and leads to no touched function is left out." not in said


def test_an_icicle_of_nothing_is_drawn_all_the_same() -> None:
    tree = CallTree(measure=Measure.TIME, frames=(sample.frame("GET /", 0.0),))
    assert widths(replace(sample.review(), production=tree)) == {"GET /": "0%"}


def test_the_graph_has_every_line_also_in_words() -> None:
    source = html.render(sample.review())
    lines = re.findall(r'<path d="[^"]+" class="(sure|maybe)"', source)
    table = re.search(r'aria-label="The blast radius as a table">(.*?)</table>', source)
    assert table is not None
    assert table[1].count("<tr>") == len(lines) + 1
    assert table[1].count("known call") == lines.count("sure")


def test_nothing_to_draw_is_no_graph() -> None:
    report = sample.passing()
    alone = replace(report, case=replace(report.case, usage={}, blast={sample.CART: Blast()}))
    assert "<svg" not in html.render(alone)


def test_the_waterfall_ends_at_the_total() -> None:
    rows = re.findall(
        r'<tr class="([a-z ]+)"><th scope="row">.*?<td class="number">([^<]+)</td>.*?--x:([\d.]+)%;--w:([\d.]+)%',
        html.render(sample.review()),
    )
    at = 0.0
    for kind, points, left, width in rows:
        if kind == "sum":
            continue
        assert float(left) == pytest.approx(at / 41 * 100, abs=0.01)
        at += int(points)
        assert float(width) == pytest.approx(int(points) / 41 * 100, abs=0.01)
    assert at == 41
    assert [(points, left, width) for kind, points, left, width in rows if kind == "sum"] == [
        ("23", "0", "56.1"),
        ("18", "56.1", "43.9"),
        ("41", "0", "100"),
    ]


def test_points_that_lower_the_risk_go_back() -> None:
    report = sample.review()
    first = report.score.contributions[1]
    score = Score(
        likelihood=5,
        exposure=0,
        total=5,
        contributions=(first, replace(first, points=-4, rule="small", text="is small")),
    )
    source = html.render(replace(report, score=score))
    steps = re.findall(r'<tr class="(likelihood[a-z ]*)">.*?--x:([\d.]+)%;--w:([\d.]+)%', source)
    assert steps == [("likelihood", "0", "100"), ("likelihood less", "55.56", "44.44")]


def test_worthless_contributions_are_said_and_not_drawn() -> None:
    report = sample.review()
    nothing = replace(report.score.contributions[0], points=0, text="6 functions are not seen in the profile")
    contributions = (*report.score.contributions, nothing)
    source = html.render(replace(report, score=replace(report.score, contributions=contributions)))
    assert '<ul class="notes"><li>6 functions are not seen in the profile</li></ul>' in source


# --------------------------------------------------------------------------- bounds


def test_many_functions_are_a_table_and_the_riskiest_have_parts() -> None:
    page = read(sample.large(500))
    parts = [id for id in page.ids if re.fullmatch(r"f\d+", id)]
    assert len(parts) == MAX_DETAILED == 100
    assert "The riskiest 100 are shown one by one below the table." in "".join(page.shown)
    assert html.render(sample.large(500)).count('<th scope="row"><') >= 500


def test_a_large_page_is_below_a_megabyte_and_a_half() -> None:
    assert len(html.render(sample.large(2_000)).encode()) < 1_500_000


def test_diffs_stop_where_the_page_would_be_too_long() -> None:
    report = sample.passing()
    long = "".join(f"line {number}\n" for number in range(2 * MAX_LINES)).encode()
    hunk = replace(report.case.change.files[0].hunks[0], old_start=1, old_count=0, new_start=1, new_count=3_001)
    file = replace(report.case.change.files[0], before=b"", after=long, hunks=(hunk,))
    side = report.case.functions[0].function
    whole = replace(side, span=replace(side.span, first_line=1, def_line=1, end_line=4_000))
    changed = replace(report.case.functions[0], before=whole, after=whole)
    case = replace(report.case, change=replace(report.case.change, files=(file,)), functions=(changed,))
    said = text(replace(report, case=case))
    assert "The diff is left out: the page holds 3,000 lines of diff at most." in said


def test_a_report_without_requirements_has_no_tree() -> None:
    report = replace(sample.review(), signoff=SignOff(status=SignOffStatus.NOT_REQUIRED))
    assert "merge" not in read(report).ids


# --------------------------------------------------------------------------- hostile text


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_is_inert(name: str) -> None:
    page = read(sample.hostile(PAYLOADS[name]), "https://example.org/")
    assert len("".join(page.shown)) < 600_000


@given(payload=hostile)
def test_any_text_is_inert(payload: str) -> None:
    read(sample.hostile(payload), "https://example.org/")


@pytest.mark.parametrize(
    "payload",
    [
        "</style><script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        '" onmouseover="alert(1)',
        "' onfocus='alert(1)' autofocus='",
        "javascript:alert(1)",
        "</title><img src=x onerror=alert(1)>",
        "]]><x>",
        "--w:0;background:url(//evil.example)",
    ],
)
def test_each_context_keeps_its_text(payload: str) -> None:
    page = read(sample.hostile(payload), "https://example.org/")
    assert payload in "".join(page.shown)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (elements.tag("p", "<b>"), "<p>&lt;b&gt;</p>"),
        (elements.tag("p", elements.tag("b", "x")), "<p><b>x</b></p>"),
        (elements.tag("a", href='"><script>'), '<a href="&quot;&gt;&lt;script&gt;"></a>'),
        (
            elements.tag("p", None, ["a", ("b", None)], class_="c", hidden=True, title=None),
            '<p class="c" hidden>ab</p>',
        ),
        (elements.tag("meta", charset="utf-8"), '<meta charset="utf-8">'),
        (elements.prose("run `a<b` now"), "run <code>a&lt;b</code> now"),
        (elements.prose("an open ` tick"), "an open ` tick"),
        (elements.prose("x" * 30, 10), "xxxxxxxxxx… (+20 characters)"),
        (elements.dotted("a", None, "<b>", ""), "a · &lt;b&gt;"),
        (elements.dotted(), ""),
        (elements.lines(["<a>", elements.tag("b")]), "&lt;a&gt;\n<b></b>"),
    ],
)
def test_elements(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize(
    ("part", "whole", "length"),
    [(1, 2, "50%"), (3, 2, "100%"), (-1, 2, "0%"), (1, 0, "0%"), (float("nan"), 1, "0%"), (float("inf"), 1, "100%")],
)
def test_lengths(part: float, whole: float, length: str) -> None:
    assert elements.percent(part, whole) == length
