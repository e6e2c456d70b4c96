"""``gate profile import`` and ``show``, from real files to what a person reads."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gatecli.cli.profile import app
from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime.profile import Meta, Profile, ProfiledFunction, Source, TimeShare, load, save
from tests.conftest import GitRepo
from tests.runtime.formats.small import MAKERS, Values
from tests.runtime.support import PROFILES, SHOP

RECORDED_AT = 1_795_220_000


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sample program and two recordings, outside of any repository."""
    for path, content in SHOP.files.items():
        file = tmp_path / "code" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    for name in ("pyspy.raw.txt", "cprofile-3.10.pstats", "otlp.flask.jsonl", "otlp.manual.jsonl"):
        (tmp_path / name).write_bytes((PROFILES / name).read_bytes())
        os.utime(tmp_path / name, (RECORDED_AT, RECORDED_AT))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr("time.time", lambda: RECORDED_AT + 3 * 86_400)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, GateError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def test_import_writes_the_profile_and_says_what_is_in_it(here: Path) -> None:
    result = run("import", "pyspy.raw.txt", "--repo", "code", "-o", "out.json.gz", "--environment", "production")
    assert len(load(here / "out.json.gz").functions) == 28
    assert result.stdout.splitlines() == [
        "out.json.gz  grade usable",
        "  service unknown · environment production · revision unknown · window unknown · recorded 3 days ago",
        "  28 functions · 27 calls between them · 5 entry points",
        "  pyspy.raw.txt  pyspy-raw  887 samples  432 of 432 project frames matched",
    ]
    assert result.stderr.splitlines() == [
        "gate: warning: the recorded revision is not known: matches by line may be wrong",
        "gate: warning: the profile has 887 samples, too few to tell what is cold",
        "gate: warning: the recording does not say when it was made: the file's time is taken",
    ]


def test_the_options_reach_the_profile(here: Path) -> None:
    run(
        "import", "cprofile-3.10.pstats", "pyspy.raw.txt", "--repo", "code", "--window", "2h", "--service", "shop",
        "--map", "/srv/shop/releases/42/src=",
    )  # fmt: skip
    found = load(here / "code" / ".gate" / "profile.json.gz")
    assert (found.meta.service, found.meta.window.observed_seconds) == ("shop", 7_200.0)
    assert found.meta.environment == "profile-run"
    assert found.meta.path_prefixes == ("/srv/shop/releases/42/src/",)
    assert {row.id: row.calls_per_min for row in found.functions}["shop/models.py::Order.of"] == round(400 / 120, 6)


def test_the_revision_that_was_recorded_is_the_one_that_is_matched(here: Path, tmp_path: Path) -> None:
    """The working tree moved on; the functions of the deployed commit are what ran."""
    (tmp_path / "repo").mkdir()
    repo = GitRepo(tmp_path / "repo")
    repo.git("init", "-q", "-b", "main")
    deployed = repo.commit(dict(SHOP.files), "deployed")
    repo.commit({"shop/pricing.py": "def other():\n    pass\n"}, "moved on")
    traces = (here / "otlp.manual.jsonl").read_text().replace("0123456789abcdef0123456789abcdef01234567", deployed)
    (here / "traces.jsonl").write_text(traces)
    run("import", "traces.jsonl", "--repo", "repo", "-o", "said.json")
    run("import", "otlp.manual.jsonl", "--repo", "repo", "-o", "unknown.json")
    run("import", "otlp.manual.jsonl", "--repo", "repo", "--revision", "HEAD~1", "-o", "named.json")
    said, unknown, named = (load(here / f"{name}.json") for name in ("said", "unknown", "named"))
    ids = ["shop/checkout.py::Checkout.__call__", "shop/pricing.py::price_order"]
    assert [row.id for row in said.functions] == [row.id for row in named.functions] == ids
    assert [row.id for row in unknown.functions] == ids[:1]
    assert (said.meta.revision, said.meta.revision_source) == (deployed, "vcs.ref.head.revision")
    assert (unknown.meta.revision, named.meta.revision) == (None, deployed)
    with pytest.raises(UsageError, match="unknown revision: gone"):
        run("import", "otlp.manual.jsonl", "--repo", "repo", "--revision", "gone")


def test_routes_are_read_from_the_code(here: Path) -> None:
    run("import", "otlp.flask.jsonl", "--repo", "code", "-o", "p.json", "--window", "1h")
    assert {row.id: row.calls for row in load(here / "p.json").functions} == {
        "shop/web.py::boom": 1,
        "shop/web.py::create_order": 1,
        "shop/web.py::receipt": 2,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--window", "soon"], "a window of 'soon' is no length of time"),
        (["--window", "0d"], "a window of '0d' is no length of time"),
        (["--window", "-1d"], "a window of '-1d' is no length of time"),
        (["--window", "7 d"], "a window of '7 d' is no length of time"),
        (["--map", "/app"], "--map '/app' is not PREFIX=DIR"),
        (["--map", "=src"], "--map '=src' is not PREFIX=DIR"),
        (["--repo", "nowhere"], "nowhere is not a folder"),
        (["--revision", "v1", "--repo", "code"], "no git repository"),
    ],
)
def test_wrong_options(arguments: list[str], message: str, here: Path) -> None:
    with pytest.raises(UsageError) as error:
        run("import", "pyspy.raw.txt", *arguments)
    assert message in error.value.message
    assert error.value.hint
    assert not list(here.rglob("profile.json*"))


