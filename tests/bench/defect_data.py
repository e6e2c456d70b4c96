"""The additive score on the two public collections of defect-inducing changes, against lines added and a regression.

    python tests/bench/defect_data.py ISSTA21 APACHEJIT

ISSTA21 is a clone of https://github.com/ZZR0/ISSTA21-JIT-DP (six projects, fourteen features a commit), APACHEJIT one
of https://github.com/hosseinkshvrz/apachejit (its small test set of fifteen projects). Nothing is checked out.

The score is gate's own: signals against the last 2,000 commits of the project, points that are whole, never negative
and never falling, fitted with gate's own ridge towards a prior from other projects. The features are not: the files
hold fourteen, so what gate knows of functions, reverts and owners is not in these figures.

ISSTA21: each project in turn, the prior from the other five, refit on the last 3,000 commits of the first 80 % by date,
measured on the last 20 %. ApacheJIT: the prior from the six ISSTA21 projects, refit on the first half, measured on the
second; as gate has an intercept for every repository, each of its fifteen projects has its own there, of its commits in
the first half. The regression is logistic, of the fourteen features in logarithms, on the whole training part.
"""

import csv
import io
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatecli.scoring import fitting, learn, measures
from gatecli.scoring.learned import PERCENTILES, POINTS_PER_UNIT
from gatecli.scoring.standing import BLOCK, ENOUGH, WINDOW

Floats = NDArray[np.float64]
Columns = NDArray[np.float32]

PROJECTS = ("openstack", "qt", "go", "gerrit", "platform", "jdt")
FEATURES = ("ns", "nd", "nf", "entropy", "la", "ld", "lt", "fix", "ndev", "age", "nuc", "exp", "rexp", "sexp")
APACHE_NAMES = {"entropy": "ent", "exp": "aexp", "rexp": "arexp", "sexp": "asexp"}
STEPS = {
    "four steps, as shipped": PERCENTILES,
    "eleven steps": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98),
}
BUDGETS = (0.05, 0.10, 0.20, 0.30, 0.50)
LAST = 3_000
ROWS_A_PROJECT = 5_000.0
"""In the prior every project weighs as many rows, however long its history is."""
ENOUGH_ROWS = 30
DRAWS = 300

Table = Mapping[str, Floats]


def main() -> None:
    six = {name: issta(sys.argv[1], name) for name in PROJECTS}
    apache, project = apache_jit(sys.argv[2])
    print("ISSTA21, mean of six projects")
    for name, found in issta_scores(six).items():
        report(name, found)
    print("ApacheJIT, small test set, second half")
    for name, scores in apache_scores(six, apache, project).items():
        report(name, [(apache["bug"][len(scores) :], scores)])


# --------------------------------------------------------------------------- the data


def issta(clone: str, name: str) -> Table:
    rows = read(clone, f"Data_Extraction/git_base/datasets/{name}/{name}_k_feature.csv")
    rows.sort(key=lambda row: int(row["date"]))
    found = {one: numbers(row["entrophy" if one == "entropy" else one] for row in rows) for one in FEATURES}
    return {**found, "bug": numbers(row["bug"] for row in rows)}


def apache_jit(clone: str) -> tuple[Table, NDArray[np.str_]]:
    rows = read(clone, "dataset/apachejit_test_small.csv")
    rows.sort(key=lambda row: int(row["author_date"]))
    names = [one for one in FEATURES if one not in ("lt", "fix")]  # the file has no lines before the change
    found = {one: numbers(row[APACHE_NAMES.get(one, one)] for row in rows) for one in names}
    for one, column in (("fix", "fix"), ("bug", "buggy")):
        found[one] = numbers(row[column] == "True" for row in rows)
    return found, np.array([row["project"] for row in rows])


