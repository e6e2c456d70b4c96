"""From Python 3.14 on a class's annotations are evaluated late and in the class, where a field hides what has its name.

https://peps.python.org/pep-0649/#name-resolution-in-annotations
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def hidden(source: str) -> Iterator[str]:
    """The names in annotations of a class that a field or method of the same class takes."""
    for body in (node.body for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)):
        fields = [one for one in body if isinstance(one, ast.AnnAssign)]
        methods = [one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
        taken = {one.target.id for one in fields if isinstance(one.target, ast.Name)} | {one.name for one in methods}
        written = [one.annotation for one in fields]
        for method in methods:
            arguments = (*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs)
            written += [one for one in (*(argument.annotation for argument in arguments), method.returns) if one]
        for annotation in written:
            yield from (f"{one.id}, line {one.lineno}" for one in ast.walk(annotation)
                        if isinstance(one, ast.Name) and one.id in taken)  # fmt: skip


def test_no_field_hides_what_an_annotation_beside_it_means() -> None:
    found = {file: list(hidden(file.read_text(encoding="utf-8"))) for file in ROOT.glob("gatecli/**/*.py")}
    assert found
    assert {file: names for file, names in found.items() if names} == {}


def test_a_hidden_name_is_found() -> None:
    assert list(hidden("class A:\n    kind: model.Kind\n    model: str\n")) == ["model, line 2"]
    assert list(hidden("class A:\n    def set(self, one: set[int]) -> None: ...\n")) == ["set, line 2"]
    assert list(hidden("class A:\n    kind: Kind\n    model: str\n")) == []
