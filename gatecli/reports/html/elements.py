"""HTML that cannot be broken out of: a string becomes markup only by being made inert, or by being written here."""

import re
from collections.abc import Iterable

from gatecli.reports.links import link
from gatecli.reports.summary import place
from gatecli.reports.text import LIMIT, cut, markup

_VOID = frozenset({"meta", "link", "br", "input", "col"})
_JOINT = re.compile(r"(?<=[/_.:])(?=[^/_.:\s])(?!pyi?\b)")
_QUOTED = re.compile(r"`([^`]{1,300})`")


class Html(str):
    """Markup that gate wrote; every other string is text, and is escaped when it becomes part of the page."""

    __slots__ = ()


Content = str | Html | None | Iterable["Content"]
"""What an element holds: text, elements, nothing, or several of them."""


def text(content: str, limit: int = LIMIT) -> Html:
    """A text made inert: no markup, nothing invisible."""
    return Html(markup(content, limit))


def name(content: str, limit: int = LIMIT) -> Html:
    """A path or dotted name made inert, which a narrow column breaks after ``/``, ``.``, ``_`` and ``::``."""
    return Html(_JOINT.sub("<wbr>", text(content, limit)))


def prose(content: str, limit: int = LIMIT) -> Html:
    """A sentence made inert, with what stands in backticks set as code."""
    content = cut(content, limit)
    parts, end = [], 0
    for match in _QUOTED.finditer(content):
        parts += [text(content[end : match.start()], len(content)), tag("code", match[1])]
        end = match.end()
    return join(*parts, text(content[end:], len(content)))


def join(*content: Content) -> Html:
    """Several pieces as one."""
    return Html("".join(map(_rendered, content)))


def tag(name: str, /, *content: Content, **attributes: object) -> Html:
    """An element. ``class_`` is ``class``, other underscores are hyphens; None and False leave an attribute out."""
    written = "".join(
        f" {_attribute(key)}" if value is True else f' {_attribute(key)}="{markup(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*content)}</{name}>")


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _rendered(content: Content) -> str:
    if content is None:
        return ""
    if isinstance(content, Html):
        return content
    if isinstance(content, str):
        return text(content)
    return "".join(map(_rendered, content))


def dotted(*parts: Html | str | None) -> Html:
    """What there is of several pieces, with middle dots between."""
    shown = [part for part in parts if part]
    return join(*shown[:1], *((" · ", part) for part in shown[1:]))


def lines(content: Iterable[str | Html]) -> Html:
    """Several lines for an element that keeps line breaks."""
    return Html("\n".join(map(_rendered, content)))


def percent(part: float, whole: float = 1.0) -> str:
    """A length for a style: ``part`` of ``whole`` in percent, between 0 and 100."""
    value = 100 * part / whole if whole > 0 else 0.0
    return f"{min(100.0, max(0.0, value)):.4g}%" if value == value else "0%"


def source_place(path: str | None, line: int | None, source_url: str | None) -> Html | None:
    """``path:line``, a link where it is known where the source is to be read; None without a path."""
    if path is None:
        return None
    shown = tag("code", place(path, line), class_="place")
    return tag("a", shown, href=link(source_url, path, line)) if source_url else shown


def section(id: str, title: str, *content: Content, lead: Content = None) -> Html:
    """A part of the page with its heading, and a sentence below it that says what one sees."""
    heading = tag("h2", title, id=f"{id}-title")
    below = tag("p", lead, class_="lead") if lead else None
    return tag("section", heading, below, content, id=id, aria_labelledby=f"{id}-title")
