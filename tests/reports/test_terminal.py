import io
import re
from dataclasses import replace

import pyte
import pytest
from hypothesis import given, settings
from rich.cells import cell_len
from rich.console import Console

from gatecli.model import (
    ChangeKind,
    Decision,
    Provenance,
    ProvenanceClass,
    Report,
    Severity,
    SignOff,
    SignOffStatus,
    Usage,
    UsageStatus,
)
from gatecli.reports import terminal
from tests.reports import goldens, sample
from tests.reports.payloads import PAYLOADS
from tests.reports.test_text import COMMAND, INVISIBLE, hostile


def written(report: Report, width: int = 100, *, show_all: bool = False, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    console = Console(file=file, width=width, color_system=None, force_terminal=False, legacy_windows=False)
    terminal.render(report, console, show_all=show_all)
    file.flush()
    return raw.getvalue().decode(encoding)


def coloured(report: Report, **environment: str) -> str:
    file = io.StringIO()
    console = Console(
        file=file, width=100, force_terminal=True, color_system="standard", legacy_windows=False, _environ=environment
    )
    terminal.render(report, console)
    return file.getvalue()


def emulated(text: str, width: int) -> list[str]:
    """What stands on the screen of a terminal that was sent the text: pyte is an emulator that knows nothing of us."""
    screen = pyte.Screen(width, text.count("\n") + 2)
    pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
    return "\n".join(line.rstrip() for line in screen.display).rstrip().split("\n")


def to_a_terminal(report: Report, width: int, **environment: str) -> str:
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=True, color_system="truecolor", legacy_windows=False,
        _environ=environment,
    )  # fmt: skip
    terminal.render(report, console)
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", sample.SAMPLES)
def test_a_terminal_shows_what_a_pipe_gets(name: str, width: int) -> None:
    """Colours, links and whatever else is sent move nothing, wrap nothing and leave nothing behind."""
    report = sample.SAMPLES[name]()
    plain = [line.rstrip() for line in written(report, width).rstrip().split("\n")]
    assert emulated(to_a_terminal(report, width), width) == plain


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_text_does_nothing_to_a_terminal(name: str) -> None:
    report = sample.hostile(PAYLOADS[name])
    sent = to_a_terminal(report, 80)
    screen = pyte.Screen(80, sent.count("\n") + 2)
    untouched = screen.title, screen.icon_name, set(screen.mode)
    pyte.Stream(screen).feed(sent.replace("\n", "\r\n"))
    assert (screen.title, screen.icon_name, set(screen.mode)) == untouched
    assert len("\n".join(line.rstrip() for line in screen.display).rstrip().split("\n")) == len(
        written(report, 80).rstrip().split("\n")
    )


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("name", sample.SAMPLES)
def test_golden(name: str, width: int) -> None:
    goldens.check(f"{name}.{width}.txt", written(sample.SAMPLES[name](), width).encode())


@pytest.mark.parametrize("name", ["review", "block", "unprofiled"])
def test_golden_all(name: str) -> None:
    goldens.check(f"{name}.all.txt", written(sample.SAMPLES[name](), 120, show_all=True).encode())


def test_golden_ascii() -> None:
    goldens.check("review.ascii.txt", written(sample.review(), encoding="ascii").encode())


# --------------------------------------------------------------------------- width, colour, encoding


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("name", sample.SAMPLES)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    for show_all in (False, True):
        for line in written(sample.SAMPLES[name](), width, show_all=show_all).splitlines():
            assert cell_len(line) <= width, line


def heads(width: int) -> list[str]:
    lines = written(sample.review(), width).splitlines()
    return re.split(r"  +", next(line for line in lines if "function  " in line).strip())


def test_narrow_terminals_drop_entry_points_then_p95() -> None:
    full = ["function", "change", "calls/min", "share", "p95", "callers", "entry points", "risk"]
    assert heads(200) == full
    assert heads(100) == [head for head in full if head != "callers"]
    assert heads(80) == ["function", "change", "calls/min", "share", "risk"]
    assert heads(60) == ["function", "change", "calls/min", "risk"]


