"""What placing a change adds to one ``gate check``, in a process of its own each time, by how much is kept of the past.

    python -m tests.bench.place REPOSITORY [REVISIONS]      the base of REVISIONS has a .gate/weights.yml

Processor time is that of the thread that places the change, its imports among it, and of git. What every other check
loads and reads anyway is loaded and read before: the tree of the base, the words of provenance, the modules of the
cache. With nothing kept the same is measured with an empty cache folder.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_SELF = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


def _spent() -> float:
    used = [resource.getrusage(who) for who in (_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(repository: Path, revisions: str) -> None:
    """Judge a change, and print what its place took."""
    import pathspec
    import platformdirs.unix

    import gatecli.sources.log
    import gatecli.syntax.building
    from gatecli import config
    from gatecli.pipeline import Request, judge, judging, open_source

    loaded = (pathspec, platformdirs, gatecli)
    place_change = judging.place_change

    def timed(origin: Any, request: Any) -> Any:
        judging.read_provenance(origin, request, config.load(origin.governing.read)[0])
        spent, began = _spent(), time.perf_counter()
        found = place_change(origin, request)
        took, clock = 1000 * (_spent() - spent), 1000 * (time.perf_counter() - began)
        how = found.problem or found.missing or "of the whole past" if found else "no weights"
        print(f"{took:5.0f} ms of processor time, {clock:5.0f} ms on the clock: {found and found.percentile} ({how})")
        return found

    assert loaded, "what other stages need is there"
    judging.place_change = timed  # type: ignore[assignment]
    judging.in_background = lambda work: SimpleNamespace(result=cache(work), now=work())  # type: ignore[assignment]
    judge(open_source(repository, revisions=revisions), Request())


def main() -> None:
    """Three processes with what is kept, three with nothing."""
    repository, revisions = Path(sys.argv[1]), (sys.argv[2:] or ["HEAD~1..HEAD"])[0]
    if os.environ.get("PLACE"):
        return measure(repository, revisions)
    again = [sys.executable, "-m", "tests.bench.place", str(repository), revisions]
    for what, keep in (("kept", True), ("nothing kept", False)):
        print(what)
        for _ in range(3):
            with tempfile.TemporaryDirectory() as empty:
                cache = {} if keep else {"XDG_CACHE_HOME": empty}
                environment = {**os.environ, **cache, "PLACE": "1", "PYTHONDONTWRITEBYTECODE": ""}
                subprocess.run(again, check=True, env=environment)
    return None


if __name__ == "__main__":
    main()
