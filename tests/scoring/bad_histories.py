"""Histories as they should not be: each kind is made of a new repository, and says where the clone is to look at."""

from collections.abc import Callable, Mapping
from pathlib import Path

from gatecli.reports.weights import as_yaml
from gatecli.scoring.learn import learn, with_bands
from gatecli.scoring.learned import Band, prior
from tests.conftest import GitRepo
from tests.scoring.histories import past

WEIGHTS = ".gate/weights.yml"


def weights() -> str:
    """Weights as ``gate learn`` writes them, of a past that is made up."""
    bands = Band(share=0.2, points=0, caught=4, bad=10), Band(share=0.05, points=0, caught=1, bad=10)
    return as_yaml(with_bands(learn(past(400), prior()), bands, tuple(range(0, 200, 2))))


def price(number: int) -> str:
    """A module with one function."""
    return f"def price(total):\n    return total * {number}\n"


def dated(at: int) -> dict[str, str]:
    """A commit of a time, in UTC epoch seconds."""
    return {"GIT_AUTHOR_DATE": f"@{at} +0000", "GIT_COMMITTER_DATE": f"@{at} +0000"}


def stepped(repo: GitRepo, times: list[int]) -> None:
    """A change of one function at each of some times, the weights in the first; each third takes one back."""
    for number, at in enumerate(times):
        message = f"Undo\n\nThis reverts commit {repo.head()}." if number % 3 == 2 else f"Step {number}"
        more: dict[str, str | bytes | None] = {WEIGHTS: weights()} if not number else {}
        repo.commit({**more, "shop/price.py": price(number)}, message, env=dated(at))


DAYS = [1_700_000_000 + 86_400 * day for day in range(8)]


def nothing(repo: GitRepo) -> Path:
    """No commit yet."""
    return repo.path


def single(repo: GitRepo) -> Path:
    """One commit."""
    stepped(repo, DAYS[:1])
    return repo.path


def shallow(repo: GitRepo) -> Path:
    """The last two commits alone."""
    stepped(repo, DAYS)
    clone = repo.path.with_name("shallow")
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(clone))
    return clone


def merges(repo: GitRepo) -> Path:
    """A first commit, and merges of one commit each."""
    stepped(repo, DAYS[:1])
    for number in range(1, 7):
        repo.git("checkout", "-q", "-b", f"work-{number}")
        repo.commit({"shop/price.py": price(number)}, f"Step {number}", env=dated(DAYS[number]))
        repo.git("checkout", "-q", "main")
        repo.git("merge", "-q", "--no-ff", "-m", f"Merge {number}", f"work-{number}", env=dated(DAYS[number]))
    return repo.path


def rewritten(repo: GitRepo) -> Path:
    """The newest commit is of the oldest date."""
    stepped(repo, DAYS[::-1])
    return repo.path


def of_1970(repo: GitRepo) -> Path:
    """Everything at the beginning of time."""
    stepped(repo, [0] * 8)
    return repo.path


def of_the_future(repo: GitRepo) -> Path:
    """Everything in 2100, and the largest date that git takes."""
    stepped(repo, [4_102_444_800] * 7 + [2**40])
    return repo.path


def in_turn(repo: GitRepo) -> Path:
    """1970 and 2100 in turn."""
    stepped(repo, [0, 4_102_444_800] * 4)
    return repo.path


def without_code(repo: GitRepo) -> Path:
    """No Python file was ever there."""
    for number in range(4):
        repo.commit({WEIGHTS: weights(), "README.md": f"{number}\n"}, f"Step {number}")
    return repo.path


def blobless(repo: GitRepo) -> Path:
    """A partial clone that has the files of its newest commit, and whose origin is gone."""
    stepped(repo, DAYS)
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = repo.path.with_name("blobless")
    repo.git("clone", "-q", "--filter=blob:none", f"file://{repo.path}", str(clone))
    repo.path.rename(repo.path.with_name("gone"))
    return clone


def without_a_blob(repo: GitRepo) -> Path:
    """One old version of a file was deleted from the object store."""
    stepped(repo, DAYS)
    return _without(repo, "HEAD~3:shop/price.py")


def without_a_tree(repo: GitRepo) -> Path:
    """One old tree was deleted from the object store."""
    stepped(repo, DAYS)
    return _without(repo, "HEAD~3^{tree}")


def without_a_commit(repo: GitRepo) -> Path:
    """One old commit was deleted from the object store."""
    stepped(repo, DAYS)
    return _without(repo, "HEAD~3")


def _without(repo: GitRepo, name: str) -> Path:
    found = repo.git("rev-parse", name).strip()
    Path(repo.path, ".git", "objects", found[:2], found[2:]).unlink()
    return repo.path


KINDS: Mapping[str, Callable[[GitRepo], Path]] = {
    one.__name__: one
    for one in (
        *(nothing, single, shallow, merges, rewritten, of_1970, of_the_future, in_turn, without_code),
        *(blobless, without_a_blob, without_a_tree, without_a_commit),
    )
}