def test_a_pipe_gets_no_escape_and_no_trailing_space() -> None:
    shown = written(sample.review())
    assert "\x1b" not in shown
    assert not re.search(r" +$", shown, re.MULTILINE)


def test_colour_says_nothing_that_words_do_not() -> None:
    shown = coloured(sample.review())
    assert "\x1b[1;30;43m REVIEW \x1b[0m" in shown
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == written(sample.review())


def test_no_color_is_honoured() -> None:
    codes = set(re.findall(r"\x1b\[([\d;]*)m", coloured(sample.review(), NO_COLOR="1")))
    assert codes <= {"0", "1", "2"}  # bold and dim are not colours


def test_what_the_encoding_cannot_take_is_escaped() -> None:
    assert "→" not in (shown := written(sample.review(), encoding="cp1252"))
    assert "base 3f9c2e1 -> head a71b0d4" in shown
    assert r"caf\xe9 \u65e5" in written(sample.hostile("café 日"), encoding="ascii")
    assert r"café \u65e5" in written(sample.hostile("café 日"), encoding="cp1252")


# --------------------------------------------------------------------------- what is said


def test_pass_is_two_lines() -> None:
    assert written(sample.passing()).splitlines() == [
        " PASS  1 function touched · risk 1, by history in the lower half here             gate 0.3.0 · 96 ms",
        " Dana Ruiz, no sign of an agent · 1 commit, +4 −2 in 1 file · base 3f9c2e1 → head a71b0d4",
    ]


def test_pass_at_eighty_columns_is_two_lines() -> None:
    assert len(written(sample.passing(), 80).splitlines()) == 2


def test_pass_shows_what_was_not_known() -> None:
    report = sample.passing()
    shallow = replace(
        report, case=replace(report.case, change=replace(report.case.change, warnings=("shallow clone",)))
    )
    assert written(shallow).splitlines()[2:] == [" Limits    shallow clone"]


def test_pass_points_to_its_notes() -> None:
    note = replace(sample.review().findings[4], severity=Severity.NOTE)
    assert written(replace(sample.passing(), findings=(note,))).splitlines()[2:] == [
        " Notes     1 finding (gate check --all)"
    ]


def test_incomplete_evidence_never_looks_like_a_pass() -> None:
    report = replace(sample.passing(), exit_code=4)
    passed = replace(report, verdict=replace(report.verdict, incomplete=("the policy names a profile",)))
    lines = written(passed).splitlines()
    assert lines[0].startswith(" INCOMPLETE  evidence incomplete · 1 function touched")
    assert " Limits    incomplete: the policy names a profile" in lines


def test_an_empty_change_says_so() -> None:
    assert written(sample.empty()).splitlines() == [
        " PASS  nothing changed" + "gate 0.3.0 · 31 ms".rjust(78),
        " base 3f9c2e1 → head a71b0d4",
    ]


def test_block_starts_with_what_would_have_to_change() -> None:
    lines = written(sample.block()).splitlines()
    assert lines[3:5] == [
        " What has to change",
        "  1. drop the column one release later, when no deployed code reads it",
    ]


def test_a_block_by_score_alone_starts_with_the_reasons() -> None:
    report = replace(sample.block(), findings=())
    lines = written(report).splitlines()
    assert lines[3] == " Why"
    assert lines[4].startswith("  +15  models.Order.as_dict")


def test_at_most_five_reasons_and_the_rest_counted() -> None:
    report = sample.review()
    reasons = report.verdict.reasons
    more = replace(report, verdict=replace(report.verdict, reasons=(*reasons, reasons[4], reasons[4])))
    assert "       … 2 weaker reasons in gate check --all\n" in written(more)


