"""How often do the rules speak on real merged changes? Flags per 100 changes by rule and severity, and what to read.

    python -m tests.bench.precision CLONE… [--changes 100] [--skip 0] [--read FILE]

The newest first-parent commits of each clone that touch production Python (without the first ``--skip``) are judged
against their first parents, without a profile or a policy. ``--read`` writes a line a finding (repository, commit,
severity, rule, place, message), to be read by hand; the tables in ``docs/rules-measured.md`` come from there. Nothing
of a clone is written.

    python -m tests.bench.precision --recall FILE --clones FOLDER

judges the commits of a list (``repository<TAB>commit<TAB>rule<TAB>what undid it<TAB>example``) and prints which of them
their rule flags, and where that is not what the example that rebuilds the commit says.
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gatecli import pipeline
from gatecli.model import Finding, Outcome, Report, Severity
from gatecli.rules import registry

NOW = 1_795_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", type=Path, nargs="*")
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--read", type=Path)
    parser.add_argument("--recall", type=Path)
    parser.add_argument("--clones", dest="folder", type=Path)
    arguments = parser.parse_args()
    if arguments.recall:
        return recall(arguments.recall, arguments.folder)
    flags: Counter[tuple[str, Severity]] = Counter()
    worst: Counter[Severity | None] = Counter()
    lines, judged = [], 0
    for clone in arguments.clones:
        for sha in commits(clone, arguments.changes, arguments.skip):
            report = judge(clone, sha)
            findings = report.findings
            judged += 1
            flags.update((finding.rule, finding.severity) for finding in findings)
            worst[min((finding.severity for finding in findings), key=_rank, default=None)] += 1
            lines += [row(clone.name, sha, finding) for finding in findings]
        if arguments.read:
            arguments.read.write_text("".join(lines), encoding="utf-8")
        print(f"{clone.name}: done", file=sys.stderr, flush=True)
    table(flags, worst, judged)
    return 0


def commits(clone: Path, count: int, skip: int) -> Iterator[str]:
    """The newest first-parent commits that touch Python outside of tests, after the first ``skip`` of them."""
    command = ["git", "-C", str(clone), "log", "--first-parent", "--format=%H", f"-n{count}", f"--skip={skip}"]
    paths = ["--", "*.py", ":(exclude)*test*", ":(exclude)docs/*"]
    out = subprocess.run([*command, *paths], check=True, capture_output=True, text=True)
    yield from out.stdout.split()


def judge(clone: Path, sha: str) -> Report:
    """A commit against its first parent."""
    origin = pipeline.open_source(clone, revisions=f"{sha}^..{sha}")
    return pipeline.judge(origin, pipeline.Request(now=NOW))


def _rank(severity: Severity) -> int:
    return [Severity.BLOCK, Severity.REVIEW, Severity.NOTE].index(severity)


def row(clone: str, sha: str, finding: Finding) -> str:
    """One line to read."""
    where = f"{finding.path}:{finding.line or 0}"
    error = "" if finding.outcome is Outcome.FLAGGED else f" {finding.outcome.value.upper()}"
    return "\t".join([clone, sha[:12], finding.severity.value, finding.rule + error, where, finding.message]) + "\n"


def table(flags: Counter[tuple[str, Severity]], worst: Counter[Severity | None], judged: int) -> None:
    """Flags per 100 changes, rule by rule, and how many changes get any."""
    print(f"{judged} changes\n")
    print("| rule | block | review | note | (per 100 changes) |\n| --- | --- | --- | --- | --- |")
    for rule in sorted({rule for rule, _ in flags}):
        cells = [f"{100 * flags[rule, severity] / judged:.1f}" for severity in Severity]
        print(f"| {rule} | {' | '.join(cells)} | |")
    review = worst[Severity.REVIEW] + worst[Severity.BLOCK]
    print(f"\nany finding of review or block: {review} ({100 * review / judged:.1f} %)")
    print(f"any finding of block: {worst[Severity.BLOCK]} ({100 * worst[Severity.BLOCK] / judged:.1f} %)")
    print(f"no finding at all: {worst[None]} ({100 * worst[None] / judged:.1f} %)")


def recall(path: Path, folder: Path) -> int:
    """How many commits of a list are flagged by the rule that stands beside them."""
    flags = {(rule.id, example.name): example.flags for rule in registry.load({}, {}) for example in rule.examples}
    found: Counter[str] = Counter()
    known: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        repository, sha, rule, _, example = line.split("\t")
        started = time.perf_counter()
        report = judge(folder / repository.rpartition("/")[2], sha)
        severities = [finding.severity.value for finding in report.findings if finding.rule == rule]
        known[rule] += 1
        found[rule] += bool(severities)
        spent = time.perf_counter() - started
        other = "" if bool(severities) is flags[rule, example] else "\tnot as its example says"
        print(f"{repository}\t{sha[:12]}\t{rule}\t{severities[0] if severities else 'missed'}\t{spent:.1f} s{other}")
    print(f"\n{found.total()} of {known.total()} flagged")
    return 0


if __name__ == "__main__":
    sys.exit(main())
