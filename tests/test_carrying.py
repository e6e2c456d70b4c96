"""A profile of an older commit, through the whole gate."""

from pathlib import Path

import pytest

from gatecli import pipeline
from gatecli.model import FunctionId, Report, UsageStatus
from gatecli.reports.summary import matching, profile_origin
from gatecli.runtime import carry
from gatecli.runtime.profile import Meta, Profile, ProfiledFunction, Source, Window, save
from gatecli.sources.git import Repository
from tests.conftest import FIRST_COMMIT_AT, GitRepo

TOTAL = """\
def total(lines):
    result = 0
    for line in lines:
        if line.amount < 0:
            raise ValueError("negative amount", line)
        result += line.amount * line.price
    return result
"""
RATE = 1_200.0
NOW = FIRST_COMMIT_AT + 86_400


def recorded_at(revision: str, folder: Path, *ids: str) -> str:
    rows = tuple(
        ProfiledFunction(
            id=id,
            kind="function",
            calls=12_000,
            calls_per_min=RATE,
            calls_basis="counted",
            match="qualname",
            sources=(0,),
        )
        for id in sorted(ids)
    )  # fmt: skip
    source = Source(kind="pstats", file="p", sha256="", basis="counted", frames_project=9, frames_matched=9)
    window = Window(end="2023-11-15T00:00:00Z", observed_seconds=600.0)
    path = folder / "profile.json"
    save(Profile(meta=Meta(revision=revision, sources=(source,), window=window), functions=rows), path)
    return str(path)


def judged(repo: GitRepo, profile: str, revisions: str) -> Report:
    origin = pipeline.open_source(repo.path, revisions=revisions)
    return pipeline.judge(origin, pipeline.Request(profile=profile, now=NOW))


@pytest.fixture
def moved(repo: GitRepo, tmp_path: Path) -> tuple[GitRepo, str]:
    """Recorded, then renamed and moved, then more commits, then edited on a branch."""
    deployed = repo.commit({"shop/cart.py": TOTAL, "shop/old.py": "def gone():\n    return 1\n"})
    repo.commit({"shop/cart.py": None, "shop/sums.py": TOTAL.replace("total", "sum_of"), "README": "x"})
    repo.commit({"shop/fresh.py": "def fresh():\n    return 1\n", "shop/old.py": None})
    repo.git("tag", "base")
    edited = TOTAL.replace("total", "sum_of").replace("result = 0", "result = 1")
    repo.commit({"shop/sums.py": edited, "shop/fresh.py": "def fresh():\n    return 2\n"})
    return repo, recorded_at(deployed, tmp_path, "shop/cart.py::total", "shop/old.py::gone")


def test_usage_is_found_under_the_new_name(moved: tuple[GitRepo, str]) -> None:
    report = judged(*moved, "base...HEAD")
    usage = report.case.usage[FunctionId(path="shop/sums.py", qualname="sum_of")]
    assert (usage.status, usage.calls_per_minute) == (UsageStatus.OBSERVED, RATE)
    assert (usage.confidence, usage.reason) == ("high", "recorded as shop/cart.py::total")
    fresh = report.case.usage[FunctionId(path="shop/fresh.py", qualname="fresh")]
    assert (fresh.status, fresh.reason) == (UsageStatus.UNMATCHED, "newer than the profile")
    profile = report.case.profile
    assert profile is not None
    assert (profile.commits_behind, profile.changed_since) == (2, 0)
    assert "1 recorded function is no longer in the code: shop/old.py::gone" in profile.warnings


def test_the_report_says_how_far_behind_it_is(moved: tuple[GitRepo, str]) -> None:
    assert "2 commits behind" in profile_origin(judged(*moved, "base...HEAD"))