def test_unknown_figures_are_never_zero() -> None:
    report = sample.passing()
    bare = Usage(status=UsageStatus.OBSERVED, basis="sampled")
    unknown = replace(report, case=replace(report.case, usage={sample.CART: bare}))
    row = next(line for line in written(unknown, show_all=True).splitlines() if "Cart.total" in line)
    assert row.split() == ["shop/cart.py::Cart.total", "edited", "–", "–", "–", "1", "GET", "/cart", "1", "██████"]


def test_without_a_profile_no_column_pretends() -> None:
    shown = written(sample.unprofiled())
    assert "calls/min" not in shown
    assert " Runtime   not profiled: how often these functions run is unknown" in shown


def test_a_cosmetic_change_is_shown_as_such() -> None:
    report = sample.passing()
    only = replace(report.case.functions[0], kind=ChangeKind.COSMETIC)
    cosmetic = replace(report, case=replace(report.case, functions=(only,)))
    assert written(cosmetic).startswith(" PASS  only cosmetic changes, in 1 function · risk 1")
    assert "shop/cart.py::Cart.total  cosmetic" in written(cosmetic, show_all=True)


@pytest.mark.parametrize(
    ("provenance", "said"),
    [
        (Provenance(klass=ProvenanceClass.NO_EVIDENCE), "author unknown, no sign of an agent"),
        (Provenance(klass=ProvenanceClass.AI, agents=(sample.CLAUDE,)), "(claude-opus-4-7) for an unknown operator"),
        (
            Provenance(klass=ProvenanceClass.ASSISTED, agents=(sample.CLAUDE,), operator=sample.DANA),
            "Dana Ruiz, assisted by Claude Code (claude-opus-4-7)",
        ),
        (
            Provenance(
                klass=ProvenanceClass.AI, agents=(sample.CLAUDE, replace(sample.CLAUDE, tool="Codex", model=None))
            ),
            "Claude Code (claude-opus-4-7) and Codex for an unknown operator",
        ),
    ],
)
def test_who_wrote_it(provenance: Provenance, said: str) -> None:
    report = sample.passing()
    assert said in written(replace(report, case=replace(report.case, provenance=provenance)))


def test_advice_says_that_it_does_not_stop_anything() -> None:
    assert "advice only: exits 0" in written(sample.unprofiled())
    assert "advice only" not in written(sample.review())


def test_a_verdict_without_requirements_has_nothing_to_merge() -> None:
    report = replace(sample.review(), signoff=SignOff(status=SignOffStatus.NOT_REQUIRED))
    assert "To merge" not in written(report)


def test_only_the_first_line_depends_on_the_run() -> None:
    report = sample.review()
    later = replace(report, generated_at=report.generated_at + 1, timings_ms={"total": 1_234.0})
    first, *rest = written(report).splitlines()
    first_later, *rest_later = written(later).splitlines()
    assert rest == rest_later
    assert first.endswith("  gate 0.3.0 · 410 ms")
    assert first_later == first.replace("gate 0.3.0 · 410 ms", " gate 0.3.0 · 1.2 s")


# --------------------------------------------------------------------------- hostile text


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("width", [30, 80, 200])
def test_hostile_text_is_inert(name: str, width: int) -> None:
    for show_all in (False, True):
        shown = written(sample.hostile(PAYLOADS[name]), width, show_all=show_all)
        assert not INVISIBLE.search(shown.replace("\n", ""))
        assert not COMMAND.search(shown)
        assert len(shown) < 400_000


def test_rich_markup_is_shown_as_it_is() -> None:
    assert "[red]a[/red] [link=https://evil.example]b[/link] [/]" in written(
        sample.hostile(PAYLOADS["rich markup"]), 200
    )


@pytest.mark.parametrize("decision", list(Decision))
@given(payload=hostile)
@settings(max_examples=30)
def test_any_text_is_inert(decision: Decision, payload: str) -> None:
    report = sample.hostile(payload)
    report = replace(report, verdict=replace(report.verdict, decision=decision, outcome=decision))
    shown = written(report, 40)
    assert not INVISIBLE.search(shown.replace("\n", ""))
    assert not COMMAND.search(shown)
