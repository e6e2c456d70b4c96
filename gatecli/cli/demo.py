"""``gate demo``: see it work on a bundled example."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gatecli.errors import UsageError

BRANCH = "claude/discounts-by-article"
MAILS_ON_MAIN = 14

# The morning of the recording, after the last commit: the profile in the example does not grow old.
NOW = 1_795_251_600  # 2026-11-21T09:00:00Z


def demo(
    into: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Build the example here; default: a new temporary folder.")
    ] = None,
    report: Annotated[str, typer.Option(metavar="FORMAT", help="As of gate check --report.")] = "terminal",
) -> int:
    """Judge an AI-authored change to a small shop, with a profile recorded from it running."""
    from gatecli import pipeline
    from gatecli.cli.check import emit
    from gatecli.sources.sample import build

    data = Path(__file__).resolve().parents[1] / "demo"
    folder = _empty_folder(into)
    mails = [path.read_bytes() for path in sorted(data.glob("*.patch"))]
    build(folder, mails, branch=BRANCH, branch_at=MAILS_ON_MAIN)
    (folder / ".gate" / "profile.json.gz").write_bytes((data / "profile.json.gz").read_bytes())
    sys.stderr.write(
        "A small shop: a year and a half of commits, what was learned from them, the branch an agent made, and how the "
        "shop runs in production.\n"
        f"$ gate check main...{BRANCH}\n\n"
    )
    source = pipeline.open_source(folder, revisions=f"main...{BRANCH}")
    emit(pipeline.judge(source, pipeline.Request(now=NOW, call_tree=report == "html")), report, None, folder=folder)
    sys.stdout.flush()
    sys.stderr.write(_next_steps(folder))
    return 0


def _empty_folder(into: Path | None) -> Path:
    import tempfile

    if into is None:
        return Path(tempfile.mkdtemp(prefix="gate-demo-"))
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise UsageError(f"{into} exists and is not an empty folder", "name a new one with --into DIR")
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {into}: {error.strerror}", "name another folder") from error
    return into.resolve()


def _next_steps(folder: Path) -> str:
    return f"""
Try next, in {folder}
  cd {folder}
  git show                                  what the agent did last
  gate check main --report markdown         the same as a pull-request comment
  gate check main~1..main                   a change that passes
  gate profile show                         how the shop runs
  gate rules show io-behind-loop            why that is notable
Then in your own repository
  gate check                                everything that is not on the default branch yet
  gate profile import FILE                  from py-spy, cProfile or OpenTelemetry traces
"""