def test_a_change_since_is_said(repo: GitRepo, tmp_path: Path) -> None:
    deployed = repo.commit({"a.py": TOTAL})
    repo.commit({"a.py": TOTAL.replace("result = 0", "result = 1")})
    repo.commit({"a.py": TOTAL.replace("result = 0", "result = 2")})
    report = judged(repo, recorded_at(deployed, tmp_path, "a.py::total"), "HEAD~1...HEAD")
    usage = report.case.usage[FunctionId(path="a.py", qualname="total")]
    assert (usage.calls_per_minute, usage.confidence, usage.reason) == (RATE, "medium", "its code changed since")
    assert report.case.profile is not None
    assert (report.case.profile.commits_behind, report.case.profile.changed_since) == (1, 1)
    assert "1 changed since" in matching(report)


def test_the_deployed_commit_may_be_ahead(repo: GitRepo, tmp_path: Path) -> None:
    """An old branch: what runs is newer than where it parted."""
    repo.commit({"a.py": TOTAL})
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit({"a.py": TOTAL.replace("= 0", "= 1")})
    repo.git("checkout", "--quiet", "main")
    deployed = repo.commit({"a.py": None, "b.py": TOTAL})
    report = judged(repo, recorded_at(deployed, tmp_path, "b.py::total"), "main...topic")
    assert report.case.usage[FunctionId(path="a.py", qualname="total")].reason == "recorded as b.py::total"
    assert report.case.profile is not None
    assert report.case.profile.commits_behind == 0
    assert "the recorded revision has 1 commits that the base of the change lacks" not in report.case.profile.warnings
    assert "the recorded revision has 1 commit that the base of the change lacks" in report.case.profile.warnings


def test_nothing_is_read_where_the_base_is_what_was_deployed(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = repo.commit({"a.py": TOTAL})
    repo.commit({"a.py": TOTAL.replace("= 0", "= 1")})
    monkeypatch.setattr(Repository, "distance", _never)
    monkeypatch.setattr(carry, "files_to_follow", _never)
    report = judged(repo, recorded_at(deployed, tmp_path, "a.py::total"), "HEAD~1...HEAD")
    assert report.case.usage[FunctionId(path="a.py", qualname="total")].reason is None
    assert report.case.profile is not None
    assert report.case.profile.commits_behind == 0


def _never(*_: object) -> None:
    raise AssertionError("costs nothing")


@pytest.mark.parametrize("revision", ["f" * 40, "no such tag", "--output=x", "", "HEAD^{tree}"])
def test_a_revision_that_is_not_in_the_clone(repo: GitRepo, tmp_path: Path, revision: str) -> None:
    repo.commit({"a.py": TOTAL})
    repo.commit({"a.py": TOTAL.replace("= 0", "= 1")})
    report = judged(repo, recorded_at(revision, tmp_path, "a.py::total"), "HEAD~1...HEAD")
    assert report.case.usage[FunctionId(path="a.py", qualname="total")].calls_per_minute == RATE
    assert report.case.profile is not None
    assert report.case.profile.commits_behind is None
    said = f"the recorded revision {revision[:12]} is not in this clone: matched by name alone"
    assert said in report.case.profile.warnings


def test_of_too_many_files_only_the_touched_are_followed(
    moved: tuple[GitRepo, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry, "MAX_FILES", 1)  # as git sees it, both files were renamed
    report = judged(*moved, "base...HEAD")
    profile = report.case.profile
    assert profile is not None
    assert any(warning.startswith("more than 1 Python files changed since") for warning in profile.warnings)
    assert report.case.usage[FunctionId(path="shop/sums.py", qualname="sum_of")].calls_per_minute == RATE


def test_outside_of_a_repository_names_are_all_there_is(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text(TOTAL)
    patch = "--- a/a.py\n+++ b/a.py\n@@ -2,1 +2,1 @@\n-    result = 0\n+    result = 1\n"
    origin = pipeline.open_source(tmp_path / "code", patch=("p", patch.encode()))
    report = pipeline.judge(origin, pipeline.Request(profile=recorded_at("f" * 40, tmp_path, "a.py::total"), now=NOW))
    assert report.case.usage[FunctionId(path="a.py", qualname="total")].calls_per_minute == RATE
