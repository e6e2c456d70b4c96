import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gatecli.reports import text
from tests.reports.payloads import PAYLOADS

# What no reader sees, or what a terminal obeys: the properties below look for it in every output.
INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U0010ffff]"
)
COMMAND = re.compile(r"^\s*::|##[A-Za-z]*\[", re.MULTILINE)

punctuation = st.sampled_from("\\`*_[](){}<>|~#$&@:;/.-+=!^\"'% \t\n\r\x1b\u202e\u0301\udcff1aZ")
snippets = st.sampled_from(
    ["::error::", "##[", "https://a.b", "www.a.b", "a@b.co", "```", "<b>", "&lt;", "1. ", "- ", "[a](b)", "%%{"]
)
hostile = st.lists(st.one_of(punctuation, snippets, st.characters()), max_size=30).map("".join)
values = st.one_of(st.none(), st.floats())


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("shop/pricing.py", "shop/pricing.py"),
        ("naïve/日本.py", "naïve/日本.py"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x7f\x9b\x00", r"\x7f\x9b\x00"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("a\u200bb\ufeff\u00ad", r"a\u200bb\ufeff\xad"),
        ("caf\udce9.py", r"caf\xe9.py"),
        ("\ud83d", r"\ud83d"),
        ("\ue000\U000e0041", r"\ue000\U000e0041"),
        ("e\u0301", "e\u0301"),
        ("e\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301" + r"\u0301"),
        ("::error::x", r"\x3a:error::x"),
        ("  ::error::x", r"  \x3a:error::x"),
        ("a::b", "a::b"),
        ("a ##[error]b", r"a \x23#[error]b"),
        ("##vso[a]", r"\x23#vso[a]"),
        ("## title", "## title"),
        ("\ufffd", "\ufffd"),
    ],
)
def test_plain(raw: str, shown: str) -> None:
    assert text.plain(raw) == shown


def test_plain_cuts_and_says_so() -> None:
    assert text.plain("x" * 2_500, 10) == "xxxxxxxxxx… (+2,490 characters)"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Round up", "Round up"),
        ("Round orders up", "Round…"),
        ("Round ups of orders", "Round ups…"),
        ("Roundupsoforders", "Roundupsof…"),
        ("", ""),
    ],
)
def test_a_title_keeps_whole_words(raw: str, shown: str) -> None:
    assert text.title(raw, 10) == shown


@given(hostile)
def test_plain_is_one_inert_line(raw: str) -> None:
    shown = text.plain(raw)
    assert not INVISIBLE.search(shown)
    assert not COMMAND.search(shown)
    assert text.plain(shown) == shown
    shown.encode()


@given(st.text(alphabet="abcxyz :._/#[", max_size=20))
def test_plain_leaves_harmless_text_alone(raw: str) -> None:
    if not COMMAND.search(raw):
        assert text.plain(raw) == raw


@given(hostile)
def test_guard_keeps_lines_and_stops_commands(raw: str) -> None:
    guarded = text.guard(raw)
    assert guarded.count("\n") == raw.count("\n")
    assert not re.search(r"^\s*::|##[A-Za-z]{0,20}\[", guarded, re.MULTILINE)


@given(hostile)
def test_valid_unicode_changes_only_surrogates(raw: str) -> None:
    shown = text.valid_unicode(raw)
    shown.encode()
    assert shown == re.sub("[\ud800-\udfff]", lambda m: text.plain(m.group()), raw)


