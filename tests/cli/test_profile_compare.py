"""``gate profile diff`` and ``export`` as a person runs them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gatecli.cli.profile import app
from gatecli.errors import GateError, UsageError
from gatecli.runtime.profile import Meta, Profile, ProfiledFunction, Source, save
from tests.conftest import GitRepo

CODE = """\
def {name}(lines):
    result = 0
    for line in lines:
        result += line.amount * line.price
    return result
"""


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, GateError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def counted(path: Path, revision: str | None, **per_minute: float) -> str:
    rows = tuple(
        ProfiledFunction(
            id=f"a.py::{name}", kind="function", calls=int(rate * 60), calls_per_min=rate, calls_basis="counted"
        )
        for name, rate in sorted(per_minute.items())
    )
    source = Source(kind="pstats", file="x", sha256="", basis="counted")
    save(Profile(meta=Meta(revision=revision, sources=(source,)), functions=rows), path)
    return str(path)


def test_diff_follows_a_renamed_function(repo: GitRepo, tmp_path: Path) -> None:
    first = repo.commit({"a.py": CODE.format(name="total")})
    second = repo.commit({"a.py": CODE.format(name="sum_of")})
    before = counted(tmp_path / "a.json", first, total=100.0, same=7.0, old=3.0)
    after = counted(tmp_path / "b.json", second, sum_of=150.0, same=7.0, fresh=2.0)
    result = run("diff", before, after, "--repo", str(repo.path))
    assert (
        result.stdout
        == """\
new  1
  a.py::fresh  calls per minute – → 2
gone  1
  a.py::old  calls per minute 3 → –
hotter  1
  a.py::sum_of  calls per minute 100 → 150 (p < 0.001)
"""
    )
    assert result.stderr == ""


def test_diff_without_revisions_says_so(tmp_path: Path) -> None:
    before = counted(tmp_path / "a.json", None, f=1.0, g=0.2)
    after = counted(tmp_path / "b.json", "f" * 40, f=1.3, g=0.1)
    result = run("diff", before, after, "--repo", str(tmp_path))
    assert (
        result.stdout
        == """\
no difference that chance could not explain
left out: 2 differences that may be chance (5 % false discoveries)
"""
    )
    assert result.stderr == ("gate: warning: the two revisions are not known: functions are compared by name alone\n")


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    before = counted(tmp_path / "a.json", None)
    after = counted(tmp_path / "b.json", None, **{f"f{i:02}": 1.0 for i in range(30)})
    short = run("diff", before, after, "--repo", str(tmp_path)).stdout.splitlines()
    assert (short[0], short[-1], len(short)) == ("new  30", "  … 10 more (--all)", 22)
    assert len(run("diff", before, after, "--repo", str(tmp_path), "--all").stdout.splitlines()) == 31


def test_export(tmp_path: Path) -> None:
    path = counted(tmp_path / "a.json", None, f=1.0)
    shown = run("export", path).stdout
    assert shown.splitlines()[1].startswith("a.py::f,function,,,60,1.0,counted,")
    run("export", path, "--format", "csv", "-o", str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text() == shown
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.json", "out.csv"]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    path = counted(tmp_path / "a.json", None, f=1.0)
    with pytest.raises(UsageError, match="cannot write"):
        run("export", path, "-o", str(tmp_path / "no" / "out.csv"))
    with pytest.raises(UsageError, match="who calls whom"):
        run("export", path, "--format", "speedscope", "-o", str(tmp_path / "out.json"))
    assert not (tmp_path / "out.json").exists()
