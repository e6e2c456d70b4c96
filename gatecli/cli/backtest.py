"""``gate backtest`` and ``gate learn``: what the gate would have caught here, and weights from what happened here."""

import csv
import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gatecli.replaying import Progress
    from gatecli.scoring.backtest import Budget, Scores
    from gatecli.scoring.learned import Learned
    from gatecli.scoring.past import Past

EPILOG = """\b
Examples:
  gate backtest                                    replay the mainline up to HEAD
  gate backtest --html backtest.html               the same with pictures
  gate backtest --scores scores.csv                the score of every change
  gate backtest --json                             the answer as JSON
  gate backtest --labels incidents.jsonl           outcomes of your own: {"sha": "…", "bad": true} a line
  gate backtest --suggest-bands                    write the bands that a budget asks for into .gate/weights.yml
  gate backtest --suggest-bands --budget 10,2      look at the top 10 % of changes, a senior at the top 2 %

\b
An interrupted run goes on where it was: what was read of the history is kept (gate cache info).
"""
LEARN_EPILOG = """\b
Examples:
  gate learn                   learn from the history of HEAD, write .gate/weights.yml
  gate learn --dry-run         print it instead
  gate learn --budget 10,2     look at the top 10 % of changes, a senior at the top 2 %
  git diff .gate/weights.yml   look at what moved before you commit it
"""

Repo = Annotated[Path, typer.Option(metavar="DIR", help="The repository.")]
Labels = Annotated[
    Path | None, typer.Option(metavar="FILE", help='Outcomes, one JSON object a line: {"sha": "…", "bad": true}.')
]
Budgets = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="PERCENT,PERCENT",
        help="Shares of changes that are reviewed, and by a senior; default: those of .gate/weights.yml, else 20,5.",
    ),
]


def backtest(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="Where the mainline ends.")] = "HEAD",
    scores: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write sha, likelihood, total and probabilities as CSV.")
    ] = None,
    labels: Labels = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the answer with pictures as one page.")
    ] = None,
    suggest_bands: Annotated[
        bool, typer.Option("--suggest-bands", help="Write the bands into .gate/weights.yml.")
    ] = False,
    budget: Budgets = None,
    as_json: Annotated[bool, typer.Option("--json", help="Schema gate-backtest/1.")] = False,
    repo: Repo = Path(),
) -> None:
    """Replay the mainline as if the gate had stood there: what it would have caught, and what that would have cost."""
    from rich.console import Console

    from gatecli import hindsight
    from gatecli.cli.check import write_file
    from gatecli.pipeline import cache_folder, root_of
    from gatecli.reports import backtest as pages
    from gatecli.scoring import backtest as replayed
    from gatecli.scoring import learn as learning
    from gatecli.scoring.learned import prior

    given = hindsight.read_labels(labels) if labels else None
    shares = _budget(budget, root_of(repo))
    with progress_bar() as progress:
        past = hindsight.replay_past(
            repo, revision=revision, folder=cache_folder(), labels=given, progress=progress, warn=_warn
        )
        weights = prior()
        found = replayed.replay_scores(past, weights, lambda done, all: progress("scoring", done, all))
        result = replayed.examine(past, found, shares)
    _say_unknown(given, past)
    if scores is not None:
        write_file(scores, as_csv(past, found))
    if html is not None:
        from gatecli.reports import backtest_page

        write_file(html, backtest_page.render(result))
    if as_json:
        sys.stdout.write(pages.as_json(result))
    else:
        pages.render(result, Console())
    if suggest_bands:
        learned = learning.with_bands(learning.learn(past, weights), result.bands, result.catches)
        _write(root_of(repo), learned)