def read(clone: str, path: str) -> list[dict[str, str]]:
    command = ["git", "-C", str(Path(clone)), "show", f"HEAD:{path}"]
    return list(csv.DictReader(io.StringIO(subprocess.run(command, capture_output=True, text=True, check=True).stdout)))


def numbers(values: Iterable[object]) -> Floats:
    return np.array([float(value) for value in values])  # type: ignore[arg-type]


# --------------------------------------------------------------------------- the score


def signals(table: Table) -> Floats:
    """The features, each so that more is more risk; where that is not known before, in both directions."""
    one_way = [name for name in ("ns", "nd", "nf", "entropy", "la", "ld", "lt", "ndev", "nuc") if name in table]
    both = ("age", "exp", "rexp", "sexp")
    return np.column_stack([table[name] for name in one_way] + [s * table[name] for name in both for s in (1, -1)])


def columns(table: Table, percentiles: Sequence[float]) -> Columns:
    """The steps that each commit reaches among the last ones before it, and whether it is a repair, or none."""
    values, parts = signals(table), []
    for start in range(0, len(values), BLOCK):
        past = np.sort(values[max(0, start - WINDOW) : start] if start >= ENOUGH else values[:ENOUGH], axis=0)
        above = past[[max(0, int(np.ceil(share * len(past))) - 1) for share in percentiles]]
        block = values[start : start + BLOCK]
        parts.append((block[:, :, None] > above.T[None]).reshape(len(block), -1))
    fix = table["fix"] > 0
    return np.column_stack([np.concatenate(parts), fix, ~fix]).astype(np.float32)


def prior(parts: Sequence[tuple[Columns, Floats]]) -> Floats:
    design = np.concatenate([one for one, _ in parts])
    bad = np.concatenate([one for _, one in parts])
    group = np.concatenate([np.full(len(one), number) for number, (_, one) in enumerate(parts)])
    weight = np.concatenate([np.full(len(one), ROWS_A_PROJECT / len(one)) for _, one in parts])
    return fitting.fit(design, bad, weight=weight, group=group, ridge=learn.RIDGE)[0]


def points(weights: Floats) -> Floats:
    return np.maximum(0, np.rint(weights * POINTS_PER_UNIT))


def regression(table: Table, train: slice, group: NDArray[np.int64] | None = None) -> Floats:
    """The linear term of every commit, without its intercept."""
    logs = np.column_stack([np.log1p(np.maximum(0, table[name])) for name in FEATURES if name in table])
    scaled = ((logs - logs[train].mean(0)) / (logs[train].std(0) + 1e-9)).astype(np.float32)
    own = None if group is None else group[train]
    weights, _, _ = fitting.fit(scaled[train], table["bug"][train], group=own, ridge=1.0, signed=True)
    return np.asarray(scaled @ weights, dtype=np.float64)


def with_intercepts(linear: Floats, bad: Floats, group: NDArray[np.int64], half: int) -> Floats:
    """The second half of a linear term with the intercept of each project, as far as the first half tells one."""
    found = np.full(int(group.max()) + 1, fitting.intercept(linear[:half], bad[:half]))
    for one in range(len(found)):
        rows = np.flatnonzero(group[:half] == one)
        if len(rows) >= ENOUGH_ROWS:
            found[one] = fitting.intercept(linear[rows][-learn.LAST :], bad[rows][-learn.LAST :])
    return np.asarray((linear + found[group])[half:])


# --------------------------------------------------------------------------- the two collections


