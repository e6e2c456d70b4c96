"""The profile that a nightly workflow kept: whose it may be, and that the token stays where it belongs."""

import io
import zipfile
from pathlib import Path

import pytest

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.sources import github_api
from gatecli.sources.github import GitHub
from gatecli.sources.github_api import ApiError
from gatecli.sources.github_artifact import newest_file, unpack
from tests.github.fake import TOKEN, FakeGitHub


def archive(files: dict[str, bytes]) -> bytes:
    """The files as an artifact holds them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, content in files.items():
            whole.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def test_the_newest_of_the_default_branch_and_the_token_stays_at_the_api(github: GitHub, fake: FakeGitHub) -> None:
    fake.artifact("gate-profile", archive({"profile.json.gz": b"old"}))
    fake.artifact("gate-profile", archive({"profile.json.gz": b"new"}))
    fake.artifact("gate-profile", archive({"profile.json.gz": b"a branch's"}), branch="topic")
    fake.artifact("gate-profile", archive({"profile.json.gz": b"a fork's"}), fork=True)
    fake.artifact("gate-profile", archive({"profile.json.gz": b"expired"}), expired=True)
    fake.artifact("gate-profile", archive({"profile.json.gz": b"nobody's"}), workflow_run=None)
    fake.artifact("other", archive({"profile.json.gz": b"other"}))
    assert newest_file(github, "gate-profile") == b"new"
    *asked, stored = fake.requests
    assert stored.path.startswith("/store/")
    assert "authorization" not in stored.headers
    assert all(one.headers["authorization"] == f"Bearer {TOKEN}" for one in asked)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ({"branch": "topic"}, "no run of the default branch keeps an artifact 'gate-profile'"),
        ({"fork": True}, "no run of the default branch"),
        ({"expired": True}, "or it has expired"),
    ],
)
def test_none_of_the_default_branch(github: GitHub, fake: FakeGitHub, kept: dict[str, object], said: str) -> None:
    fake.artifact("gate-profile", archive({"profile.json.gz": b"a"}), **kept)  # type: ignore[arg-type]
    with pytest.raises(EvidenceError, match=said):
        newest_file(github, "gate-profile")


def test_more_than_one_page_of_other_branches(github: GitHub, fake: FakeGitHub) -> None:
    fake.artifact("gate-profile", archive({"p": b"main's"}))
    for _ in range(250):
        fake.artifact("gate-profile", b"", branch="topic")
    assert newest_file(github, "gate-profile") == b"main's"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no archive"),
        (b"PK\x03\x04 not really", "no archive"),
        (archive({}), "holds 0 files"),
        (archive({"a": b"1", "b": b"2"}), "holds 2 files"),
        (archive({"../../a": b"x" * 100})[:60], "no archive"),
    ],
    ids=["empty", "no zip", "no file", "two files", "cut off"],
)
def test_what_is_no_archive_of_one_file(content: bytes, said: str) -> None:
    with pytest.raises(EvidenceError, match=said):
        unpack(content, "gate-profile")


def test_an_archive_that_is_damaged_inside() -> None:
    whole = bytearray(archive({"a": bytes(range(256)) * 20}))
    whole[50:70] = b"\xff" * 20
    with pytest.raises(EvidenceError, match="no archive"):
        unpack(bytes(whole), "gate-profile")


def test_what_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatecli.sources.github_artifact.MAX_FILE_BYTES", 1_000)
    assert unpack(archive({"a": b"0" * 1_000}), "a") == b"0" * 1_000
    with pytest.raises(EvidenceError, match="more than 1,000 bytes"):
        unpack(archive({"a": b"0" * 1_001}), "a")


def test_a_file_that_is_too_large(github: GitHub, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.artifact("gate-profile", b"0" * 2_000)
    monkeypatch.setattr(github_api, "MAX_FILE_BYTES", 1_000)
    with pytest.raises(ApiError, match="more than 1,000 bytes"):
        newest_file(github, "gate-profile")


@pytest.mark.parametrize("status", [302, 403, 404, 500])
def test_a_store_that_refuses_names_no_address(github: GitHub, fake: FakeGitHub, status: int) -> None:
    fake.artifact("gate-profile", archive({"a": b"1"}))
    fake.trouble("/store/", status=status, headers={"Location": "http://elsewhere.example/"})
    with pytest.raises(ApiError, match=f"host answered {status}") as error:
        newest_file(github, "gate-profile")
    assert "secret" not in error.value.message + error.value.hint


@pytest.mark.parametrize(
    "location", ["http://files.example/a", "file:///etc/passwd", "ftp://127.0.0.1/", "", "http://["]
)
def test_a_store_that_is_not_to_be_asked(github: GitHub, fake: FakeGitHub, location: str) -> None:
    fake.artifact("gate-profile", archive({"a": b"1"}))
    fake.trouble("/zip", status=302, headers={"Location": location}, times=9)
    with pytest.raises(GateError):
        newest_file(github, "gate-profile")


def test_without_the_permission(github: GitHub, fake: FakeGitHub) -> None:
    fake.allowed = set()
    with pytest.raises(ApiError, match="403") as error:
        newest_file(github, "gate-profile")
    assert error.value.refused


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 256, "\x1b[31m"])
def test_names_that_no_artifact_has(github: GitHub, fake: FakeGitHub, name: str) -> None:
    with pytest.raises(UsageError):
        newest_file(github, name)
    assert fake.requests == []


def test_the_command_writes_the_file_whole(fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from gatecli.cli.github import app

    monkeypatch.setenv("GITHUB_API_URL", fake.url)
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/shop")
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    fake.artifact("gate-profile", archive({"profile.json.gz": b"content"}))
    target = tmp_path / "profile"
    found = CliRunner().invoke(app, ["artifact", "gate-profile", "--output", str(target)])
    assert (found.exit_code, target.read_bytes()) == (0, b"content")
    assert [file.name for file in tmp_path.iterdir()] == ["profile"]
