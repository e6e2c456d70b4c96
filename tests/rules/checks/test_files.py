"""What is read from the text of any file. Tokens are put together here, so that no scanner takes them for real."""

from dataclasses import replace

import pytest

from gatecli.model import FileStatus
from gatecli.rules import registry
from tests.rules.support import case_of, messages, rule, run

BODY = "q3Zr8LkT5vWn1XsY7pBd2HgJ4mFcA9eU6oKi"
TOKENS = {
    "an AWS access key": "AKIA" + "Q3EGRZ7MW5TSLN2V",
    "a GitHub token": "ghp_" + BODY,
    "a GitLab token": "glpat-" + BODY[:20],
    "a Google API key": "AIza" + BODY[:35],
    "a Slack token": "xoxb-" + "472910385561-" + BODY[:24],
    "a Stripe live key": "sk_" + "live_" + BODY[:24],
    "an npm token": "npm_" + BODY,
    "a PyPI token": "pypi-" + "AgEIcHlwaS5vcmc" + BODY * 2,
    "a SendGrid key": "SG." + BODY[:22] + "." + (BODY * 2)[:43],
    "an Anthropic key": "sk-ant-" + "api03-" + (BODY * 3)[:90],
    "an OpenAI key": "sk-" + BODY[:20] + "T3BlbkFJ" + BODY[:20],
}


@pytest.mark.parametrize(("what", "token"), TOKENS.items())
def test_a_token_is_named_and_never_repeated(what: str, token: str) -> None:
    (finding,) = run("secret-added", {"deploy/a.ini": ("a = 1\n", f"a = 1\nkey = {token}\n")})
    assert finding.message == f"deploy/a.ini now holds {what}"
    assert finding.line == 2
    assert BODY[:6] not in repr(finding).replace(str(finding.fingerprint), "")


@pytest.mark.parametrize(
    "line",
    [
        "AKIA" + "A" * 16,
        "ghp_" + "x" * 36,
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + BODY + "tooLong",
        "key = os.environ['AWS_ACCESS_KEY_ID']",
        "sha = 3f9c2e1b3f9c2e1b3f9c2e1b3f9c2e1b3f9c2e1b",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_what_is_no_secret(line: str) -> None:
    assert messages("secret-added", None, line + "\n", "deploy/a.ini") == []


def test_a_key_on_one_line() -> None:
    key = "-----BEGIN " + "RSA PRIVATE KEY-----\\n" + BODY * 2
    assert messages("secret-added", None, f"KEY = '{key}'\n") == ["shop/orders.py now holds a private key"]


def test_only_added_lines_are_read() -> None:
    token = TOKENS["a GitHub token"]
    assert messages("secret-added", f"a = '{token}'\n", f"a = '{token}'\nb = 1\n") == []
    assert messages("secret-added", f"a = '{token}'\n", "") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 'x\u202ey'\n", "U+202E"),
        ("a = 'x\u2066y'\n", "U+2066"),
        ("a = 'x\u200by'\n", "U+200B"),
        ("a = 1\n\ufeffb = 2\n", "U+FEFF"),
        ("# run\U000e0072\U000e006d\n", "U+E0072"),
        ("\ufeffa = 'x\u202ey'\n", "U+202E"),
        ("\ufeffa = 'x\u200by'\n", "U+200B"),
        ("a = '\U0001f468\u200d\U0001f469'\n", None),
        ("a = '\U0001f3f4\U000e0067\U000e0062\U000e007f'\n", None),
        ("\ufeffa = 1\n", None),
        ("a = 'שלום'\n", None),
    ],
)
def test_invisible_text(text: str, expected: str | None) -> None:
    found = messages("invisible-text-added", None, text)
    assert [message.rpartition("(")[2].rstrip(")") for message in found] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("path", "flagged"),
    [
        (".gate/policy.yml", True),
        (".gate/rules/x.yml", True),
        ("CODEOWNERS", True),
        (".github/CODEOWNERS", True),
        (".github/workflows/ci.yml", True),
        ("AGENTS.md", True),
        ("services/a/AGENTS.md", True),
        ("CLAUDE.md", True),
        (".claude/settings.json", True),
        (".cursor/rules/a.mdc", True),
        (".mcp.json", True),
        (".github/copilot-instructions.md", True),
        ("docs/CLAUDE.md.txt", False),
        ("shop/workflows/a.yml", False),
        ("README.md", False),
        ("shop/agents.py", False),
    ],
)
def test_what_guards_the_repository(path: str, flagged: bool) -> None:
    assert bool(messages("guardrails-changed", "a\n", "b\n", path)) is flagged


def test_moving_a_guard_away_is_a_change_of_it() -> None:
    case = case_of({"docs/old.md": ("a\n", "a\n")})
    (file,) = case.change.files
    moved = replace(file, old_path="AGENTS.md", status=FileStatus.RENAMED)
    (finding,) = registry.run((rule("guardrails-changed"),), replace(case, change=replace(case.change, files=(moved,))))
    assert finding.path == "AGENTS.md"
    assert finding.message.startswith("AGENTS.md guards this repository and is renamed")
