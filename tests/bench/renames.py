"""Are renames and moves found? Against cases that a person read and labelled.

    python -m tests.bench.renames draw REPOSITORY... --out /tmp/cases.txt [--each 60] [--seed 1]
    python -m tests.bench.renames score FOLDER_OF_REPOSITORIES [--show]

``draw`` looks for functions that went away, without any code of gate: functions from the standard library's ``ast``,
the changes from plain git. For each it writes the likeliest new functions of the same commit (by the share of equal
lines, and by name), with a diff to read. A third each is drawn from those whose best candidate is nearly equal,
somewhat alike, and hardly alike, at most two a commit. What was read there stands in ``data/renames.jsonl``, facts
only: repository, commit, old id, and the ids that are right answers (none where the function was really removed, two
where it was split into look-alikes). The thresholds were chosen with the first sample in sight; the one held out was
drawn and read after that.

``score`` runs gate on those commits. A pair that gate reports is right where its new id is a right answer; a labelled
case is found where gate reports a right answer.
"""

import argparse
import ast
import difflib
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatecli.model import FunctionChange
from gatecli.sources.changes import read_range
from gatecli.sources.git import Repository
from gatecli.syntax.match import changed_functions
from tests.bench.second_opinion import MODULE, Unit, changed_files, git, lines_of, units

LABELS = Path(__file__).parent / "data" / "renames.jsonl"
_MAX_FILES = 40
_MAX_PAIRS = 40_000
_PER_COMMIT = 2
_SHOWN_LINES = 60
# Nearly equal, somewhat alike, hardly alike: the share of equal lines of the best candidate.
_STRATA = (0.9, 0.4, 0.0)


# --------------------------------------------------------------------------- drawing candidates, without gate


@dataclass(frozen=True)
class Found:
    """A function on one side: its id, and its lines without indentation."""

    id: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """A function that went away, and the likeliest places that it went to, best first."""

    repository: str
    commit: str
    old: Found
    candidates: tuple[tuple[float, Found], ...]

    @property
    def stratum(self) -> int:
        best = self.candidates[0][0] if self.candidates else 0.0
        return next(index for index, least in enumerate(_STRATA) if best >= least)


def commits(repository: Path, since: str) -> list[tuple[str, str]]:
    """First-parent commits that touch Python, with their first parents."""
    out = git(repository, "log", "--first-parent", f"--since={since}", "--format=%H %P", "HEAD", "--", "*.py")
    rows = [line.split() for line in out.decode().splitlines()]
    return [(row[1], row[0]) for row in rows if len(row) > 1]


def gone_and_come(repository: Path, base: str, head: str) -> tuple[list[Found], list[Found]]:
    """Functions that only one side of a change has, by their qualified name in the file that git pairs."""
    gone: list[Found] = []
    come: list[Found] = []
    for number, file in enumerate(changed_files(repository, base, head)):
        if number > _MAX_FILES:
            return [], []
        try:
            old, new = units(file.before, set()), units(file.after, set())
        except (SyntaxError, ValueError):
            continue
        gone += [_found(file.old_path, unit, file.before) for name, unit in old.items() if name not in new]
        come += [_found(file.path, unit, file.after) for name, unit in new.items() if name not in old]
    return [one for one in gone if one.lines], [one for one in come if one.lines]


def _found(path: str | None, unit: Unit, source: bytes | None) -> Found:
    is_function = isinstance(unit.node, ast.FunctionDef | ast.AsyncFunctionDef)
    text = lines_of(source)[unit.first - 1 : unit.end] if source and is_function and unit.qualname != MODULE else []
    lines = tuple(line.decode("utf-8", "replace").strip() for line in text if line.strip())
    return Found(f"{path}::{unit.qualname}", unit.qualname.rpartition(".")[2].partition("#")[0], lines)


def likeness(old: Found, new: Found) -> float:
    """The share of equal lines (difflib's ratio), a little more for an equal name."""
    ratio = difflib.SequenceMatcher(None, old.lines, new.lines, autojunk=False).ratio()
    return ratio + 0.05 * (old.name == new.name)


def cases(repository: Path, since: str, generator: random.Random, wanted: int) -> Iterator[Case]:
    """Cases of one repository in random order of commits, until every stratum has its share."""
    rows = commits(repository, since)
    generator.shuffle(rows)
    taken: Counter[int] = Counter()
    for base, head in rows:
        gone, come = gone_and_come(repository, base, head)
        if not gone or not come or len(gone) * len(come) > _MAX_PAIRS:
            continue
        generator.shuffle(gone)
        here = 0
        for old in gone:
            scored = sorted(((likeness(old, new), new) for new in come), key=lambda pair: -pair[0])
            case = Case(repository.parent.name.replace("+", "/"), head, old, tuple(scored[:3]))
            if here < _PER_COMMIT and taken[case.stratum] < wanted // len(_STRATA):
                here += 1
                taken[case.stratum] += 1
                yield case
        if taken.total() >= wanted // len(_STRATA) * len(_STRATA):
            return


