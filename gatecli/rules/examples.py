"""A rule's examples as tests: each becomes a case as the pipeline would build it, and is run through the rule."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gatecli.model import (
    Blast,
    Caller,
    Case,
    Change,
    EdgeBasis,
    FileChange,
    FileStatus,
    Finding,
    FunctionId,
    Outcome,
    Provenance,
    ProvenanceClass,
    SourceKind,
    Usage,
    UsageStatus,
)
from gatecli.rules import registry
from gatecli.rules.code import Around
from gatecli.rules.spec import Example, FileSides, Rule
from gatecli.sources.rebuild import hunks_between
from gatecli.syntax.match import changed_functions

TODAY = date(2026, 1, 15)
"""The day on which examples are judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An example that did not turn out as it says."""

    rule: str
    example: str
    reason: str


def failures(rules: Iterable[Rule]) -> tuple[Failure, ...]:
    """The examples that fail, in the order of the rules."""
    return tuple(
        Failure(rule=rule.id, example=example.name, reason=reason)
        for rule in rules
        for example in rule.examples
        if (reason := judge(rule, example))
    )


def judge(rule: Rule, example: Example) -> str:
    """Why an example fails, empty if it does not."""
    findings = registry.run((rule,), case_of(example), around=around_of(example))
    for finding in findings:
        if finding.outcome is Outcome.ERROR:
            return finding.message
    if example.flags and not findings:
        return "not flagged"
    if example.missed and findings:
        return f"flagged, so it is no known miss any more (take missed away, say flags: true): {findings[0].message}"
    if not example.flags and findings:
        return f"flagged: {findings[0].message}"
    if example.says and not any(example.says in finding.message for finding in findings):
        return f"does not say {example.says!r}: {findings[0].message}"
    if example.severity is not None and example.severity not in {finding.severity for finding in findings}:
        return f"not {example.severity.value} but {findings[0].severity.value}"
    return _placed(example, findings)


def _placed(example: Example, findings: tuple[Finding, ...]) -> str:
    """Every finding stands on a line that the new side has."""
    for finding in findings:
        after = (example.files[finding.path].after or "") if finding.path in example.files else ""
        if finding.line is not None and not 1 <= finding.line <= max(1, after.count("\n") + 1):
            return f"stands on line {finding.line}, which {finding.path} does not have"
    return ""


def case_of(example: Example) -> Case:
    """The case of an example; without usage there is no profile."""
    files = tuple(_file(path, sides) for path, sides in sorted(example.files.items()))
    functions, parsed = changed_functions(files)
    digest = hashlib.sha256(repr(files).encode("utf-8", "surrogatepass")).hexdigest()
    change = Change(kind=SourceKind.PATCH, base=None, head=None, merge_base=None, digest=digest, files=files)
    usage = _usage_of(example)
    absent = Usage(status=UsageStatus.NOT_OBSERVED if usage else UsageStatus.NO_PROFILE)
    blast = {_id(id): _blast(example, id) for id in {**example.callers, **example.entry_points}}
    return Case(
        change=change,
        parsed=parsed,
        functions=functions,
        usage={function.id: absent for function in functions} | usage,
        blast=blast,
        history={},
        provenance=Provenance(klass=ProvenanceClass.NO_EVIDENCE),
    )


class _Files:
    """A tree of texts."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def paths(self) -> Iterable[str]:
        return self._files.keys()

    def ids(self) -> Mapping[str, str]:
        """No id: the files are not of a repository."""
        return {}

    def read(self, path: str) -> bytes | None:
        text = self._files.get(path)
        return text.encode("utf-8", "surrogatepass") if text is not None else None

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """The contents of many files."""
        return ((path, self.read(path)) for path in paths)

    def grep(self, words: Iterable[str], keep: Callable[[str], bool] | None = None) -> Iterator[tuple[str, bytes]]:
        found = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in words) or "(?!)")
        for path in sorted(self._files):
            if path.endswith((".py", ".pyi")) and (keep is None or keep(path)) and found.search(self._files[path]):
                yield path, self._files[path].encode("utf-8", "surrogatepass")


def around_of(example: Example) -> Around:
    """What lies around an example: both trees, and its usage by function."""
    trees = []
    for side in ("before", "after"):
        sides = {path: text for path, known in example.files.items() if (text := getattr(known, side)) is not None}
        trees.append(_Files({**example.tree, **sides}))
    usage = _usage_of(example)
    return Around(base=trees[0], head=trees[1], usage=usage.get, today=TODAY)


def _blast(example: Example, id: str) -> Blast:
    callers = tuple(
        Caller(id=_id(known.id), basis=EdgeBasis.STATIC, certainty=known.certainty, calls=known.calls, line=known.line)
        for known in example.callers.get(id, ())
    )
    return Blast(callers=callers, entry_points=example.entry_points.get(id, ()), depth=1)


def _usage_of(example: Example) -> dict[FunctionId, Usage]:
    return {
        _id(id): Usage(
            status=UsageStatus.OBSERVED, calls_per_minute=known.calls_per_minute, share=known.share, basis="example"
        )
        for id, known in example.usage.items()
    }


def _file(path: str, sides: FileSides) -> FileChange:
    before = sides.before.encode("utf-8", "surrogatepass") if sides.before is not None else None
    after = sides.after.encode("utf-8", "surrogatepass") if sides.after is not None else None
    status = FileStatus.ADDED if before is None else FileStatus.DELETED if after is None else FileStatus.MODIFIED
    return FileChange(
        path=path,
        old_path=path if before is not None else None,
        status=status,
        hunks=hunks_between(before, after),
        before=before,
        after=after,
    )


def _id(text: str) -> FunctionId:
    path, _, qualname = text.partition("::")
    return FunctionId(path=path, qualname=qualname)