def test_a_recording_that_cannot_be_read_writes_nothing(here: Path) -> None:
    (here / "cut.pstats").write_bytes((PROFILES / "cprofile.pstats").read_bytes()[:5_000])
    with pytest.raises(EvidenceError, match=r"cut\.pstats: cut off after 5,000 bytes"):
        run("import", "pyspy.raw.txt", "cut.pstats", "--repo", "code", "-o", "out.json")
    assert not (here / "out.json").exists()


def test_show_lists_what_runs_most(here: Path) -> None:
    run("import", "pyspy.raw.txt", "cprofile-3.10.pstats", "--repo", "code", "--window", "10m")
    lines = run("show", "--repo", "code", "--top", "3").stdout.splitlines()
    assert lines[0] == f"{Path('code', '.gate', 'profile.json.gz')}  grade usable"
    table = [line.split() for line in lines if line.startswith(("Function", "shop/"))]
    assert table == [
        ["Function", "calls", "calls/min", "time", "own"],
        ["shop/__main__.py::main", "1", "0.1", "82", "±3", "%", "15", "%"],
        ["shop/checkout.py::Checkout.__call__", "400", "40", "55", "±3", "%", "0.6", "%"],
        ["shop/store.py::AuditedStore.save", "400", "40", "27", "±3", "%", "0.3", "%"],
    ]


def test_show_one_function(here: Path) -> None:
    run("import", "pyspy.raw.txt", "cprofile-3.10.pstats", "--repo", "code", "--window", "10m", "-o", "p.json")
    result = run("show", "p.json", "--function", "shop/models.py::Order.validate")
    assert result.stdout.splitlines() == [
        "shop/models.py::Order.validate",
        "  kind            method, lines 28 to 29",
        "  calls           400 (counted)",
        "  calls/min       40",
        "  time            3 ±1 %",
        "  with libraries  2 %",
        "  own code        2 %",
        "  latency         –",
        "  errors          –",
        "  error types     –",
        "  entry points    script shop/__main__.py (100 %)",
        "  critical path   4 % of its requests' time, by their samples",
        "  callers         shop/checkout.py::Checkout.__call__",
        "  callees         shop/models.py::Item.validate",
        "  matched by      qualname in pyspy.raw.txt and cprofile-3.10.pstats",
    ]
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("shop/models.py::Order.validat", "did you mean shop/models.py::Order.validate"),
        ("Order.of", "did you mean shop/models.py::Order.of?"),
        ("nothing like it", "gate profile show lists what runs most"),
    ],
)
def test_a_function_that_is_not_there(wanted: str, hint: str, here: Path) -> None:
    run("import", "pyspy.raw.txt", "--repo", "code", "-o", "p.json")
    with pytest.raises(UsageError) as error:
        run("show", "p.json", "--function", wanted)
    assert hint in error.value.hint


def test_no_profile_yet(here: Path) -> None:
    with pytest.raises(UsageError, match="no profile at") as error:
        run("show", "--repo", "code")
    assert "gate profile import" in error.value.hint


def test_what_is_in_the_data_is_shown_and_not_obeyed(here: Path) -> None:
    evil = "\x1b]0;owned\x07[red]::error::x\u202e"
    save(
        Profile(
            meta=Meta(
                service=evil,
                environment=evil,
                sources=(Source(kind=evil, file=evil, sha256="", basis="sampled", samples=5, warnings=(evil,)),),
            ),
            functions=(
                ProfiledFunction(
                    id=f"{evil}.py::f", kind="function", time_total=TimeShare(share=0.5), match=evil, sources=(0, 9)
                ),
            ),
        ),
        here / "evil.json",
    )
    shown = run("show", "evil.json")
    card = run("show", "evil.json", "--function", f"{evil}.py::f")
    for text in (shown.stdout, shown.stderr, card.stdout):
        assert "[red]" in text, "markup is text"
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())


@pytest.mark.parametrize("name", ["\x1b[2J\x07price\u202e", "::error::price_order", "price::order::of"])
def test_hostile_names_of_any_format_are_printed_plain(here: Path, name: str) -> None:
    for format, made in MAKERS.items():
        (here / "hostile").write_bytes(made(Values(name=name)))
        texts = []
        for command in (("import", "hostile", "pyspy.raw.txt", "--repo", "code", "-o", "p.json"), ("show", "p.json")):
            result = CliRunner().invoke(app, command)
            if isinstance(result.exception, GateError):
                texts.append(str(result.exception))
                break
            assert result.exit_code == 0, format
            texts += [result.stdout, result.stderr]
        for text in texts:
            assert not {"\x1b", "\x07", "\u202e"} & set(text), format
            assert not any(line.lstrip().startswith("::") for line in text.splitlines()), format


@pytest.mark.parametrize("command", ["import", "show"])
def test_help_has_examples(command: str) -> None:
    assert "Examples:" in run(command, "--help").stdout


def test_a_recording_of_another_project_leaves_the_old_profile(here: Path) -> None:
    run("import", "pyspy.raw.txt", "--repo", "code", "-o", "out.json.gz")
    before = (here / "out.json.gz").read_bytes()
    (here / "other").mkdir()
    (here / "other" / "unlike.py").write_text("def unlike():\n    pass\n")
    with pytest.raises(EvidenceError, match=r"is a function of .*other: no profile was made"):
        run("import", "pyspy.raw.txt", "--repo", "other", "-o", "out.json.gz")
    assert (here / "out.json.gz").read_bytes() == before