def show(number: int, case: Case) -> str:
    """A case to read: the candidates, each with a diff."""
    shown = [f"=== {number} {case.repository} {case.commit[:10]} {case.old.id} ({len(case.old.lines)} lines)"]
    for index, (score, new) in enumerate(case.candidates):
        shown.append(f"--- [{index}] {score:.2f} {new.id}")
        diff = list(difflib.unified_diff(case.old.lines, new.lines, n=1, lineterm=""))[2:]
        limit = _SHOWN_LINES if index == 0 else 12
        if index == 0 or score > 0.3:
            shown += diff[:limit]
    return "\n".join(shown)


def draw(repositories: list[Path], out: Path, each: int, seed: int, since: str) -> None:
    """Write the cases to read, and beside them the same as data."""
    generator = random.Random(seed)
    found = [case for path in repositories for case in cases(path, since, generator, each)]
    generator.shuffle(found)
    out.write_text("\n\n".join(show(number, case) for number, case in enumerate(found)) + "\n")
    rows = [
        {
            "repository": case.repository,
            "commit": case.commit,
            "old": case.old.id,
            "candidates": [new.id for _, new in case.candidates],
            "likeness": ("nearly equal", "somewhat alike", "hardly alike")[case.stratum],
        }
        for case in found
    ]
    out.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(f"{len(found)} cases in {out}")


# --------------------------------------------------------------------------- scoring gate


def pairs_of(repository: Path, commit: str) -> dict[str, FunctionChange]:
    """What gate says each function of the old side became, by its old id; removed functions are not in it."""
    change = read_range(Repository.open(repository), f"{commit}^..{commit}")
    return {str(row.before.id): row for row in changed_functions(change.files)[0] if row.before and row.after}


def score(folder: Path, *, show_wrong: bool) -> bool:
    """Print precision and recall, in all and for each kind; whether both targets are met."""
    labels = [json.loads(line) for line in LABELS.read_text().splitlines()]
    by_commit: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for label in labels:
        by_commit[label["repository"], label["commit"]].append(label)
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for (name, commit), group in by_commit.items():
        said = pairs_of(folder / name.replace("/", "+") / "repo", commit)
        for label in group:
            row = said.get(label["old"])
            answer = str(row.id) if row else None
            outcome = _outcome(answer, label["new"])
            for group_name in ("all", f"sample: {label['sample']}", _kind(label), label["likeness"]):
                tally[group_name][outcome] += 1
            if show_wrong and outcome not in ("right", "rightly removed"):
                print(f"{outcome}: {name} {commit[:10]} {label['old']} -> {label['new']}; gate {answer}")
    print("| | cases | really removed | pairs | found | wrong | precision | recall |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for group_name in ("all", *sorted(tally.keys() - {"all"})):
        print(_line(group_name, tally[group_name]))
    precision, recall = _figures(tally["all"])
    return precision >= 0.95 and recall >= 0.90


def _outcome(answer: str | None, right: list[str]) -> str:
    if answer is None:
        return "missed" if right else "rightly removed"
    if answer in right:
        return "right"
    return "wrong and missed" if right else "wrong"


def _kind(label: dict[str, Any]) -> str:
    if not label["new"]:
        return "really removed"
    (old_path, old), (new_path, new) = (id.split("::") for id in (label["old"], label["new"][0]))
    if old_path == new_path:
        return "renamed in its file" if _last(old) != _last(new) else "moved within its file"
    return "moved to another file" if _last(old) == _last(new) else "renamed and moved"


def _last(qualname: str) -> str:
    return qualname.rpartition(".")[2].partition("#")[0]


def _figures(tally: Counter[str]) -> tuple[float, float]:
    right = tally["right"]
    said = right + tally["wrong"] + tally["wrong and missed"]
    real = right + tally["missed"] + tally["wrong and missed"]
    return right / said if said else 1.0, right / real if real else 1.0


def _line(name: str, tally: Counter[str]) -> str:
    precision, recall = _figures(tally)
    real = tally["right"] + tally["missed"] + tally["wrong and missed"]
    wrong = tally["wrong"] + tally["wrong and missed"]
    none = tally["rightly removed"] + tally["wrong"]
    figures = f"{tally['right']} | {wrong} | {precision:.3f} | {recall:.3f}" if real else f"– | {wrong} | – | –"
    return f"| {name} | {tally.total()} | {none} | {real} | {figures} |"


def main() -> int:
    """Draw or score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    drawing = commands.add_parser("draw")
    drawing.add_argument("repositories", nargs="+", type=Path, help="git repositories, as OWNER+NAME/repo")
    drawing.add_argument("--out", type=Path, required=True)
    drawing.add_argument("--each", type=int, default=60, help="how many cases a repository")
    drawing.add_argument("--seed", type=int, default=1)
    drawing.add_argument("--since", default="2019-01-01")
    scoring = commands.add_parser("score")
    scoring.add_argument("folder", type=Path, help="holds OWNER+NAME/repo for each repository")
    scoring.add_argument("--show", action="store_true", help="print every wrong answer")
    given = parser.parse_args()
    if given.command == "draw":
        draw(given.repositories, given.out, given.each, given.seed, given.since)
        return 0
    return 0 if score(given.folder, show_wrong=given.show) else 1


if __name__ == "__main__":
    sys.exit(main())
