"""``gate rules``: what gate looks for, why, and the examples that prove it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatecli.errors import EXIT_BLOCK, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from gatecli.rules.spec import Rule

app = typer.Typer(no_args_is_help=True)

OWN_RULES = Path(".gate/rules")
BASELINE = Path(".gate/baseline.yml")

_Own = Annotated[
    Path | None, typer.Option("--own", metavar="PATH", help="A repository's own rules; default: .gate/rules.")
]


@app.command("list")
def list_rules(
    own: _Own = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The table of the documentation.")] = False,
) -> None:
    """List the rules: code, id, severity, what each asks."""
    rules = _load(own)
    if markdown:
        from gatecli.rules import document

        typer.echo(document.page(rules), nl=False)
        return
    from rich import box
    from rich.table import Table

    from gatecli.rules import document

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("code", no_wrap=True)
    table.add_column("id", no_wrap=True)
    table.add_column("severity")
    table.add_column("asks", ratio=1)
    for rule in rules:
        row = (rule.code, rule.id, document.severity(rule), rule.asks)
        table.add_row(*(_text(cell) for cell in row))
    _print(table)


@app.command("show")
def show_rule(
    rule: Annotated[str, typer.Argument(metavar="ID", help="Id or code of a rule: io-in-loop, D05.")],
    own: _Own = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Its page of the documentation.")] = False,
) -> None:
    """Explain one rule: what it asks, why, what to do, and examples of both kinds."""
    rules = _load(own)
    found = next((known for known in rules if rule in (known.id, known.code)), None)
    if found is None:
        from gatecli.config.document import did_you_mean

        near = did_you_mean(rule, [known.id for known in rules])
        raise UsageError(f"there is no rule {rule!r}{near}", "gate rules list shows them all")
    if markdown:
        from gatecli.rules import document

        typer.echo(document.rule_page(found), nl=False)
        return
    for line in _explained(found):
        _print(line)


@app.command("new")
def new_rule(
    rule: Annotated[str, typer.Argument(metavar="ID", help="Id of the rule, in kebab-case: no-sleep-in-views.")],
    folder: Annotated[Path, typer.Option("--own", metavar="PATH", help="Where rules are kept.")] = OWN_RULES,
) -> None:
    """Write a rule of your own to begin with: it works, and its examples pass."""
    from gatecli.rules import document, spec

    target = folder / f"{rule}.yml"
    content = document.scaffold(rule, _free_code())
    spec.read_rule(content.encode(), target.as_posix(), ())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except FileExistsError as error:
        raise UsageError(f"{target} is there already", "choose another id, or edit that file") from error
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}", "check the path") from error
    _print(_text(f"{target} written: edit it, then run gate rules test"))


def _free_code() -> str:
    """A code that no rule has: X01, X02 …"""
    taken = {known.code for known in _load(None)}
    return next(code for number in range(1, 1_000) if (code := f"X{number:02}") not in taken)


@app.command("baseline")
def baseline(
    reports: Annotated[
        list[Path], typer.Argument(metavar="REPORT", help="JSON reports: gate check --report json=FILE.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why these findings are accepted.")] = "",
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write.")] = BASELINE,
) -> None:
    """Accept the findings of reports: they are notes from the next change on, once this file is merged."""
    from gatecli.rules import accepted
    from gatecli.rules.wording import plural

    contents = []
    for path in reports:
        try:
            contents.append(path.read_bytes())
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}", "check the path") from error
    found = accepted.from_reports(contents, reason)
    temporary = output.with_name(f"{output.name}.new")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(accepted.to_yaml(found), encoding="utf-8", newline="\n")
        temporary.replace(output)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}", "check the path") from error
    _print(_text(f"{plural(len(found.accepted), 'finding')} accepted in {output}"))


@app.command("test")
def run_examples(
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="A rule or a folder of rules; default: .gate/rules.")
    ] = None,
) -> None:
    """Run the examples of gate's rules and of a repository's own; exit code 1 if one fails."""
    from gatecli.rules import examples

    rules = _load(path)
    failed = examples.failures(rules)
    for failure in failed:
        _print(_text(f"{failure.rule}: {failure.example}: {failure.reason}"))
    count = sum(len(rule.examples) for rule in rules)
    missed = sum(bool(example.missed) for rule in rules for example in rule.examples)
    known = f" ({missed} known misses)" if missed else ""
    _print(_text(f"{count} examples of {len(rules)} rules{known}, {len(failed)} failed"))
    if failed:
        raise typer.Exit(EXIT_BLOCK)


def _load(own: Path | None) -> "tuple[Rule, ...]":
    """The shipped rules and those of a file or folder."""
    from gatecli.config.document import MAX_BYTES
    from gatecli.rules import registry

    root = own or OWN_RULES
    if root.is_dir():
        files = sorted(file for file in root.iterdir() if file.suffix in (".yml", ".yaml"))
    elif root.is_file():
        files = [root]
    elif own is not None:
        raise UsageError(f"there is no file or folder {root}", "name a rule or a folder of rules")
    else:
        files = []
    custom = {}
    for file in files:
        try:
            with file.open("rb") as opened:
                custom[file.as_posix()] = opened.read(MAX_BYTES + 1)
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror}", "check the path") from error
    return registry.load(custom, {})


def _explained(rule: "Rule") -> "Iterator[Text]":
    from rich.text import Text

    from gatecli.rules import document

    yield _text(f"{rule.id}  {rule.code}", "bold")
    yield _text(f"{rule.family} · {document.severity(rule)} · {rule.points.value} points · since {rule.since}", "dim")
    yield Text()
    yield _text(rule.asks, "bold")
    yield _text(" ".join(rule.why.split()))
    yield Text()
    yield _text(f"What to do: {rule.remedy}")
    yield _text(f"Points: {rule.points.source}")
    for step in document.escalation(rule):
        yield _text(f"Severity: {step}")
    if rule.peers:
        yield _text(f"Elsewhere: {', '.join(rule.peers)}")
    for example in rule.examples:
        yield Text()
        how = "✘ flagged" if example.flags else "○ missed" if example.missed else "✔ not flagged"
        yield _text(f"{how}: {example.name}", "bold")
        if example.missed:
            yield _text(f"  {example.missed}")
        for known in document.given(example):
            yield _text(f"  ({known})")
        for line in document.example_diff(example):
            yield _text(f"  {line}", {"+": "green", "-": "red", "@": "dim"}.get(line[:1], ""))


def _text(content: str, style: str = "") -> "Text":
    """Text that is shown and not obeyed: no markup, no terminal escapes."""
    from rich.text import Text

    from gatecli.reports.text import plain

    return Text(plain(content), style=style)


def _print(content: object) -> None:
    from rich.console import Console

    Console(markup=False, highlight=False, emoji=False).print(content, soft_wrap=False)
