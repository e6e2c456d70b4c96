"""How routes are written: by frameworks, in recordings, in reports."""

import re

RPC = "grpc "
"""What the label of a remote procedure begins with: ``grpc Orders/Place``."""

_CONVERTER = re.compile(r"<(?:[^<>:]*:)?(?P<flask>[^<>:]*)>|\{(?P<brace>\w*)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")


def readable(route: str) -> str:
    """A route that is a regular expression as a path: ``^orders/(?P<pk>[0-9]+)/$`` → ``orders/<pk>/``.

    Anything else is given back as it is; groups without a name become ``<>``.
    """
    if "\\" not in route and not re.search(r"[\^$(]|/\?", route):
        return route
    parts: list[str] = []
    position = 0
    while position < len(route):
        character = route[position]
        if character == "(":
            end = _closing(route, position)
            group = route[position : end + 1]
            named = re.match(r"\(\?P<(\w+)>", group)
            position = end + 1
            optional = route[position : position + 1] in ("?", "*")
            if named or not group.startswith("(?"):
                parts.append(f"<{named[1] if named else ''}>")
            elif not optional:
                parts.append(readable(re.sub(r"^\(\?[:=!<aiLmsux-]*", "", group)[:-1]).partition("|")[0])
            position += optional
        elif character == "\\" and position + 1 < len(route):
            if not route[position + 1].isalnum():
                parts.append(route[position + 1])
            elif route[position + 1] not in "AZbB":
                parts.append(route[position : position + 2])
            position += 2
        else:
            if character not in "^$" and not (character == "?" and parts):
                parts.append(character)
            position += 1
    return "".join(parts)


def _closing(text: str, start: int) -> int:
    """The position of the parenthesis that closes the one at ``start``; brackets and escapes do not count."""
    depth, in_class, position = 0, False, start
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                return position
        position += 1
    return len(text) - 1


def comparable(route: str) -> str:
    """A route without what frameworks and recordings write differently: slashes at the ends, kinds of parameters.

    ``/orders/<int:pk>/``, ``orders/{pk}`` and ``^orders/(?P<pk>[0-9]+)/?$`` are the same.
    """
    path = _CONVERTER.sub(lambda match: f"{{{match['flask'] or match['brace'] or ''}}}", readable(route[:2_000]))
    return re.sub(r"/{2,}", "/", path).strip().strip("/")
