"""The JSON Schema (draft 2020-12) of ``.gate/policy.yml``, from the types that read it."""

import json
from inspect import cleandoc
from typing import Any

import msgspec

from gatecli.config import Config


def schema() -> str:
    """The schema as published: no key but the known ones."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gate policy",
        **msgspec.json.schema(Config),
    }
    for definition in described["$defs"].values():
        _close(definition)
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _close(definition: dict[str, Any]) -> None:
    if "properties" in definition:
        definition["additionalProperties"] = False
    if "description" in definition:
        # Python 3.13 takes the indent off docstrings, older ones keep it.
        definition["description"] = cleandoc(definition["description"]).replace("``", "`")
