"""Judge real merged changes: no crash, the same report twice, JSON valid against the published schema.

    python tests/bench/replay.py REPOSITORY [--changes 100] [--profile FILE]

Each of the newest first-parent commits is judged against its first parent. Prints a row a failure and a summary, and
exits 1 if anything failed. Nothing of the repository is written or kept.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import jsonschema

from gatecli import pipeline, reports
from gatecli.model import Report

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"
NOW = 1_795_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--profile")
    arguments = parser.parse_args()
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_bytes()))
    failures = 0
    verdicts: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    spent: list[float] = []
    functions = 0
    unequal = 0
    for sha in commits(arguments.repository, arguments.changes):
        try:
            started = time.perf_counter()
            first = judge(arguments.repository, sha, arguments.profile)
            spent.append(time.perf_counter() - started)
            document = json.loads(reports.render("json", first))
            problems = [error.message[:200] for error in validator.iter_errors(document)]
            second = judge(arguments.repository, sha, arguments.profile)
            if is_unchecked(first) != is_unchecked(second):
                unequal += 1
            elif stable(first) != stable(second):
                problems.append("a second run gave another report")
            reports.render("terminal", first)
            if len(reports.render("markdown", first)) > 65_000:
                problems.append("the comment is too long")
        except Exception as error:
            problems = [f"{type(error).__name__}: {error}"]
        else:
            verdicts[first.verdict.decision.value] += 1
            functions += len(first.case.functions)
            flags.update({f"{f.severity.value} {f.rule}" for f in first.findings})
        for problem in problems:
            failures += 1
            print(f"{sha[:12]}  {problem}")
    total = len(spent)
    print(f"{arguments.repository}: {total} changes, {functions} touched functions, {failures} failures")
    print("the type checker ran out of time in one run only, which the report says:", unequal)
    print("verdicts:", dict(verdicts))
    print("changes with a finding:", dict(flags.most_common()))
    print(f"seconds a change: median {statistics.median(spent):.2f}, worst {max(spent):.2f}")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    return 1 if failures else 0


def commits(repository: Path, count: int) -> list[str]:
    out = subprocess.run(
        ["git", "-C", str(repository), "log", "--first-parent", f"--max-count={count}", "--format=%H %P"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [line.split()[0] for line in out.splitlines() if len(line.split()) > 1]


def judge(repository: Path, sha: str, profile: str | None) -> Report:
    source = pipeline.open_source(repository, revisions=f"{sha}^..{sha}")
    return pipeline.judge(source, pipeline.Request(profile=profile, now=NOW))


def is_unchecked(report: Report) -> bool:
    """Whether the type checker gave up, as it does on a machine that is busy."""
    return any(blast.unchecked for blast in report.case.blast.values())


def stable(report: Report) -> bytes:
    """The report without its timings."""
    document = json.loads(reports.render("json", report))
    document.pop("timings_ms")
    return json.dumps(document, sort_keys=True).encode()


if __name__ == "__main__":
    sys.exit(main())
