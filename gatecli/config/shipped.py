"""The data files that gate ships: ``gatecli/rules/data/`` in an installed package, ``rules/`` in a checkout."""

from functools import cache
from pathlib import Path

from gatecli.errors import EvidenceError


def data_root() -> Path:
    """The folder of the shipped data.

    Raises:
        EvidenceError: there is none.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "rules" / "data", package.parent / "rules"):
        if (folder / "weights.yml").is_file():
            return folder
    raise EvidenceError("gate's own data files are missing", "reinstall gatecli")


@cache
def read_data(name: str) -> bytes:
    """A shipped file by its ``/``-separated path below ``data_root``.

    Raises:
        EvidenceError: there is no such file.
    """
    try:
        return data_root().joinpath(*name.split("/")).read_bytes()
    except OSError as error:
        raise EvidenceError(
            f"gate's own data file {name} cannot be read: {error.strerror}", "reinstall gatecli"
        ) from error
