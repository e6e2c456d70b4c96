import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from rich.console import Console

from gatecli.reports import links, terminal
from tests.reports import sample
from tests.reports.test_text import hostile

CHANGE = sample.review().case.change
GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/shop"}


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        (GITHUB, f"https://github.com/acme/shop/blob/{sample.HEAD}/"),
        (
            GITHUB | {"GITHUB_SERVER_URL": "https://ghe.acme.example:8443"},
            f"https://ghe.acme.example:8443/acme/shop/blob/{sample.HEAD}/",
        ),
        ({"CI_PROJECT_URL": "https://gitlab.com/a/b/shop"}, f"https://gitlab.com/a/b/shop/-/blob/{sample.HEAD}/"),
        ({}, None),
        ({"GITHUB_SERVER_URL": "https://github.com"}, None),
        (GITHUB | {"GITHUB_REPOSITORY": "acme/shop\x1b]8;;"}, None),
        (GITHUB | {"GITHUB_SERVER_URL": "javascript:alert(1)//"}, None),
        ({"CI_PROJECT_URL": "https://gitlab.com/a b"}, None),
    ],
)
def test_the_ci_run_says_where_the_source_is(environment: dict[str, str], url: str | None) -> None:
    assert links.web_url(CHANGE, environment) == url


@pytest.mark.parametrize("head", [None, "topic", "a71b0d4", "$(id)"])
def test_only_a_commit_is_on_the_web(head: str | None) -> None:
    assert links.web_url(replace(CHANGE, head=head), GITHUB) is None


def test_a_folder_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    url = links.folder_url(tmp_path / "a b")
    assert url.startswith("file:///")
    assert url.endswith("/a%20b/")


@pytest.mark.parametrize(
    ("source", "path", "line", "address"),
    [
        ("https://h/", "shop/a b.py", 3, "https://h/shop/a%20b.py#L3"),
        ("https://h/", "a.py", None, "https://h/a.py"),
        ("file:///x/", "a.py", 3, "file:///x/a.py"),
        ("https://h/", "a?b#c", 1, "https://h/a%3Fb%23c#L1"),
        ("https://h/", "\x1b]8;;\x07", 1, "https://h/%1B%5D8%3B%3B%07#L1"),
        ("https://h/", "caf\udce9.py", None, "https://h/caf%E9.py"),
        ("https://h/", "//evil.example/a", None, "https://h/evil.example/a"),
    ],
)
def test_an_address(source: str, path: str, line: int | None, address: str) -> None:
    assert links.link(source, path, line) == address


@given(hostile)
def test_any_path_stays_in_its_address(path: str) -> None:
    assert re.fullmatch(r"https://h/[A-Za-z0-9%/._~-]*#L1", links.link("https://h/", path, 1))


def shown(source_url: str | None, **more: object) -> str:
    file = io.StringIO()
    options = {"force_terminal": True, "color_system": "standard", "legacy_windows": False, "_environ": {}}
    console = Console(file=file, width=100, **(options | more))
    terminal.render(sample.review(), console, source_url=source_url)
    return file.getvalue()


def test_places_are_links_at_a_terminal() -> None:
    written = shown("https://h/")
    assert re.search(r"\x1b\]8;id=\d+;https://h/shop/pricing\.py#L41\x1b\\[^\n]*shop/pricing\.py:41", written)
    without = re.sub(r"\x1b\]8;[^\x1b]*\x1b\\", "", written)
    assert without == shown(None)


def test_no_links_without_a_terminal_or_an_address() -> None:
    assert "\x1b]8" not in shown(None)
    assert "\x1b" not in shown("https://h/", force_terminal=False, color_system=None)
