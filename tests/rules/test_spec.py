import pytest

from gatecli.errors import UsageError
from gatecli.rules.spec import fill, read_rule

GOOD = """\
id: no-sleep
code: X01
family: own
severity: review
asks: Does it sleep now?
why: It waits.
points: {value: 3, source: a guess}
remedy: Do not.
since: 0.1.0
match:
  side: added
  says: "now sleeps: {text}"
  query: '((call function: (_) @key) @match (#eq? @key "sleep"))'
examples:
  - {name: a, flags: true, files: {a.py: {after: "sleep(1)"}}}
  - {name: b, flags: true, files: {a.py: {after: "sleep(2)"}}}
  - {name: c, flags: false, files: {a.py: {after: "go()"}}}
  - {name: d, flags: false, files: {a.py: {before: "sleep(1)", after: "sleep(2)"}}}
"""
WHERE = ".gate/rules/no-sleep.yml"
CHECKS = ("timeout-changed", "test-removed")


def test_a_good_rule() -> None:
    rule = read_rule(GOOD.encode(), WHERE, CHECKS)
    assert (rule.id, rule.code, rule.points.value, len(rule.examples)) == ("no-sleep", "X01", 3, 4)


def edited(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new).encode()


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (edited("severity: review", "severity: reveiw"), ["4: severity: 'reveiw' is none of block, review, note"]),
        (edited("remedy: Do not.", "remedi: Do not."), ["1: the document has no remedy", "8: unknown key 'remedi'"]),
        (edited("family: own", "family: own\nfamily: other"), ["4: duplicate key 'family'"]),
        (edited("code: X01", "code: x1"), ["2: code: "]),
        (edited("value: 3", "value: 400"), ["7: points.value: "]),
        (edited("id: no-sleep", "id: no-nap"), ["1: id: no-nap is not the name of the file"]),
        (edited("(#eq?", "(#eq? ("), ["13: match.query: "]),
        (edited("(call function", "(cal function"), ["13: match.query: Invalid node type"]),
        (edited("@match (#eq", "@other (#eq"), ["13: match.query captures no @match"]),
        (edited("side: added", "side: changed"), ["13: match.query captures no @value"]),
        (edited("{text}", "{txt}"), ["12: match.says: {txt} is none of text, key, value, before, after"]),
        (edited("match:", "check: timeout-change\nmatch:"), ["10: check: there is no"]),
        (edited("since: 0.1.0", "since: 0.1.0\nescalate: [{severity: block}]"), ["10: escalate.0 names neither"]),
        (edited("flags: true", "flags: false"), ["14: examples: needs 2 with flags: true and 2 with flags: false"]),
        (
            edited("{name: c, flags: false", "{name: c, missed: another repository calls it, flags: false"),
            ["14: examples: needs 2 with flags: true and 2 with flags: false (one that is missed counts as neither)"],
        ),
        (
            edited("{name: a, flags: true", "{name: a, missed: unseen, flags: true"),
            ["15: examples.0.missed: what is flagged (flags: true) is not missed"],
        ),
        (
            edited("{name: c, flags: false", "{name: c, says: sleeps, severity: note, flags: false"),
            [
                "17: examples.2.says: there is no finding without flags: true",
                "17: examples.2.severity: there is no finding without flags: true",
            ],
        ),
        (
            edited('{a.py: {after: "go()"}}', "{a.py: {}}"),
            ["17: examples.2.files: 'a.py' has neither before nor after"],
        ),
        (edited("{name: a,", "{name: a, usage: {f: {share: 0.5}},"), ["15: examples.0: 'f' is no function id"]),
        (edited("{name: a,", "{name: a, usage: {'a::f': {share: 5}},"), ["15: examples.0.usage.a::f.share: "]),
        (edited("asks: Does it sleep now?", "asks: &a x\npeers: [*a]"), ["6: aliases are not read"]),
        (b"- 1\n", ["1: the document holds a list, expected keys and values"]),
        (b"", ["1: the document holds nothing, expected keys and values"]),
        (b"\xff\xfe", ["1: not UTF-8"]),
        (b"a: [x\n]]", ["2: not valid YAML"]),
        (b"[" * 50, ["1: more than 32 levels"]),
        (b"[" * 100_000, ["1: "]),  # newer parsers of YAML have a bound of their own
    ],
)
def test_every_problem_has_its_line(data: bytes, problems: list[str]) -> None:
    with pytest.raises(UsageError) as error:
        read_rule(data, WHERE, CHECKS)
    for problem in problems:
        assert problem in error.value.message
    assert WHERE in error.value.message


def test_all_problems_at_once() -> None:
    data = edited("severity: review", "severity: high").replace(b"code: X01", b"code: 1").replace(b"why:", b"wy:")
    with pytest.raises(UsageError) as error:
        read_rule(data, WHERE, CHECKS)
    lines = error.value.message.split("\n")
    assert lines[0] == f"4 problems in {WHERE}"
    assert [line.split(":")[1] for line in lines[1:]] == ["1", "2", "4", "6"]


@pytest.mark.parametrize(
    ("says", "values", "expected"),
    [
        ("{key} was {before}", {"key": "a", "before": "{key}"}, "a was {key}"),
        ("{unknown}", {}, ""),
        ("no placeholder { }", {}, "no placeholder "),
        ("{key.__class__}", {"key": "a"}, ""),
    ],
)
def test_fill_is_one_pass(says: str, values: dict[str, str], expected: str) -> None:
    assert fill(says, values) == expected
