"""The rules as pages: a table (``docs/rules.md``), and a page for each with its examples as diffs (``docs/rules/``)."""

import difflib
from collections.abc import Iterable, Iterator

from gatecli.rules.spec import Example, Rule

_HEAD = """# Rules

What gate looks for in a change, beyond its size, its history and where it runs. This page and those of the rules are
made from the files under `rules/` (`gate rules list --markdown`, `gate rules show ID --markdown`); the examples are run
as tests (`gate rules test`). How often each rule speaks on real changes, and how often it is right:
[measured](rules-measured.md).

A finding asks for a **block** (a human must agree before the merge), a **review**, or is a **note**. Its points add to
the change's likelihood: +10 doubles the odds of a bad outcome. `.gate/policy.yml` can set the severity or points of a
rule or switch it off; a repository adds its own rules under `.gate/rules/`. Only what is sure blocks: of the same rule,
a finding that is likely asks for a review, and a guess is a note.
"""

SAMPLE = """\
id: print-added
code: X01
family: own
severity: note
asks: Does the change print?
why: Nobody reads what a service prints; the log has a level and a time.
points: {value: 1, source: "judgement"}
remedy: Use the logger.
since: 1.0.0
match:
  side: added
  says: "now prints: {text}"
  query: |
    ((call function: (identifier) @key) @match (#eq? @key "print"))
filters:
  paths: ["*.py", "!cli/"]
escalate:
  - {severity: review, min_calls_per_minute: 1000}
examples:
  - name: a print more
    flags: true
    files: {shop/a.py: {before: "x = 1", after: "print(x)"}}
  - name: on a hot function
    flags: true
    severity: review
    usage: {"shop/a.py::f": {calls_per_minute: 5000}}
    files: {shop/a.py: {after: "def f(x):\\n    print(x)"}}
  - name: it printed before
    flags: false
    files: {shop/a.py: {before: "print(1)", after: "print(2)"}}
  - name: the command line may print
    flags: false
    files: {cli/a.py: {after: "print(1)"}}
"""

_OWN = f"""
## Your own rules

A rule is one file, `.gate/rules/<id>.yml`, read from the base revision: a change cannot bring the rule that judges it.

```yaml
{SAMPLE}```

- `match.query` is a [tree-sitter query](https://tree-sitter.github.io/tree-sitter/using-parsers/queries/) on Python.
  With `side: added` or `removed` its matches are news if the other side of the same function has fewer of them; two
  matches are the same if their `@key` is (without one, the whole `@match`), whatever the layout. With `side: changed`
  a match is news if its `@key` stayed and its `@value` did not (`{{before}}` and `{{after}}` in `says`).
- `match.lines` are patterns for single lines of any file, for what has no syntax tree: `{{pattern, says, unless, stood,
  paths, confidence}}` (`unless` must not be in the line, `stood` must be in a line that the file held before). Nothing
  in them repeats without a bound (`{{0,80}}`, not `*`), so that no line can make them hang.
- What went from one function of the change to another is no news, unless `moves: false`. With `grows: true` only what a
  function has more of than before is news, whatever the keys.
- `where: {{in_loop: true}}` and `where: {{in_async: true}}` look at what is around a match.
- `filters` leave out by `scope` (`production`, the default, `tests` or `any`), `paths` (gitignore patterns; `!` takes
  out), `kinds` of change, `min_calls_per_minute` and `min_share` of traffic.
- `mode: advise` tries a rule out: its findings are notes worth no points.
- `gate rules new ID` writes a rule to begin with.
- Two examples that must be flagged and two near misses are required; `gate rules test` runs them.
- A harmful change that the rule cannot see is an example too: `flags: false` with `missed:` and the reason. It stands
  on the rule's page under "What it does not see", and `gate rules test` fails as soon as it is flagged after all.

## Accepting a finding

A comment accepts a finding on its line, on the line below it, or (on a `def`) in the whole function:

```python
# gate: ignore[io-in-loop] until=2026-12-31 reason="three lines at most, see the model"
```

The rule, the date and the reason are mandatory; the policy says how far away the date may be (`ignores.max_days`, 180
by default). The finding stays in the report as a note with the reason. A comment that the change itself adds has no
effect on this change and asks for a review ([ignore-unsound](rules/ignore-unsound.md)); one that has ended, or was not
needed, is named. `guardrails-changed` cannot be ignored.

`gate rules baseline REPORT…` writes the findings of JSON reports to `.gate/baseline.yml`, by rule, function and
normalised code and not by line. It is read from the base revision, so a human has agreed to it before it counts.
"""


