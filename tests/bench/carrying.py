"""How well functions are followed over a real history: ``python -m tests.bench.carrying CLONE [COMMITS…]``.

Truth: code of at least five lines that stands once in either tree, in a function of any name, is the same function. A
profile that names every production function of the older revision is carried to the newer one and compared with that.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from gatecli.errors import GateError
from gatecli.model import FunctionId, FunctionKind, Tree
from gatecli.runtime.attach import function_id
from gatecli.runtime.carry import MAX_FILES, Carried, carry, files_to_follow, files_to_parse
from gatecli.runtime.profile import Meta, Profile, ProfiledFunction
from gatecli.sources.changes import read_python_between
from gatecli.sources.git import Repository
from gatecli.syntax.match import changed_functions
from gatecli.syntax.python import read_functions

LEAST_LINES = 5


def is_test(path: str) -> bool:
    return "test" in path


def functions_of(tree: Tree) -> dict[FunctionId, bytes]:
    """Every production function with its code but for its name."""
    found = {}
    for path in tree.paths():
        source = tree.read(path) if path.endswith(".py") and not is_test(path) else None
        if source is None:
            continue
        try:
            functions = read_functions(path, source)
        except GateError:
            continue
        lines = [line.strip() for line in source.split(b"\n")]
        for one in functions:
            if one.kind in (FunctionKind.FUNCTION, FunctionKind.METHOD):
                body = lines[one.span.def_line - 1 : one.span.end_line]
                found[one.id] = b"\n".join([body[0].partition(b"(")[2], *filter(None, body[1:])])
    return found


def alone(functions: Iterable[tuple[FunctionId, bytes]]) -> dict[bytes, FunctionId]:
    """Code that only one function has."""
    by_code = defaultdict(list)
    for id, code in functions:
        if code.count(b"\n") + 1 >= LEAST_LINES:
            by_code[code].append(id)
    return {code: ids[0] for code, ids in by_code.items() if len(ids) == 1}


def follow(repository: Repository, profile: Profile, old: str, new: str) -> tuple[Carried, float, int]:
    """The profile as one of the newer revision, the seconds that took, and how many files were read."""
    started = time.perf_counter()
    behind, ahead = repository.distance(old, new)
    files, differing = read_python_between(
        repository, old, new, lambda pairs: files_to_follow(profile, frozenset(), pairs, is_test)
    )
    functions, _ = changed_functions(files_to_parse(files, frozenset()))
    carried = carry(profile, files, functions, behind=behind, ahead=ahead, truncated=differing > MAX_FILES)
    return carried, time.perf_counter() - started, len(files)


def measure(repository: Repository, head: str, commits: int) -> None:
    """Print one row."""
    old = repository.resolve(f"{head}~{commits}")
    new = repository.resolve(head)
    before, after = functions_of(repository.tree(old)), functions_of(repository.tree(new))
    rows = tuple(ProfiledFunction(id=str(id), kind="function") for id in sorted(before, key=str))
    carried, seconds, files = follow(repository, Profile(meta=Meta(revision=old), functions=rows), old, new)
    moved = {since.was: id for id, since in carried.since.items() if since.was is not None}
    now = alone(after.items())
    truth = {was: now[code] for code, was in alone(before.items()).items() if code in now}
    elsewhere = {was: id for was, id in truth.items() if was != id}
    wrong = [was for was, id in truth.items() if was not in carried.gone and moved.get(was, was) != id]
    lost = [was for was in truth if was in carried.gone]
    unknown = [
        row.id for row in carried.profile.functions
        if function_id(row.id) not in after and function_id(row.id) not in carried.gone
    ]  # fmt: skip
    print(
        f"{commits:>5} commits, {files:,} files read in {seconds:.2f} s: {len(before):,} functions, "
        f"{len(truth):,} with a known place ({len(elsewhere):,} of them another): {len(wrong)} wrong "
        f"({len(wrong) / max(1, len(truth)):.2%}), {len(lost)} lost; {len(carried.gone):,} gone with a reason, "
        f"{len(unknown)} neither there nor gone"
    )
    for was in wrong[:5]:
        print(f"      {was} is {truth[was]}, carried to {moved.get(was, was)}")
    for id in unknown[:5]:
        print(f"      neither: {id}")


def main() -> None:
    """Measure the clone that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clone", type=Path)
    parser.add_argument("commits", type=int, nargs="*", default=[50, 500])
    arguments = parser.parse_args()
    repository = Repository.open(arguments.clone)
    head = repository.head()
    assert head is not None
    for commits in arguments.commits:
        measure(repository, head, commits)


if __name__ == "__main__":
    main()
