"""Saying what was seen in one sentence: names, snippets of untrusted code, traffic."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from gatecli.model import FunctionChange, FunctionKind, Usage, UsageStatus

_NUMBER = re.compile(r"#\d{1,9}")
"""What tells definitions of one name apart in an id, and no reader of a sentence needs."""

SNIPPET = 80
"""Characters of foreign code in a message."""


def snippet(code: str, limit: int = SNIPPET) -> str:
    """Foreign code on one line: white space runs as one blank, what cannot be seen as ``?``, cut at ``limit``."""
    line = " ".join(code[: 8 * limit].split())
    shown = "".join(char if char.isprintable() else "?" for char in line)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


_TOKENS = re.compile(r" [.(\[,:)\]]( |$)")
_STRINGS = re.compile(r"(' .{0,400}? ')(?= |$)")
_TIGHT = (
    (re.compile(r" ?\. ?"), "."),
    (re.compile(r"(?<=[\w\])]) (?=[(\[])"), ""),
    (re.compile(r"(?<=[(\[{@~]) "), ""),
    (re.compile(r" (?=[)\]},:;])"), ""),
    (re.compile(r"(?<=[(,\s])(\*{1,2}|-) (?=\w)"), r"\1"),
    (
        re.compile(r"\b(and|as|assert|elif|except|for|if|in|is|lambda|not|or|raise|return|while|with|yield)(?=[(\[])"),
        r"\1 ",
    ),
)


def as_code(tokens: str) -> str:
    """Code as one writes it, of its tokens with blanks between them (``code.normal``); any other text as it is."""
    if not _TOKENS.search(tokens):
        return tokens
    held = _STRINGS.findall(tokens)
    text = _STRINGS.sub("\x00", tokens)
    for pattern, written in _TIGHT:
        text = pattern.sub(written, text)
    text = _within_brackets(text)
    for string in held:
        text = text.replace("\x00", f"'{string[2:-2]}'", 1)
    return text


def _within_brackets(text: str) -> str:
    """Arguments by name as they are written: without blanks around the ``=``."""
    depth, parts = 0, []
    for part in re.split(r"([(\[{)\]}])", text):
        depth += (part in "([{") - (part in ")]}") if part else 0
        parts.append(_NAMED.sub(r"\1=", part) if depth > 0 else part)
    return "".join(parts)


_NAMED = re.compile(r"((?:^|, )\w+) = ")


def name(change: FunctionChange) -> str:
    """How a sentence names a function: ``pricing.price_order``; a module body by its path."""
    function = change.function
    path = PurePosixPath(function.id.path)
    if function.kind is FunctionKind.MODULE:
        return snippet(str(path))
    stem = path.parent.name if path.stem == "__init__" and path.parent.name else path.stem
    return snippet(_NUMBER.sub("", f"{stem}.{function.id.qualname}"))


def traffic(usage: Usage | None) -> str:
    """``runs 61,400 times a minute (38 % of traffic)``, empty where the profile has no figure."""
    if usage is None or usage.status is not UsageStatus.OBSERVED:
        return ""
    share = f"{percent(usage.share)} of traffic" if usage.share is not None else ""
    if usage.calls_per_minute is not None:
        calls = f"runs {count(usage.calls_per_minute)} times a minute"
        return f"{calls} ({share})" if share else calls
    return f"carries {share}" if share else ""


def percent(share: float) -> str:
    """A share 0..1 as a percentage."""
    value = 100 * share
    if 0 < value < 0.1:
        return "<0.1 %"
    return f"{value:.1f} %" if value < 10 and round(value, 1) != round(value) else f"{value:.0f} %"


def count(value: float) -> str:
    """A rate: whole from ten on, one decimal below."""
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"


def amount(value: float) -> str:
    """A number from code, without a needless ``.0``."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:g}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """``a, b and c``, or ``a, b, c and 4 more``."""
    shown = [snippet(item) for item in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most:,} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""


def plural(number: int, noun: str) -> str:
    """``1 caller``, ``7 callers``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
