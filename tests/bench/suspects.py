"""How often the function-level SZZ of the replay names a commit that really caused a bug: precision and recall.

    python tests/bench/suspects.py ORACLE.json CLONES

ORACLE is ``json-input-raw/bugfix_commits_all.json`` of
https://github.com/grosa1/icse2021-szz-replication-package: fixes whose developers wrote down what they repair. CLONES
is a folder of clones OWNER+NAME; a fix of Python whose repository or commits are not there is passed over, and counted.

The replay ends with the fix, of the changes before it only those of the same files are stepped through. A suspect is
right when it is, or its merge brought, a commit that the developers named.
"""

import json
import sys
from pathlib import Path

from gatecli.config import Config
from gatecli.errors import GateError
from gatecli.hindsight import new_replay
from gatecli.history.replay import Replayed
from gatecli.model import MainlineChange, Piece
from gatecli.sources.git import Repository
from gatecli.sources.mainline import read_mainline
from gatecli.syntax.outline import outline
from gatecli.syntax.python import is_python


def main() -> None:
    fixes = [one for one in json.loads(Path(sys.argv[1]).read_bytes()) if "py" in one["language"]]
    told = silent = right = named = found = causes = absent = 0
    for fix in fixes:
        clone = Path(sys.argv[2]) / fix["repo_name"].replace("/", "+")
        try:
            last, changes = replayed(clone, fix["fix_commit_hash"])
        except (GateError, OSError):
            absent += 1
            continue
        true = set(fix["bug_commit_hash"])
        suspects = [{changes[one].sha, *changes[one].branch} for one in last.suspects]
        hit = true & set().union(*suspects)
        told, silent = told + bool(suspects), silent + (not suspects)
        named, right = named + len(suspects), right + sum(bool(one & true) for one in suspects)
        causes, found = causes + len(true), found + len(hit)
        print(f"{fix['repo_name']} {fix['fix_commit_hash'][:9]}: {len(suspects)} suspects, {len(hit)} of {len(true)}")
    print(f"{told + silent} fixes ({absent} of {len(fixes)} not to be had), {told} with a suspect")
    precision, recall = right / max(1, named), found / max(1, causes)
    print(f"precision {precision:.2f} ({right} of {named}), recall {recall:.2f} ({found} of {causes})")


def replayed(clone: Path, fix: str) -> tuple[Replayed, list[MainlineChange]]:
    """The last change of the line that ends with a fix, and the changes of its files up to it."""
    if not clone.exists():
        raise FileNotFoundError(clone)
    repository = Repository.open(clone)
    changes = same_files(list(read_mainline(repository, fix)))
    blobs = {
        blob: file.path
        for change in changes
        for file in change.files
        if is_python(file.path)
        for blob in (file.before, file.after)
        if blob
    }
    contents = repository.blobs(list(blobs))
    pieces: dict[str, tuple[Piece, ...]] = {
        blob: outline(path, text) if text else () for (blob, path), text in zip(blobs.items(), contents, strict=True)
    }
    replay = new_replay(lambda blob: pieces.get(blob, ()), Config())
    return [replay.step(change) for change in changes][-1], changes


def same_files(changes: list[MainlineChange]) -> list[MainlineChange]:
    """The changes that touch a file of the last one, under any name it has had."""
    names = {file.path for file in changes[-1].files if is_python(file.path)}
    kept: list[MainlineChange] = []
    for change in reversed(changes):
        touched = [file for file in change.files if file.path in names]
        names |= {file.old_path for file in touched if file.old_path}
        kept += [change] if touched else []
    return kept[::-1]


if __name__ == "__main__":
    main()
