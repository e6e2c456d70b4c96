"""Every sample is told from all other formats, resolves whole, and gives what its tool can give."""

import io

import pytest

from gatecli.runtime import formats
from gatecli.runtime.formats import Reader
from gatecli.runtime.profile import Profile
from gatecli.runtime.recording import Basis
from tests.runtime.formats.samples import SAMPLES, content, reader
from tests.runtime.support import build, profile, rows

BASES = {
    "otlp.flask.pb": Basis.SPANS, "jaeger.json": Basis.SPANS, "otlp.flask.jsonl": Basis.SPANS,
    "coverage.json.gz": Basis.COVERAGE, "coverage.sqlite": Basis.COVERAGE, "gate.json": Basis.PROFILE,
    "viztracer.json.gz": Basis.COUNTED, "autometrics.prom": Basis.COUNTED, "clickhouse.csv": Basis.COUNTED,
    "cprofile-3.8.pstats": Basis.COUNTED, "yappi.pstats": Basis.COUNTED,
}  # fmt: skip


def imported(name: str) -> Profile:
    return build(reader(name).read(io.BytesIO(content(name))))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read_and_resolves_whole(name: str) -> None:
    recording = reader(name).read(io.BytesIO(content(name)))
    assert (recording.kind, recording.basis) == (SAMPLES[name], BASES.get(name, Basis.SAMPLED))
    found = build(recording)
    assert {(source.frames_matched, source.frames_project) for source in found.meta.sources} == {
        (source.frames_project, source.frames_project) for source in found.meta.sources
    }
    assert found.functions or found.tests or found.entry_points


@pytest.mark.parametrize("name", SAMPLES)
def test_no_other_reader_claims_it(name: str) -> None:
    head = content(name)[: formats.HEAD_BYTES]
    claims: list[Reader] = [reader for reader in formats.READERS if reader.matches(head)]
    assert len(claims) == 1, [reader.title for reader in claims]


@pytest.mark.parametrize(
    ("name", "project", "functions"),
    [
        # Project frames over all stacks, as the reference counts them for the pprof of Pyroscope; others counted here.
        ("pyroscope-python.pprof", 418, 29),
        ("pyspy.speedscope.json", 341, 28),
        ("viztracer.json.gz", 28, 24),
    ],
)
def test_how_much_is_found(name: str, project: int, functions: int) -> None:
    found = imported(name)
    assert (found.meta.sources[0].frames_matched, len(found.functions)) == (project, functions)


def test_three_samplers_agree_on_the_hottest_function() -> None:
    """py-spy 31 % and Pyroscope 39 % of self time in audit, Sentry none: the GIL hides it (reference §0.8)."""
    audit = "shop/store.py::AuditedStore.audit"
    for name in ("pyspy.speedscope.json", "pyroscope-python.pprof", "pyspy.raw.txt"):
        times = {id: row.time_self.share for id, row in rows(imported(name)).items() if row.time_self}
        assert max(times, key=lambda id: times[id]) == audit, name
    assert audit not in rows(imported("sentry.profile.json"))


def test_speedscope_and_raw_of_one_tool_have_the_same_functions() -> None:
    """Two runs, so that which import was caught differs."""
    one, other = (
        {row.id for row in imported(name).functions if row.kind not in ("module", "class_body")}
        for name in ("pyspy.speedscope.json", "pyspy.raw.txt")
    )
    assert one == other


def test_an_inherited_method_is_the_class_s_that_defines_it() -> None:
    """pyinstrument names ``AuditedStore.save`` at line 15, which is ``Store.save``."""
    found = rows(imported("pyinstrument.json"))
    assert found["shop/store.py::Store.save"].match == "first-line"
    assert found["shop/store.py::AuditedStore.save"].match in ("first-line", "qualname")


@pytest.mark.parametrize("name", ["coverage.json.gz", "coverage.sqlite"])
def test_which_tests_run_a_function(name: str) -> None:
    """The reference's own question: which tests hit lines 26 to 28 of pricing.py."""
    tests = imported(name).tests
    assert tests is not None
    assert tests["shop/pricing.py::price_order"] == ("test_shop.test_checkout_saves", "test_shop.test_price")
    assert tests["shop/aio.py::Notifier.send"] == ("test_shop.TestAsync.test_notify",)
    assert tests["shop/models.py::Item.validate"] == ("test_shop.test_bad_qty", "test_shop.test_checkout_saves")
    # Run at import, by no test.
    assert "shop/deco.py::retry" not in tests


def test_both_forms_of_coverage_say_the_same() -> None:
    assert imported("coverage.json.gz").tests == imported("coverage.sqlite").tests


def test_otlp_in_all_its_forms_is_the_same() -> None:
    """Jaeger keeps microseconds, so that durations differ in the last digit; who was called by what does not."""
    lines, found = profile("otlp.flask.jsonl"), imported("jaeger.json")
    assert [(row.id, row.handler, row.error_rate, row.weight) for row in found.entry_points] == [
        (row.id, row.handler, row.error_rate, row.weight) for row in lines.entry_points
    ]
    assert [(row.id, row.errors, row.error_types) for row in found.functions] == [
        (row.id, row.errors, row.error_types) for row in lines.functions
    ]
