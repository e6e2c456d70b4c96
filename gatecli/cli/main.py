"""The ``gate`` command: wires the command groups together and turns every ending into an exit code."""

import os
import sys

import typer

from gatecli import __version__
from gatecli.cli import (
    approve,
    audit,
    backtest,
    cache,
    check,
    context,
    demo,
    freeze,
    github,
    grant,
    incident,
    override,
    policy,
    profile,
    rules,
    signoff,
    streams,
)
from gatecli.errors import EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_PASS, EXIT_USAGE, GateError

_EPILOG = """\b
Exit codes:
  0    pass, or advise mode
  1    block
  2    wrong usage or configuration
  3    review: sign-off outstanding
  4    evidence incomplete, or an internal error (fails closed)
  130  interrupted

\b
Examples:
  gate check                          everything that is not on the default branch yet
  gate check origin/main...HEAD       a pull request
  git diff | gate check --diff -      a patch
  gate demo                           see it work on a bundled example
"""

app = typer.Typer(
    name="gate",
    help="What will this change do to the system that is running, and who has to understand it before it ships?",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gate {__version__}")
        raise typer.Exit


@app.callback()
def _gate(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    pass


app.add_typer(cache.app, name="cache", help="What gate remembers of files between runs.")
app.command("check", epilog=check.EPILOG)(check.check)
app.command("approve", epilog=approve.EPILOG)(approve.approve)
app.command("override", epilog=override.EPILOG)(override.override)
app.command("grant", epilog=grant.EPILOG)(grant.grant)
app.command("signoff", epilog=signoff.EPILOG)(signoff.signoff)
app.add_typer(policy.app, name="policy", help="What must happen before a change merges.", epilog=policy.EPILOG)
app.command("freeze", epilog=freeze.EPILOG)(freeze.freeze)
app.command("unfreeze")(freeze.unfreeze)
app.add_typer(audit.app, name="audit", help="The record of decisions.", epilog=audit.EPILOG)
app.command("backtest", epilog=backtest.EPILOG)(backtest.backtest)
app.command("learn", epilog=backtest.LEARN_EPILOG)(backtest.learn)
app.command("context", epilog=context.EPILOG)(context.context)
app.command("demo")(demo.demo)
app.add_typer(github.app, name="github", help="A pull request: who approved it, and what gate says on it.")
app.add_typer(incident.app, name="incident", help="What went wrong before, and why.", epilog=incident.EPILOG)
app.add_typer(profile.app, name="profile", help="The runtime profile: how production really runs.")
app.add_typer(rules.app, name="rules", help="What gate looks for, why, and examples that prove it.")


def main() -> None:
    """Run the command line and exit with the documented code."""
    streams.open_missing()
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run the command line (default: of this process) and return its exit code; errors go to stderr."""
    try:
        result = app(arguments, prog_name="gate", standalone_mode=False)
        sys.stdout.flush()
    except GateError as error:
        _complain(error.message, error.hint)
        return error.exit_code
    except BrokenPipeError:
        streams.discard_output()  # the reader (head, less) has seen enough; `gate check` keeps its verdict, see there
        return EXIT_PASS
    except OSError as error:
        streams.discard_output()
        return _refused(error)
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        return EXIT_INTERRUPTED
    except Exception as error:
        return _unexpected(error)
    return result if isinstance(result, int) else EXIT_PASS


def _refused(error: OSError) -> int:
    """What the operating system would not do, and no stage has words for: a full disk, too many open files."""
    if os.environ.get("GATE_DEBUG"):
        raise error
    where = f": {error.filename}" if error.filename else ""
    _complain(f"{error.strerror or error}{where}", "free what is short or mend the permissions, and run again")
    return EXIT_INCOMPLETE


def _unexpected(error: Exception) -> int:
    """Errors of the command-line library are usage errors; anything else is a bug, and fails closed."""
    if isinstance(error, typer.Abort):
        sys.stderr.write("\ninterrupted\n")
        return EXIT_INTERRUPTED
    show = getattr(error, "show", None)  # click's own exceptions; typer brings its own copy of click
    if show is not None and hasattr(error, "format_message"):
        show()
        return EXIT_USAGE
    if os.environ.get("GATE_DEBUG"):
        raise error
    _complain(
        f"internal error: {type(error).__name__}: {error}",
        "this is a bug in gate, not in your change; run again with GATE_DEBUG=1 and report the traceback",
    )
    return EXIT_INCOMPLETE


def _complain(message: str, hint: str) -> None:
    from gatecli.reports.text import plain

    # Problems, one a line. The mark before each keeps a line from being a workflow command, whatever it holds.
    first, *others = message.split("\n")
    sys.stderr.write(f"gate: {plain(first)}\n" + "".join(f"  - {plain(line)}\n" for line in others))
    if hint:
        sys.stderr.write(f"  hint: {plain(hint)}\n")
