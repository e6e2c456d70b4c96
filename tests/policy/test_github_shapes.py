"""What gate reads of GitHub's answers, against GitHub's own OpenAPI description (npm, ``@octokit/openapi``)."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from gatecli.policy.approvals import github
from tests.reports.node import package_file

# The answer of an address, and the type that reads it.
ANSWERS = {
    "/repos/{owner}/{repo}/pulls/{pull_number}": github.PullRequest,
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews": github.Review,
    "/repos/{owner}/{repo}/pulls/{pull_number}/commits": github.Commit,
    "/repos/{owner}/{repo}/collaborators": github.Collaborator,
    "/repos/{owner}/{repo}/commits/{ref}/check-runs": github.Check,
    "/repos/{owner}/{repo}/commits/{ref}/check-suites": github.Check,
}
# One type reads both: a run says when it was completed, a suite when it was updated.
ONLY_IN_ONE = {"completed_at", "updated_at"}
JSON_TYPES: dict[Any, str] = {str: "string", int: "integer", bool: "boolean", Mapping: "object"}


@cache
def description() -> Any:
    file = package_file("@octokit/openapi/generated/api.github.com.json")
    return json.loads(file.read_bytes())


def resolved(schema: Any) -> Any:
    """A schema without references; of alternatives all properties together."""
    while "$ref" in schema:
        found: Any = description()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/")]
        schema = found
    parts = [resolved(part) for key in ("anyOf", "oneOf", "allOf") for part in schema.get(key, ())]
    if not parts:
        return schema
    properties = {name: one for part in parts for name, one in part.get("properties", {}).items()}
    required = {name for part in parts for name in part.get("required", ())}
    types = [one for part in parts for one in _types(part)]
    nullable = any(part.get("nullable") for part in parts) or schema.get("nullable", False)
    return {"type": types, "properties": properties, "required": sorted(required), "nullable": nullable}


def _types(schema: Any) -> list[str]:
    kind = schema.get("type", "object" if "properties" in schema else [])
    return kind if isinstance(kind, list) else [kind]


def item_of(path: str) -> Any:
    content = description()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    schema = resolved(content)
    if _types(schema) == ["array"]:
        return resolved(schema["items"])
    for name in ("check_runs", "check_suites"):
        if name in schema.get("properties", {}):
            return resolved(resolved(schema["properties"][name])["items"])
    return schema


def differences(kind: Any, schema: Any, at: str) -> list[str]:
    """Where the type reads something that the description has not, has otherwise, or may leave out."""
    found = []
    hints = get_type_hints(kind)
    for field in fields(kind):
        where, here = f"{at}.{field.name}", schema.get("properties", {}).get(field.name)
        if here is None:
            if field.name not in ONLY_IN_ONE:
                found.append(f"{where} is not described")
            continue
        here = resolved(here)
        hint = hints[field.name]
        types = [one for one in (get_args(hint) or (hint,)) if one is not NoneType]
        may_be_null = here.get("nullable", False) or "null" in _types(here)
        if may_be_null and NoneType not in get_args(hint):
            found.append(f"{where} may be null")
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed and field.name not in schema.get("required", ()):
            found.append(f"{where} may be left out")
        inner = Mapping if get_origin(hint) is Mapping else types[0]
        if inner in JSON_TYPES and JSON_TYPES[inner] not in _types(here):
            found.append(f"{where} is {_types(here)}")
        if hasattr(inner, "__dataclass_fields__"):
            found += differences(inner, resolved(here.get("items", here)), where)
    return found


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.rpartition("/")[2])
def test_what_is_read_is_what_github_describes(path: str) -> None:
    assert differences(ANSWERS[path], item_of(path), ANSWERS[path].__name__) == []


def test_the_list_of_open_pull_requests_says_what_is_read_of_the_others() -> None:
    found = differences(github.PullRequest, item_of("/repos/{owner}/{repo}/pulls"), "PullRequest")
    assert found == ["PullRequest.commits is not described"]


def test_the_words_that_decide_are_github_s() -> None:
    conclusions = resolved(item_of("/repos/{owner}/{repo}/commits/{ref}/check-runs")["properties"]["conclusion"])
    assert set(github._CONCLUSIONS) <= set(conclusions["enum"])
    review = item_of("/repos/{owner}/{repo}/pulls/{pull_number}/reviews")["properties"]
    association = resolved(review["author_association"])
    assert {"OWNER", "MEMBER", "COLLABORATOR"} <= set(association["enum"])


def test_the_example_of_the_description_is_read() -> None:
    def example(path: str) -> Any:
        content = description()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        name = next(iter(content["examples"].values()))["$ref"].rpartition("/")[2]
        return description()["components"]["examples"][name]["value"]

    paths = list(ANSWERS)
    pull = example(paths[0])
    values = {
        "pull_request": pull | {"commits": 1},
        "reviews": example(paths[1]),
        "commits": example(paths[2]),
        "collaborators": example(paths[3]),
        "check_runs": example(paths[4])["check_runs"],
        "check_suites": example(paths[5])["check_suites"],
    }
    answers = github.read_answers(json.dumps(values).encode())
    assert (answers.pull_request.user.login, answers.reviews[0].state) == ("octocat", "APPROVED")
    assert answers.check_runs[0].conclusion == "neutral"