def issta_scores(six: Mapping[str, Table]) -> dict[str, list[tuple[Floats, Floats]]]:
    """By method: for each project the outcomes and the scores of its last fifth."""
    found: dict[str, list[tuple[Floats, Floats]]] = {"lines added": [], "fourteen features, regression": []}
    cut = {name: int(len(table["bug"]) * 0.8) for name, table in six.items()}
    for name, table in six.items():
        train, test = slice(0, cut[name]), slice(cut[name], None)
        found["lines added"].append((table["bug"][test], table["la"][test]))
        found["fourteen features, regression"].append((table["bug"][test], regression(table, train)[test]))
    for kind, percentiles in STEPS.items():
        design = {name: columns(table, percentiles) for name, table in six.items()}
        for name, table in six.items():
            first = prior([(design[one], six[one]["bug"]) for one in PROJECTS if one != name])
            train, test = slice(max(0, cut[name] - LAST), cut[name]), slice(cut[name], None)
            own, _, _ = fitting.fit(design[name][train], table["bug"][train], prior=first, ridge=learn.RIDGE)
            for which, weights in (("others' labels alone", first), ("refit", own)):
                scores = np.asarray(design[name][test] @ points(weights), dtype=np.float64)
                found.setdefault(f"gate, {kind}, {which}", []).append((table["bug"][test], scores))
    return found


def apache_scores(six: Mapping[str, Table], apache: Table, project: NDArray[np.str_]) -> dict[str, Floats]:
    half, (names, group) = len(project) // 2, np.unique(project, return_inverse=True)
    bad, train = apache["bug"], slice(0, half)
    found = {
        "lines added": apache["la"][half:],
        "fourteen features, regression": regression(apache, train)[half:],
        "…, own intercepts": with_intercepts(regression(apache, train, group), bad, group, half),
        "the share of bad ones in the project alone": with_intercepts(np.zeros(len(bad)), bad, group, half),
    }
    for kind, percentiles in STEPS.items():
        parts = [
            columns({name: column[group == one] for name, column in apache.items()}, percentiles)
            for one in range(len(names))
        ]
        design = np.zeros((len(project), parts[0].shape[1]), dtype=np.float32)
        for one, part in enumerate(parts):
            design[group == one] = part
        others = [{name: column for name, column in table.items() if name != "lt"} for table in six.values()]
        first = prior([(columns(table, percentiles), table["bug"]) for table in others])
        pooled, _, _ = fitting.fit(design[:half], bad[:half], prior=first, ridge=learn.RIDGE)
        own, _, _ = fitting.fit(design[:half], bad[:half], group=group[:half], prior=first, ridge=learn.RIDGE)
        found[f"gate, {kind}, others' labels alone"] = np.asarray(design[half:] @ points(first), dtype=np.float64)
        found[f"gate, {kind}, refit, one intercept"] = np.asarray(design[half:] @ points(pooled), dtype=np.float64)
        linear = np.asarray(design @ points(own), dtype=np.float64) / POINTS_PER_UNIT
        found[f"gate, {kind}, refit, own intercepts"] = with_intercepts(linear, bad, group, half)
    return found


# --------------------------------------------------------------------------- the figures


def report(name: str, projects: Sequence[tuple[Floats, Floats]]) -> None:
    """The mean over projects, and 95 % by the bootstrap over the commits of each."""
    random = np.random.default_rng(0)
    drawn = [
        np.mean([figures(bad[rows], score[rows]) for bad, score in projects for rows in [sample(bad, random)]], axis=0)
        for _ in range(DRAWS)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    mean = np.mean([figures(bad, score) for bad, score in projects], axis=0)
    said = "  ".join(f"{m:.3f} ({a:.3f} to {b:.3f})" for m, a, b in zip(mean, low, high, strict=True))
    print(f"  {name:48s} AUC, R@5/10/20/30/50: {said}", flush=True)


def sample(bad: Floats, random: np.random.Generator) -> NDArray[np.int64]:
    return random.integers(0, len(bad), len(bad))


def figures(bad: Floats, score: Floats) -> list[float]:
    is_bad = bad > 0
    hits = is_bad[np.lexsort((np.random.default_rng(0).random(len(score)), -score))]
    recalls = [float(hits[: int(len(bad) * budget)].sum() / is_bad.sum()) for budget in BUDGETS]
    return [measures.area(is_bad, score), *recalls]


if __name__ == "__main__":
    main()
