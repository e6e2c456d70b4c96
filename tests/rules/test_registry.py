import string
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecli.config import Level, Paths, RuleConfig
from gatecli.errors import UsageError
from gatecli.model import Confidence, FileChange, Mode, Outcome, Severity, Usage, UsageStatus
from gatecli.rules import registry
from gatecli.rules.checks import CHECKS
from gatecli.rules.code import View
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import ExampleUsage, Rule, Step
from tests.rules.support import SHIPPED, case_of, rule
from tests.rules.test_spec import GOOD

WHERE = ".gate/rules/no-sleep.yml"


# --------------------------------------------------------------------------- loading


def test_shipped_rules_are_in_order_and_told_apart() -> None:
    assert [rule.code for rule in SHIPPED] == sorted({rule.code for rule in SHIPPED})
    assert len({rule.id for rule in SHIPPED}) == len(SHIPPED)


def test_every_check_has_a_rule() -> None:
    assert {rule.check for rule in SHIPPED if rule.check} == set(CHECKS)


def test_a_repositorys_own_rule() -> None:
    rules = registry.load({WHERE: GOOD.encode()}, {"no-sleep": RuleConfig(points=7)})
    (own,) = (rule for rule in rules if rule.id == "no-sleep")
    assert (own.points.value, own.points.source) == (7, "the policy")
    assert len(rules) == len(SHIPPED) + 1


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (RuleConfig(), (Severity.NOTE, 9, 1)),
        (RuleConfig(severity=Level.BLOCK), (Severity.BLOCK, 9, 0)),
        (RuleConfig(points=0), (Severity.NOTE, 0, 1)),
    ],
)
def test_settings(setting: RuleConfig, expected: tuple[Severity, int, int]) -> None:
    (found,) = (rule for rule in registry.load({}, {"io-in-loop": setting}) if rule.id == "io-in-loop")
    assert (found.severity, found.points.value, len(found.escalate)) == expected


def test_off() -> None:
    rules = registry.load({}, {"io-in-loop": RuleConfig(severity=Level.OFF)})
    assert {rule.id for rule in SHIPPED} - {rule.id for rule in rules} == {"io-in-loop"}


@pytest.mark.parametrize(
    ("custom", "overrides", "problem"),
    [
        ({}, {"io-in-lop": RuleConfig()}, "rules: unknown rule 'io-in-lop', did you mean 'io-in-loop'?"),
        (
            {},
            {"guardrails-changed": RuleConfig(severity=Level.OFF)},
            "rules: guardrails-changed cannot be lowered: what guards the repository is always a human's to change",
        ),
        (
            {".gate/rules/io-in-loop.yml": GOOD.replace("id: no-sleep", "id: io-in-loop").encode()},
            {},
            ".gate/rules/io-in-loop.yml: io-in-loop (X01) is taken by io-in-loop (D05)",
        ),
        (
            {WHERE: GOOD.replace("code: X01", "code: D05").encode()},
            {},
            f"{WHERE}: no-sleep (D05) is taken by io-in-loop (D05)",
        ),
        ({WHERE: b"- 1"}, {}, f"{WHERE}:1: the document holds a list"),
        ({f"{n}.yml": b"" for n in range(500)}, {}, ".gate/rules holds 500 files, more than 200"),
    ],
)
def test_problems(custom: dict[str, bytes], overrides: dict[str, RuleConfig], problem: str) -> None:
    with pytest.raises(UsageError) as error:
        registry.load(custom, overrides)
    assert problem in error.value.message


def test_two_bad_files_are_reported_together() -> None:
    with pytest.raises(UsageError) as error:
        registry.load({"a.yml": b"- 1", "b.yml": b"- 2"}, {"nothing": RuleConfig()})
    for part in ("a.yml:1", "b.yml:1", "unknown rule 'nothing'"):
        assert part in error.value.message


# --------------------------------------------------------------------------- running

BEFORE = "def price(lines):\n    return 0\n"
AFTER = "def price(lines):\n    for line in lines:\n        Rate.objects.get(sku=line)\n"
ID = "shop/pricing.py::price"