@given(st.dictionaries(hostile.map(text.valid_unicode), hostile.map(text.valid_unicode), max_size=3))
def test_json_source_means_the_same_and_is_inert(value: dict[str, str]) -> None:
    source = text.json_source(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(source) == value
    assert not INVISIBLE.search(source.replace("\n", ""))
    assert not re.search(r"^\s*::|##[A-Za-z]{0,20}\[", source, re.MULTILINE)


# --------------------------------------------------------------------------- Markdown


def render(source: str) -> str:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(source)


def shown_text(html: str) -> str:
    """The text a reader sees in HTML made of the few tags that these tests expect."""
    bare = re.sub(r"</?(?:p|code|table|thead|tbody|tr|td|th)>", "", html)
    assert "<" not in bare, bare
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        bare = bare.replace(entity, char)
    return " ".join(bare.replace("\u200b", "").split())


@pytest.mark.parametrize(
    ("raw", "source"),
    [
        ("price_order is 3 * slower", r"price\_order is 3 \* slower"),
        ("[a](b)", r"\[a\](b)"),
        ("<b> & </b>", "&#60;b&#62; &#38; &#60;/b&#62;"),
        ("@acme/x a@b.co", "@&#8203;acme/x a@&#8203;b.co"),
        ("#12 GH-12 o/r#12", "#&#8203;12 GH&#8203;-12 o/r#&#8203;12"),
        ("https://a.b www.a.b", "https:&#8203;//a.b www&#8203;.a.b"),
        (":tada: a: b", ":&#8203;tada: a: b"),
        ("1. a", r"1\. a"),
        ("2.1 s", "2.1 s"),
        ("- a", r"\- a"),
        ("a|b", r"a\|b"),
        ("a\nb", r"a\\nb"),
        ("$x$", "&#36;x&#36;"),
    ],
)
def test_markdown(raw: str, source: str) -> None:
    assert text.markdown(raw) == source


@given(hostile)
def test_markdown_shows_what_plain_shows(raw: str) -> None:
    wanted = " ".join(text.plain(raw).split())
    source = text.markdown(raw)
    assert shown_text(render(f"x {source} y")) == " ".join(f"x {wanted} y".split())
    cell = render(f"| a | b |\n| - | - |\n| {source} | z |")
    assert shown_text(cell) == " ".join(f"a b {wanted} z".split())
    assert not re.search(r"@\w|#\w|://|www\.", re.sub(r"&#\d+;", "", source.replace("&#8203;", "\u200b")))


@given(hostile)
def test_markdown_makes_no_block_at_the_start_of_a_line(raw: str) -> None:
    html = render(text.markdown(raw))
    assert html == "" or html.startswith(("<p>", "<pre><code>"))  # four leading spaces are code: as inert


@given(hostile)
def test_markdown_code_shows_what_plain_shows(raw: str) -> None:
    wanted = " ".join(text.plain(raw).split())
    source = text.markdown_code(raw)
    assert (source == "") == (wanted == "")
    assert shown_text(render(f"x {source} y")) == " ".join(f"x {wanted} y".split())
    cell = render(f"| a | b |\n| - | - |\n| {source} | z |")
    assert shown_text(cell) == " ".join(f"a b {wanted} z".split())


def test_markdown_code_falls_back_to_entities() -> None:
    assert text.markdown_code("a.b") == "`a.b`"
    assert text.markdown_code("a|b`") == "<code>a&#124;b&#96;</code>"


# --------------------------------------------------------------------------- Mermaid


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("pricing.price_order", "pricing.price_order"),
        ("Checkout.__call__", "Checkout.#95;#95;call#95;#95;"),
        ('"] --> n1', "#34;#93; --#62; n1"),
        ("%%{init}%%", "#37;#37;#123;init#125;#37;#37;"),
        ("#quot;", "#35;quot#59;"),
        ("1. a", "#49;. a"),
        ("1.5 a", "1.5 a"),
        ("- a", "#45; a"),
        ("日本", "日本"),
        ("a\nb", "a#92;nb"),
        ("", " "),
    ],
)
def test_mermaid(raw: str, label: str) -> None:
    assert text.mermaid(raw) == label


def test_mermaid_drops_the_middle() -> None:
    assert text.mermaid("abcdefghijkl", 10) == "abc…ghijkl"


@given(hostile)
def test_mermaid_label_has_no_syntax(raw: str) -> None:
    label = text.mermaid(raw)
    bare = re.sub(r"#\d+;", "", label)
    assert not re.search(r"[\"#;%`<>{}\[\]()|&@:=~^$*\\'!?+\n]", bare)
    assert not INVISIBLE.search(label)


