"""Golden files: what a report looks like, reviewed by eye. ``UPDATE_GOLDEN=1`` writes them anew."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def check(name: str, actual: bytes) -> None:
    file = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_bytes(actual)
    assert actual.decode() == file.read_bytes().decode(), f"{name}: UPDATE_GOLDEN=1 writes it anew; read the difference"
