"""Where things are: the repository of a folder, its profile, the facts that are kept between runs."""

from collections.abc import Iterator
from pathlib import Path

from gatecli.errors import EvidenceError, UsageError
from gatecli.sources.git import Repository


def repository_of(directory: Path) -> Repository | None:
    """The repository that holds a folder, None where it is in none."""
    try:
        return Repository.open(directory)
    except UsageError:
        folder = directory.resolve()
        if not folder.is_dir() or any((parent / ".git").exists() for parent in (folder, *folder.parents)):
            raise
        return None


def root_of(directory: Path) -> Path:
    """The root of the repository (or the plain folder) at ``directory``."""
    repository = repository_of(directory)
    return directory if repository is None else repository.root


def author_of(directory: Path) -> str:
    """Who commits here, as git is configured; ``unknown`` where it is not."""
    repository = repository_of(directory)
    try:
        return repository.text("config", "--get", "user.email") or "unknown" if repository else "unknown"
    except EvidenceError:
        return "unknown"


def default_profile(directory: Path) -> Path:
    """Where the profile of the repository (or plain folder) at ``directory`` is kept."""
    from gatecli.runtime.profile import DEFAULT_PATH

    repository = repository_of(directory)
    return (directory if repository is None else repository.root) / DEFAULT_PATH


def cache_folder() -> Path:
    """Where facts of files are kept between runs."""
    from platformdirs import user_cache_path

    return user_cache_path("gate", appauthor=False)


def build_index(directory: Path) -> Iterator[tuple[int, int]]:
    """Look at every Python file of the newest commit; yields how many are done, and how many there are.

    Raises:
        UsageError: the folder is in no repository, or the repository has no commit.
    """
    from gatecli.syntax.building import build
    from gatecli.syntax.cache import FactCache

    repository = Repository.open(directory)
    head = repository.head()
    if head is None:
        raise UsageError(f"{directory} has no commit yet", "commit something first")
    with FactCache(cache_folder()) as cache:
        yield from build(repository.tree(head), cache)