def test_a_whole_finding() -> None:
    case = case_of({"shop/pricing.py": (BEFORE, AFTER)}, {ID: ExampleUsage(calls_per_minute=61_400, share=0.38)})
    (finding,) = registry.run((rule("io-in-loop"),), case)
    assert (finding.rule, finding.code, finding.severity) == ("io-in-loop", "D05", Severity.REVIEW)
    assert (finding.outcome, finding.confidence, finding.points) == (Outcome.FLAGGED, Confidence.HIGH, 9)
    assert (finding.path, finding.line, str(finding.function)) == ("shop/pricing.py", 3, ID)
    assert finding.message == (
        "pricing.price runs 61,400 times a minute (38 % of traffic) and now queries in a loop: "
        "Rate.objects.get(sku=line)"
    )
    assert [(item.kind, item.text, item.line, item.value) for item in finding.evidence] == [
        ("code", "Rate.objects.get(sku=line)", 3, None),
        ("usage", "runs 61,400 times a minute (38 % of traffic)", None, 61_400),
    ]
    assert finding.remedy.startswith("Fetch before the loop")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(status=UsageStatus.OBSERVED, calls_per_minute=59.9), Severity.NOTE),
        (Usage(status=UsageStatus.OBSERVED, calls_per_minute=60), Severity.REVIEW),
        (Usage(status=UsageStatus.OBSERVED, share=0.01), Severity.REVIEW),
        (Usage(status=UsageStatus.OBSERVED), Severity.NOTE),
        (Usage(status=UsageStatus.NOT_OBSERVED), Severity.NOTE),
        (Usage(status=UsageStatus.UNMATCHED), Severity.NOTE),
        (Usage(status=UsageStatus.NO_PROFILE), Severity.NOTE),
    ],
)
def test_severity_rises_with_traffic(usage: Usage, expected: Severity) -> None:
    case = case_of({"shop/pricing.py": (BEFORE, AFTER)})
    case = replace(case, usage={change.id: usage for change in case.functions})
    (finding,) = registry.run((rule("io-in-loop"),), case)
    assert finding.severity is expected


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_traffic_never_asks_for_less(one: float, other: float) -> None:
    order = [Severity.NOTE, Severity.REVIEW, Severity.BLOCK]
    found = []
    for calls in sorted((one, other)):
        case = case_of({"shop/pricing.py": (BEFORE, AFTER)})
        usage = Usage(status=UsageStatus.OBSERVED, calls_per_minute=calls)
        case = replace(case, usage={change.id: usage for change in case.functions})
        found.append(order.index(registry.run((rule("io-in-loop"),), case)[0].severity))
    assert found == sorted(found)


def test_traffic_filters_leave_out_what_has_no_figure() -> None:
    quiet = rule("io-in-loop")
    quiet = replace(quiet, filters=replace(quiet.filters, min_calls_per_minute=100))
    files = {"shop/pricing.py": (BEFORE, AFTER)}
    assert registry.run((quiet,), case_of(files)) == ()
    assert registry.run((quiet,), case_of(files, {ID: ExampleUsage(calls_per_minute=99)})) == ()
    assert len(registry.run((quiet,), case_of(files, {ID: ExampleUsage(calls_per_minute=100)}))) == 1


@pytest.mark.parametrize("path", ["tests/test_pricing.py", "docs/pricing.py", "shop/pricing_pb2.py"])
def test_files_out_of_scope(path: str) -> None:
    assert registry.run((rule("io-in-loop"),), case_of({path: (BEFORE, AFTER)})) == ()


def test_the_policy_says_which_files_are_tests() -> None:
    case = case_of({"specs/pricing.py": (BEFORE, AFTER)})
    assert len(registry.run((rule("io-in-loop"),), case)) == 1
    assert registry.run((rule("io-in-loop"),), case, Paths(tests=("specs/",))) == ()


def test_a_rule_that_is_tried_out_only_notes() -> None:
    tried = replace(rule("access-removed"), mode=Mode.ADVISE)
    case = case_of({"a.py": ("@login_required\ndef f(r):\n    go()\n", "def f(r):\n    go()\n")})
    (finding,) = registry.run((tried,), case)
    assert (finding.severity, finding.points) == (Severity.NOTE, 0)


