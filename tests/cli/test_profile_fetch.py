"""``gate profile fetch``: as a user and as a nightly job run it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatecli.cli.main import run
from tests.runtime.engines import fake
from tests.runtime.support import DATA, PROFILES

STACKS = PROFILES / "pyspy.raw.txt"


@pytest.fixture
def engine() -> Iterator[fake.Engine]:
    with fake.engine() as found:
        yield found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The sample program under version control."""
    folder = tmp_path / "repo"
    (folder / "shop").mkdir(parents=True)
    for file in (DATA / "shop" / "shop").glob("*.py"):
        (folder / "shop" / file.name).write_bytes(file.read_bytes())
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    return folder


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=mei", "-c", "user.email=mei@shop.example")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "state")


def test_one_address(repository: Path, engine: fake.Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.answer("/stacks", STACKS.read_bytes())
    code = run(["profile", "fetch", "url", f"{engine.address}/stacks?token=hidden", "--repo", str(repository)])
    out = capsys.readouterr().out
    assert code == 0
    assert "pyspy-raw" in out
    assert "hidden" not in out
    assert (repository / ".gate" / "profile.json.gz").is_file()


def test_a_nightly_job_is_one_command(
    repository: Path, engine: fake.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / ".gate").mkdir()
    policy = repository / ".gate" / "policy.yml"
    policy.write_text(
        "profile:\n  path: .gate/profile.json.gz\n  fetch:\n"
        f"    - {{engine: url, url: '{engine.address}/stacks'}}\n"
        f"    - {{engine: url, url: '{engine.address}/traces', service: shop, window: 1d}}\n"
        "  map: {/app/src: .}\n"
    )
    commit(repository)
    engine.answer("/stacks", STACKS.read_bytes())
    engine.answer("/traces", (PROFILES / "otlp.manual.jsonl").read_bytes())
    assert run(["profile", "fetch", "--repo", str(repository)]) == 0
    out = capsys.readouterr().out
    assert "pyspy-raw" in out
    assert "otlp-json" in out
    assert [path for _, path, _, _ in engine.asked] == ["/stacks", "/traces"]


def test_only_the_committed_policy_says_where_a_token_goes(
    repository: Path, engine: fake.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / ".gate").mkdir()
    (repository / ".gate" / "policy.yml").write_text(
        f"profile: {{fetch: [{{engine: url, url: '{engine.address}/x'}}]}}"
    )
    assert run(["profile", "fetch", "--repo", str(repository)]) == 2
    assert "nothing to fetch" in capsys.readouterr().err
    assert engine.asked == []


def test_a_failure_leaves_the_old_profile(
    repository: Path, engine: fake.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.answer("/stacks", STACKS.read_bytes())
    command = ["profile", "fetch", "url", f"{engine.address}/stacks", "--repo", str(repository)]
    assert run(command) == 0
    before = (repository / ".gate" / "profile.json.gz").read_bytes()
    engine.answer("/stacks", b"<html>Sign in</html>")
    assert run(command) == 4
    assert "the answer is a web page" in capsys.readouterr().err
    assert (repository / ".gate" / "profile.json.gz").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clickhous", "http://x"], "did you mean 'clickhouse'"),
        (["clickhouse"], "where is clickhouse?"),
        (["clickhouse", "http://x", "--window", "soon"], "'soon' is no length of time"),
        (["prometheus", "http://x", "--query", "calls"], "is not NAME=PROMQL"),
        (["url", "ftp://x"], "no http or https address"),
        (["url", "https://me:secret@x/"], "holds a user or password"),
    ],
)
def test_wrong_usage(repository: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profile", "fetch", *arguments, "--repo", str(repository)]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "secret" not in err


def test_the_policy_names_its_mistakes(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / ".gate").mkdir()
    (repository / ".gate" / "policy.yml").write_text("profile:\n  fetch:\n    - {engine: promtheus, urll: x}\n")
    commit(repository)
    assert run(["profile", "fetch", "--repo", str(repository)]) == 2
    err = capsys.readouterr().err
    assert "'promtheus' is none of clickhouse, prometheus, pyroscope, sentry, url, did you mean 'prometheus'?" in err
    assert "unknown key 'urll'" in err
    assert "profile.fetch.0 has no url" in err