@pytest.mark.parametrize("name", PAYLOADS)
def test_every_target_is_bounded(name: str) -> None:
    raw = PAYLOADS[name]
    assert len(text.plain(raw)) <= 10 * text.LIMIT + 40
    assert len(text.markdown(raw)) <= 20 * text.LIMIT
    assert len(text.markdown_code(raw)) <= 20 * text.LIMIT
    assert len(text.mermaid(raw)) <= 5 * 60


# --------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (1e300, "–"),
        (-1, "–"),
        (0, "0"),
        (0.04, "< 0.1"),
        (0.5, "0.5"),
        (2.0, "2"),
        (9.96, "10"),
        (12.4, "12"),
        (999.6, "1,000"),
        (61_432.7, "61,400"),
        (1_234_567, "1,230,000"),
    ],
)
def test_rate(value: float | None, shown: str) -> None:
    assert text.rate(value) == shown


@pytest.mark.parametrize(
    ("value", "margin", "shown"),
    [
        (None, None, "–"),
        (0.0, None, "0 %"),
        (0.0004, None, "< 0.1 %"),
        (0.004, None, "0.4 %"),
        (0.0096, None, "1 %"),
        (0.381, None, "38 %"),
        (0.381, 0.025, "38 ±2 %"),
        (0.381, 0.001, "38 %"),
        (0.381, float("nan"), "38 %"),
        (0.9951, None, "> 99 %"),
        (1.0, None, "100 %"),
    ],
)
def test_share(value: float | None, margin: float | None, shown: str) -> None:
    assert text.share(value, margin) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.03, "< 0.1 ms"),
        (0.44, "0.4 ms"),
        (3.0, "3 ms"),
        (12.2, "12 ms"),
        (999.7, "1 s"),
        (2_113, "2.1 s"),
        (45_000, "45 s"),
        (119_600, "2 min"),
        (210_000, "3.5 min"),
    ],
)
def test_milliseconds(value: float | None, shown: str) -> None:
    assert text.milliseconds(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "–"),
        (-5, "–"),
        (59, "less than a minute"),
        (60, "1 minute"),
        (3_600, "1 hour"),
        (2 * 86_400, "2 days"),
        (59 * 86_400, "59 days"),
        (61 * 86_400, "2 months"),
        (364 * 86_400, "11 months"),
        (800 * 86_400, "2 years"),
    ],
)
def test_age(seconds: float | None, shown: str) -> None:
    assert text.age(seconds) == shown


@given(values)
def test_numbers_are_total_and_short(value: float | None) -> None:
    for shown in (text.rate(value), text.share(value), text.milliseconds(value), text.age(value)):
        assert shown
        assert len(shown) <= len("999,000,000,000,000 years")
        assert not INVISIBLE.search(shown)


@given(st.floats(min_value=0, max_value=1))
def test_share_never_says_nothing_or_all_of_what_is_not(value: float) -> None:
    assert (text.share(value) == "0 %") == (value == 0)
    assert (text.share(value) == "100 %") == (value == 1)


@given(st.one_of(st.none(), st.integers()))
def test_moment_is_total(timestamp: int | None) -> None:
    assert re.fullmatch(r"–|\d{1,4}-\d\d-\d\d \d\d:\d\d UTC", text.moment(timestamp))


def test_moment() -> None:
    assert text.moment(1_795_190_520) == "2026-11-20 16:02 UTC"


def test_count_and_listed() -> None:
    assert text.count(1, "function") == "1 function"
    assert text.count(1_204, "function") == "1,204 functions"
    assert text.count(0, "entry", "entries") == "0 entries"
    assert text.listed([], 3) == ""
    assert text.listed(["a"], 3) == "a"
    assert text.listed(["a", "b", "c"], 3) == "a, b and c"
    assert text.listed(["a", "b", "c", "d"], 2) == "a, b +2"