def page(rules: Iterable[Rule]) -> str:
    """The table of all rules as Markdown, and how to write one's own."""
    rules = tuple(rules)
    lines = [_HEAD, "| code | rule | severity | points | asks |", "| --- | --- | --- | --- | --- |"]
    lines += [_row(rule) for rule in rules]
    return "\n".join(lines) + "\n" + _OWN


def _row(rule: Rule) -> str:
    cells = (rule.code, f"[{rule.id}](rules/{rule.id}.md)", severity(rule), str(rule.points.value), _cell(rule.asks))
    return f"| {' | '.join(cells)} |"


def scaffold(id: str, code: str) -> str:
    """A rule to begin with, under an id and code of its own."""
    return SAMPLE.replace("id: print-added", f"id: {id}", 1).replace("code: X01", f"code: {code}", 1)


def rule_page(rule: Rule) -> str:
    """One rule as Markdown."""
    return "\n".join([*_section(rule), "", "[All rules](../rules.md)"]) + "\n"


def severity(rule: Rule) -> str:
    """The severity, and how far traffic may raise it: ``note to review``."""
    steps = [step.severity.value for step in rule.escalate if step.severity is not rule.severity]
    return " to ".join(dict.fromkeys([rule.severity.value, *steps]))


def escalation(rule: Rule) -> Iterator[str]:
    """One sentence for each step."""
    for step in rule.escalate:
        limits = []
        if step.min_calls_per_minute is not None:
            limits.append(f"{step.min_calls_per_minute:,.0f} calls a minute")
        if step.min_share is not None:
            limits.append(f"{100 * step.min_share:g} % of the traffic")
        yield f"{step.severity.value} from {' or '.join(limits)} on"


def example_diff(example: Example) -> Iterator[str]:
    """The change of an example as lines of a unified diff."""
    for path, text in sorted(example.tree.items()):
        yield from (f"  {line}" for line in (f"{path} (not touched):", *text.splitlines()))
    for path, sides in sorted(example.files.items()):
        before, after = (sides.before or "").splitlines(), (sides.after or "").splitlines()
        old, new = path if sides.before is not None else "/dev/null", path if sides.after is not None else "/dev/null"
        yield from difflib.unified_diff(before, after, old, new, n=20, lineterm="")


def given(example: Example) -> Iterator[str]:
    """What the profile and the call graph say in an example."""
    for id, usage in sorted(example.usage.items()):
        calls = f"{usage.calls_per_minute:,g} calls a minute" if usage.calls_per_minute is not None else ""
        share = f"{100 * usage.share:g} % of the traffic" if usage.share is not None else ""
        yield f"{id}: {', '.join(filter(None, (calls, share)))}"
    for id, entries in sorted(example.entry_points.items()):
        yield f"{id} is reached from {', '.join(entries)}"
    for id, callers in sorted(example.callers.items()):
        for caller in callers:
            yield f"{caller.id} calls {id}: {', '.join(caller.calls)}" if caller.calls else f"{caller.id} hands on {id}"


def _section(rule: Rule) -> Iterator[str]:
    yield f"# {rule.id}"
    yield ""
    yield f"`{rule.code}` · {rule.family} · {severity(rule)} · {rule.points.value} points · since {rule.since}"
    yield ""
    yield f"**{rule.asks}** {rule.why.strip()}"
    yield ""
    yield f"What to do: {rule.remedy}"
    yield ""
    yield f"Points: {rule.points.source}."
    for step in escalation(rule):
        yield f"Severity: {step}."
    if rule.peers:
        yield f"Elsewhere: {', '.join(rule.peers)}."
    for example in rule.examples:
        if not example.missed:
            yield from _example(f"{'Flagged' if example.flags else 'Not flagged'}: {example.name}", example)
    missed = [example for example in rule.examples if example.missed]
    if missed:
        yield from ("", "## What it does not see")
    for example in missed:
        yield from _example(f"Missed: {example.name}. {example.missed}", example)


def _example(heading: str, example: Example) -> Iterator[str]:
    yield from ("", heading)
    yield from (f"({known})" for known in given(example))
    yield from ("", "```diff")
    yield from (_visible(line) for line in example_diff(example))
    yield "```"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _visible(line: str) -> str:
    """A line of code with what cannot be seen written as escapes."""
    return "".join(
        char if char.isprintable() or char == "\t" else char.encode("unicode_escape").decode("ascii") for char in line
    )