def probe(observe: object, monkeypatch: pytest.MonkeyPatch, **more: object) -> Rule:
    monkeypatch.setattr(registry, "CHECKS", {"probe": observe})
    base = rule("access-removed")
    return replace(base, id="probe", check="probe", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("confidence", "severity", "points"),
    [
        (Confidence.HIGH, Severity.BLOCK, 16),
        (Confidence.MEDIUM, Severity.REVIEW, 16),
        (Confidence.LOW, Severity.NOTE, 0),
    ],
)
def test_only_what_is_sure_blocks(
    confidence: Confidence, severity: Severity, points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def observe(rule: Rule, view: View) -> Iterator[Observation]:
        for touched in view.functions:
            yield seen(touched, 1, "is seen", "", confidence=confidence)

    found = probe(observe, monkeypatch, escalate=(Step(severity=Severity.BLOCK, min_share=0.1),))
    case = case_of({"a.py": (None, "def f():\n    go()\n")}, {"a.py::f": ExampleUsage(share=0.9)})
    assert {(f.severity, f.points) for f in registry.run((found,), case)} == {(severity, points)}


def test_a_patch_alone_lowers_confidence_but_not_severity(monkeypatch: pytest.MonkeyPatch) -> None:
    def observe(rule: Rule, view: View) -> Iterator[Observation]:
        for touched in view.functions:
            yield seen(touched, 1, "is seen", "")

    case = case_of({"a.py": (None, "def f():\n    go()\n")})
    files = tuple(replace(file, partial=True) for file in case.change.files)
    case = replace(case, change=replace(case.change, files=files))
    found = registry.run((probe(observe, monkeypatch),), case)
    assert {(f.severity, f.confidence) for f in found} == {(Severity.BLOCK, Confidence.MEDIUM)}


def test_a_crash_is_an_error_that_names_the_rule_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def observe(rule: Rule, view: View) -> Iterator[Observation]:
        yield Observation(says="is seen", path="a.py")
        raise RecursionError("too\ndeep \x1b[31m")

    broken = probe(observe, monkeypatch)
    case = case_of({"shop/pricing.py": (BEFORE, AFTER)})
    error, other = registry.run((broken, rule("io-in-loop")), case)
    assert (error.outcome, error.severity, error.rule) == (Outcome.ERROR, Severity.BLOCK, "probe")
    assert error.message == "rule probe failed (RecursionError: too deep ?[31m): what it looks for was not judged"
    assert (error.path, error.points) == ("shop/pricing.py", 0)
    assert other.rule == "io-in-loop"


def test_caps_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def observe(rule: Rule, view: View) -> Iterator[Observation]:
        for number in range(1_000):
            yield Observation(says="is seen", path=f"{number % 3}.py", line=number, text=str(number))

    found = registry.run((probe(observe, monkeypatch),), case_of({"a.py": (None, "x = 1\n")}))
    listed = [finding for finding in found if finding.severity is Severity.BLOCK]
    assert [sum(f.path == f"{n}.py" for f in listed) for n in range(3)] == [registry.MAX_PER_FILE] * 3
    (rest,) = (finding for finding in found if finding.severity is Severity.NOTE)
    assert rest.message == "probe has 940 more findings in 3 files; the strongest are listed"


def test_an_endless_check_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def observe(rule: Rule, view: View) -> Iterator[Observation]:
        while True:
            yield Observation(says="is seen", path="a.py")

    assert len(registry.run((probe(observe, monkeypatch),), case_of({}))) == registry.MAX_PER_FILE + 1


def test_fingerprints_survive_moved_lines_and_tell_repeats_apart() -> None:
    twice = AFTER + "        Tax.objects.get(sku=line)\n        Tax.objects.get(sku=line)\n"
    one = registry.run((rule("io-in-loop"),), case_of({"shop/pricing.py": (BEFORE, twice)}))
    moved = {"shop/pricing.py": ("import x\n\n\n" + BEFORE, "import x\n\n\n" + twice.replace("sku=line", "sku = line"))}
    other = registry.run((rule("io-in-loop"),), case_of(moved))
    assert [finding.fingerprint for finding in one] == [finding.fingerprint for finding in other]
    assert len({finding.fingerprint for finding in one}) == 3


# --------------------------------------------------------------------------- any input

SNIPPETS = [
    BEFORE,
    AFTER,
    "@login_required\ndef view(request):\n    with transaction.atomic():\n        charge(timeout=3)\n",
    "async def f():\n    try:\n        await g()\n    except Exception:\n        pass\n",
    "class Migration(migrations.Migration):\n    operations = [migrations.DeleteModel('A')]\n",
    "def upgrade():\n    op.drop_table('a')\n",
    "def test_a():\n    assert f() == 1\n",
    "x = [",
    "def f(:\n  \x00",
    "\ufeffclass A(B, C):\n    permission_classes = [IsAdminUser]\n",
]
PATHS = ["a.py", "tests/test_a.py", "shop/migrations/0001_a.py", "alembic/versions/a.py", "AGENTS.md", "a/delta/1.sql"]
SOURCES = st.one_of(
    st.none(),
    st.lists(st.sampled_from(SNIPPETS), max_size=3).map("\n".join),
    st.text(alphabet=string.printable + "\u202e\U000e0041", max_size=120),
)


@settings(max_examples=80)
@given(st.dictionaries(st.sampled_from(PATHS), st.tuples(SOURCES, SOURCES), max_size=3))
def test_no_input_fails_a_rule_and_the_same_input_gives_the_same_findings(
    files: dict[str, tuple[str | None, str | None]],
) -> None:
    known = {path: sides for path, sides in files.items() if sides != (None, None)}
    found = registry.run(SHIPPED, case_of(known))
    assert [finding.message for finding in found if finding.outcome is not Outcome.FLAGGED] == []
    assert registry.run(SHIPPED, case_of(known)) == found
    for finding in found:
        assert "\n" not in finding.message
        assert finding.message.isprintable()
        after = (known.get(finding.path) or (None, None))[1] or ""
        assert finding.line is None or 1 <= finding.line <= after.count("\n") + 1


def test_a_test_that_moved_to_another_file_has_no_line_in_the_one_that_is_gone() -> None:
    test = "def test_a():\n    assert f() == 1\n"
    found = registry.run(SHIPPED, case_of({"tests/test_a.py": (test, None), "a.py": (None, f"\n\n\n{test}")}))
    assert [(item.path, item.line) for item in found if item.rule == "test-removed"] == [("tests/test_a.py", None)]


@given(st.lists(st.sampled_from(SNIPPETS[:7]), min_size=1, max_size=4).map("\n\n".join))
def test_reformatting_is_never_flagged(source: str) -> None:
    spread = source.replace("(", "(\n        ").replace("):", "\n):").replace("'", '"')
    found = registry.run(SHIPPED, case_of({"shop/a.py": (source, f"# a comment\n{spread}")}))
    assert [finding.message for finding in found] == []


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    " + "g(" * 3_000 + ")" * 3_000 + "\n",
        "def f():\n" + "    try:\n        g()\n    except A:\n        pass\n" * 2_000,
        "def f():\n" + "    with lock:\n        self.x = g()\n" * 2_000,
        "def f():\n" + "    for x in y:\n        requests.get(x)\n" * 2_000,
        "\n".join(f"def f{n}(a, b):\n    return requests.get(a, timeout={n})" for n in range(2_000)) + "\n",
        "".join(" " * depth + f"def f{depth}():\n" for depth in range(400)) + " " * 400 + "pass\n",
        "class A(" + ", ".join(f"B{n}" for n in range(5_000)) + "):\n    pass\n",
        "x = '" + "DROP TABLE a; " * 20_000 + "'\n",
        "def upgrade():\n    op.execute('" + "ALTER TABLE a " * 20_000 + "')\n",
    ],
    ids=["calls", "tries", "locks", "loops", "functions", "nesting", "bases", "text", "sql"],
)
def test_large_input_is_judged(source: str) -> None:
    smaller = source.replace("g", "h").replace("timeout=1", "timeout=9")
    case = case_of({"alembic/versions/a.py": (smaller, source), "shop/b.py": (source, smaller)})
    found = registry.run(SHIPPED, case)
    assert all(finding.outcome is Outcome.FLAGGED for finding in found)


def test_a_file_without_content_is_passed_over() -> None:
    case = case_of({"shop/a.py": (BEFORE, AFTER)})
    files: tuple[FileChange, ...] = tuple(
        replace(file, before=None, after=None, binary=True) for file in case.change.files
    )
    assert registry.run(SHIPPED, replace(case, change=replace(case.change, files=files))) == ()


def test_without_examples_the_shipped_rules_are_the_same() -> None:
    bare = registry.load({}, {}, examples=False)
    assert bare == tuple(replace(rule, examples=()) for rule in SHIPPED)
