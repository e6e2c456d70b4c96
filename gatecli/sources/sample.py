"""A throw-away repository from a series of ``git format-patch`` mails, the same to the last commit id each time."""

from email.utils import parseaddr
from pathlib import Path
from tempfile import TemporaryFile

from gatecli.sources import sample_past
from gatecli.sources.git import Repository
from gatecli.sources.git_command import failure
from gatecli.sources.patch import parse


def build(directory: Path, mails: list[bytes], *, branch: str, branch_at: int) -> Repository:
    """Make a repository in an empty folder: the mails in order on ``main``, from number ``branch_at`` on ``branch``.

    Before the first mail stands a past that is made up, to compare changes with.
    Author, committer, dates and messages come from the mails, so commit ids are reproducible.
    """
    repository = Repository.create(directory)
    _import(repository)
    for number, mail in enumerate(mails):
        if number == branch_at:
            repository.run("checkout", "-q", "-b", branch)
        name, address = _author(mail)
        env = {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": address, "GIT_CONFIG_GLOBAL": "/dev/null"}
        file = directory / ".git" / "gate-demo.patch"
        file.write_bytes(mail)
        repository.run("am", "--quiet", "--committer-date-is-author-date", "--no-gpg-sign", str(file), env=env)
        file.unlink()
    return repository


def _import(repository: Repository) -> None:
    with TemporaryFile() as past:
        past.write(sample_past.stream())
        past.seek(0)
        status, _, err = repository.execute(["fast-import", "--quiet"], istream=past)
    if status:
        raise failure(("fast-import",), err)
    repository.run("reset", "--quiet", "--hard")


def _author(mail: bytes) -> tuple[str, str]:
    revision = parse(mail).revisions[0]
    return parseaddr(str(revision.author))
