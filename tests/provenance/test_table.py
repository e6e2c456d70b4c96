import re

import pytest

from gatecli.model import Person
from gatecli.provenance.table import Channel, is_agent, is_bot, stated, table, visible

SIGNS = table().signs
MATCHES = [(sign, text) for sign in SIGNS for text in sign.matches]
IGNORES = [(sign, text) for sign in SIGNS for text in sign.ignores]
NEVER = [(sign, text) for sign in SIGNS for text in table().never]
GROUPS = {"model", "session", "tool"}


@pytest.mark.parametrize(("sign", "text"), MATCHES, ids=[text for _, text in MATCHES])
def test_every_example_matches_its_sign(sign, text):
    assert sign.regex.search(text)


@pytest.mark.parametrize(("sign", "text"), IGNORES, ids=[text for _, text in IGNORES])
def test_no_counterexample_matches_its_sign(sign, text):
    assert not sign.regex.search(text)


def test_nothing_that_must_never_match_matches_any_sign():
    assert [(sign.tool, text) for sign, text in NEVER if sign.regex.search(text)] == []


def test_signs_have_examples_both_ways_and_known_groups():
    for sign in SIGNS:
        assert sign.matches, sign
        assert sign.ignores, sign
        assert set(sign.regex.groupindex) <= GROUPS, sign
        assert (sign.tool is None) == ("tool" in sign.regex.groupindex), sign


def test_every_tool_of_the_reference_is_there():
    assert {sign.tool for sign in SIGNS if sign.strength == 3} >= {
        "claude", "copilot-agent", "copilot", "cursor", "devin", "codex", "jules", "gemini-code-assist", "aider",
        "openhands", "amp", "droid", "replit", "amazon-q", "kiro", "roo",
    }  # fmt: skip


def test_no_repetition_is_unbounded():
    for sign in SIGNS:
        assert not re.search(r"(?<!\\)[*+]", re.sub(r"\\.|\[[^\]]*\]", "", sign.pattern)), sign.pattern


SEEDS = (
    "<", "<1", "1", "a ", " ", "co-authored-by: ", "assisted-by: claude ", "generated-by: ", "generated with claude ",
    "claude ", "aider (", "claude/", "https://github.com/", "amp-thread-id: T-", "x <noreply@anthropic.com", "\n", "[",
)  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_hostile_text_takes_no_time(seed):
    text = (seed * 65_536)[:65_536]
    for sign in SIGNS:
        for _ in sign.regex.finditer(text):
            pass


@pytest.mark.parametrize(
    ("person", "agent", "bot"),
    [
        (Person(name="Claude", email="noreply@anthropic.com"), True, True),
        (Person(name="Claude", email="NoReply@Anthropic.com"), True, True),
        (Person(name="GitHub Copilot", email="copilot@github.com"), True, True),
        (Person(name="Cla\u200bude Opus", email="noreply@anthropic\u200b.com"), True, True),
        (Person(name="Devin AI", email="158243242+devin-ai-integration[bot]@users.noreply.github.com"), True, True),
        (Person(name="dependabot[bot]", email="49699333+dependabot[bot]@users.noreply.github.com"), False, True),
        (Person(name="Renovate", email="bot@renovate.example"), False, True),
        (Person(name="GitHub", email="noreply@github.com"), False, True),
        (Person(name="Dana (aider)", email="dana@shop.example"), False, False),
        (Person(name="Devin Hart", email="devin@hart.example"), False, False),
        (Person(name="Claude Martin", email="claude.martin@orange.example"), False, False),
        (Person(name="<noreply@anthropic.com>", email="x@y.example"), False, False),
        (Person(name="", email=""), False, False),
    ],
    ids=str,
)
def test_who_is_no_human(person, agent, bot):
    assert (is_agent(person), is_bot(person)) == (agent, bot)


def test_people_are_stated_on_one_bounded_line():
    person = Person(name="a\n<b>" + "x" * 500, email="c@d.example\n> <noreply@anthropic.com")
    assert stated(person) == "ab" + "x" * 195 + " <c@d.example noreply@anthropic.com>"
    assert not is_agent(Person(name="x", email="c@d.example\n> <noreply@anthropic.com"))


def test_invisible_marks_and_wide_letters_are_folded():
    assert visible("Ｃo\u200b-Authored\u2060-By: \ufeffClaude") == "Co-Authored-By: Claude"
    assert visible("plain") == "plain"


def test_channels_are_all_in_use():
    assert {sign.channel for sign in SIGNS} == set(Channel)
