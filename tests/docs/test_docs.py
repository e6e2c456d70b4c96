"""The documentation says what the program does."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from gatecli import errors
from gatecli.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
CLI_PAGE = ROOT / "docs" / "cli.md"


def test_the_command_line_page_is_current() -> None:
    found = "".join(
        ["# The command line\n\nGenerated from the program.\n", *_sections(typer.main.get_command(app), [])]
    )
    if os.environ.get("UPDATE_GOLDEN"):
        CLI_PAGE.write_text(found, encoding="utf-8", newline="\n")
    assert found == CLI_PAGE.read_text(encoding="utf-8")


def _sections(command: Any, parents: list[str]) -> list[str]:
    """A section a command, from its parameters: the wording of ``--help`` changes with the library, these do not."""
    names = [*parents, command.name or "gate"]
    lines = [f"\n## {' '.join(names)}\n", f"{(command.help or '').strip()}\n"]
    rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
    if rows:
        lines += ["| | |", "| --- | --- |", *rows, ""]
    if command.epilog:
        lines += ["```", command.epilog.replace("\b\n", "").strip(), "```", ""]
    sections = ["\n".join(lines)]
    for child in getattr(command, "commands", {}).values():
        sections += _sections(child, names)
    return sections


def _row(parameter: Any) -> str:
    shown = ", ".join(parameter.opts) if parameter.param_type_name == "option" else (parameter.name or "").upper()
    value = (parameter.metavar or "").replace("|", "\\|")
    text = (getattr(parameter, "help", None) or "").replace("|", "\\|")
    return f"| `{shown}{' ' + value if value and parameter.param_type_name == 'option' else ''}` | {text} |"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| ([^|]+) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M))
    meant = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert {int(code) for code in rows} == meant
    page = CLI_PAGE.read_text(encoding="utf-8")
    for code, meaning in rows.items():
        assert re.search(rf"^ *{code} +{re.escape(meaning.strip())}$", page, re.M), (code, meaning)


def test_the_report_in_the_readme_is_the_demo_s() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    match = re.search(r"<!-- report: demo -->\n```\n(.*?)```", readme, re.S)
    assert match is not None
    golden = (ROOT / "tests" / "scenarios" / "demo" / "expected.txt").read_text(encoding="utf-8")
    if os.environ.get("UPDATE_GOLDEN"):
        path = ROOT / "README.md"
        path.write_text(readme[: match.start(1)] + golden + readme[match.end(1) :], encoding="utf-8", newline="\n")
        match = re.search(r"<!-- report: demo -->\n```\n(.*?)```", path.read_text(encoding="utf-8"), re.S)
        assert match is not None
    assert match[1] == golden
