"""What happened in the example before its own story: a back office that changed for a year, the same every time.

Made, not recorded: enough changes to learn from, of which the large ones were taken back more often. Small numbers
come from a seeded generator whose ``random()`` is the same in every version of Python.
"""

import random
from collections.abc import Iterator
from itertools import accumulate

COUNT = 140
_FIRST = 1_740_907_800  # 2025-03-02T09:30:00Z, a year before the first mail
_STEP_S = 215_000

_PEOPLE = ("Mei Tanaka <mei@shop.example>", "Ravi Menon <ravi@shop.example>", "Ines Duarte <ines@shop.example>")
_NEWCOMERS = tuple(
    f"{name} <{name.split()[0].lower()}@agency.example>" for name in ("Tom Adler", "Lea Brandt", "Jo Sand")
)
_MODULES = (
    "stock",
    "suppliers",
    "letters",
    "rota",
    "returns",
    "catalogue",
    "budget",
    "holidays",
    "parcels",
    "visitors",
)
_VERBS = ("count", "sort", "check", "send", "merge", "split", "report", "export", "open", "close")
_WORDS = ("Fix", "Correct", "Change")

State = dict[str, list[int]]
Step = tuple[str, str, dict[str, str]]


def stream() -> bytes:
    """The back office's history for ``git fast-import``, on ``main``."""
    chance = random.Random(2_025)
    steps = list(_steps(chance))
    times = accumulate((int(_STEP_S * (0.4 + 1.2 * chance.random())) for _ in steps), initial=_FIRST)
    return b"".join(_commit(who, at, message, files) for at, (who, message, files) in zip(times, steps, strict=False))


def _steps(chance: random.Random) -> Iterator[Step]:
    """Small changes with their test by those who work there; now and then a large one by somebody new to it."""
    state: State = {module: [1] * len(_VERBS) for module in _MODULES}
    yield _PEOPLE[2], "A back office", {_path(module): _text(module, versions) for module, versions in state.items()}
    undo: tuple[str, State] | None = None
    for number in range(2, COUNT + 1):
        if undo is not None:
            message, before = undo
            state, undo = state | before, None
            yield _PEOPLE[1], f'Revert "{message}"', {_path(one): _text(one, before[one]) for one in before}
            continue
        is_large = chance.random() < 0.12
        modules = {_MODULES[int(len(_MODULES) * chance.random())] for _ in range(4 if is_large else 1)}
        before = {module: state[module] for module in sorted(modules)}
        after = {module: _moved(chance, versions, 0.7 if is_large else 0.1) for module, versions in before.items()}
        state |= after
        files = {_path(module): _text(module, versions) for module, versions in after.items()}
        if is_large:
            who, message = _NEWCOMERS[number % 3], f"Rework {' and '.join(after)} ({number})"
        else:
            who, (module,) = _PEOPLE[number % 3], after
            message = f"{_WORDS[int(3 * chance.random())]} {module} ({number})"
            files[f"tests/test_{module}.py"] = f"def test_{module}():\n    assert {number}\n"
        if chance.random() < (0.45 if is_large else 0.02):
            undo = message, before
        yield who, message, files


def _moved(chance: random.Random, versions: list[int], part: float) -> list[int]:
    """A new version of some of the functions, of one at least."""
    moved = [version + (chance.random() < part) for version in versions]
    return moved if moved != versions else [versions[0] + 1, *versions[1:]]


def _path(module: str) -> str:
    return f"office/{module}.py"


def _text(module: str, versions: list[int]) -> str:
    """A module whose functions grow by a line with every version, up to six."""
    parts = [f'"""The back office: {module}."""\n']
    for verb, version in zip(_VERBS, versions, strict=True):
        lines = [f"    rows = [row for row in rows if row != {version - back}]\n" for back in range(min(version, 6))]
        parts.append(f"def {verb}_{module}(rows, least={version}):\n{''.join(lines)}    return rows[:least]\n")
    return "\n\n".join(parts)


def _commit(who: str, at: int, message: str, files: dict[str, str]) -> bytes:
    lines = [f"commit refs/heads/main\nauthor {who} {at} +0000\ncommitter {who} {at} +0000\n", _data(message)]
    lines += [f"M 100644 inline {path}\n{_data(text)}" for path, text in files.items()]
    return ("".join(lines) + "\n").encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"
