"""Notebooks for tests, as Jupyter writes them."""

import json


def cell(source: str, kind: str = "code", **more) -> dict:
    """A cell as nbformat keeps it: its lines with their ends."""
    made = {"cell_type": kind, "id": "c1", "metadata": {}, "source": source.splitlines(keepends=True)}
    if kind == "code":
        made |= {"execution_count": 1, "outputs": []}
    return made | more


def notebook(*cells: dict | str, language: str | None = "python", indent: int | None = 1) -> str:
    """A notebook as Jupyter writes it (``nbformat.write``: indent 1, sorted keys, a newline at the end)."""
    metadata = {"language_info": {"name": language, "version": "3.12.1"}} if language else {}
    whole = {
        "cells": [cell(one) if isinstance(one, str) else one for one in cells],
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=indent, sort_keys=True, ensure_ascii=False) + "\n"