def learn(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="Where the mainline ends.")] = "HEAD",
    labels: Labels = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the weights, write nothing.")] = False,
    budget: Budgets = None,
    repo: Repo = Path(),
) -> None:
    """Learn the weights of the score from what became of past changes, and write them to .gate/weights.yml."""
    from gatecli import hindsight
    from gatecli.pipeline import cache_folder, root_of
    from gatecli.reports import weights as written
    from gatecli.scoring import backtest as replayed
    from gatecli.scoring import learn as learning
    from gatecli.scoring.learned import prior

    given = hindsight.read_labels(labels) if labels else None
    shares = _budget(budget, root_of(repo))
    with progress_bar() as progress:
        past = hindsight.replay_past(
            repo, revision=revision, folder=cache_folder(), labels=given, progress=progress, warn=_warn
        )
        weights = prior()
        learned = learning.learn(past, weights)
        found = replayed.replay_scores(past, weights, lambda done, all: progress("measuring", done, all))
        learned = learning.with_bands(learned, replayed.bands(past, found, shares), replayed.catches(past, found))
    _say_unknown(given, past)
    if past.shallow:
        _warn("this clone is shallow: what happened before it is not known (git fetch --unshallow)")
    if dry_run:
        sys.stdout.write(written.as_yaml(learned))
        return
    sys.stdout.write(written.summary(learned, weights) + "\n")
    _write(root_of(repo), learned)


def _budget(asked: str | None, root: Path) -> "Budget":
    """The budget that is asked for, else that of the weights that are there, else the usual one.

    Raises:
        UsageError: it is not two percentages, the smaller one last.
    """
    from gatecli.errors import GateError, UsageError
    from gatecli.model import BandAsk
    from gatecli.scoring.backtest import Budget
    from gatecli.scoring.learned import PATH, read_learned

    if asked is None:
        try:
            known = read_learned((root / PATH).read_bytes(), PATH).bands
        except FileNotFoundError:
            return Budget()
        except (OSError, GateError) as error:
            _warn(f"the budget of {PATH} cannot be read, 20 and 5 % are used: {str(error).splitlines()[-1]}")
            return Budget()
        shares = {band.asks: band.share for band in known}
        usual = Budget()
        review, senior = shares.get(BandAsk.REVIEW, usual.review), shares.get(BandAsk.SENIOR, usual.senior)
        return Budget(review=review, senior=senior) if senior < review else usual
    try:
        review, senior = (float(part.strip().removesuffix("%")) / 100 for part in asked.split(","))
    except ValueError:
        review = senior = 0.0
    if not 0 < senior < review <= 1:
        hint = "give two percentages, the senior's smaller: --budget 20,5"
        raise UsageError(f"--budget {asked}: not a budget", hint)
    return Budget(review=review, senior=senior)


def _say_unknown(labels: "Mapping[str, bool] | None", past: "Past") -> None:
    from gatecli.reports.text import count

    unknown = len(labels.keys() - set(past.shas)) if labels is not None else 0
    if labels is not None and unknown:
        of = f"{unknown:,} of {count(len(labels), 'label')}"
        sys.stderr.write(f"{of} {'is' if unknown == 1 else 'are'} of no code change of this line\n")


def _warn(text: str) -> None:
    from gatecli.reports.text import plain

    sys.stderr.write(f"gate: {plain(text, 300)}\n")


def _write(root: Path, learned: "Learned") -> None:
    from gatecli.cli.check import write_file
    from gatecli.reports import weights as written
    from gatecli.scoring.learned import PATH

    target = root / PATH
    target.parent.mkdir(parents=True, exist_ok=True)
    write_file(target, written.as_yaml(learned))
    sys.stderr.write(f"written to {PATH}: look at it with git diff, then commit it\n")


@contextmanager
def progress_bar() -> "Iterator[Progress]":
    """A bar on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Counted(MofNCompleteColumn):
        """Nothing where it is not known how much there is."""

        def render(self, task: Task) -> Text:
            return super().render(task) if task.total else Text("")

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), Counted(), TimeRemainingColumn()
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total or None)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: what was read is kept, and the next run goes on from there\n")
        raise


def as_csv(past: "Past", scores: "Scores") -> str:
    """One row a change, oldest first."""
    from gatecli.scoring.learned import Head

    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["sha", "likelihood", "total", *(f"p_{head}" for head in Head)])
    for row, sha in enumerate(past.shas):
        points = int(scores.points[row])
        rows.writerow([sha, points, points, *(f"{scores.probability[head][row]:.6f}" for head in Head)])
    return out.getvalue()
