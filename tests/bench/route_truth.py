"""What a framework itself says its routes and tasks are: the truth that ``tests.bench.routes`` compares gate with.

Runs alone (no import of gate), with the Python that has the application, on a machine to throw away: it imports it.

    PYTHON tests/bench/route_truth.py django SETTINGS_MODULE  --root DIR -o truth.json
    PYTHON tests/bench/route_truth.py flask MODULE:APP        --root DIR -o truth.json     (APP may be a factory)
    PYTHON tests/bench/route_truth.py aiohttp MODULE:APP …, celery MODULE:APP …, dramatiq MODULE …, grpc PACKAGE …

Each row is a label as a recording would have it, the function that runs (None where it is the library's own), and the
class that was registered, both as ``path::qualname`` below the root.
"""

import argparse
import importlib
import inspect
import json
import os
import pkgutil
import sys
from pathlib import Path

_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("framework", choices=sorted(_READERS))
    parser.add_argument("target")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--package", default="", help="folder below the root: what lies beside it is the library's")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path.cwd()))
    root = str(arguments.root.resolve())
    rows = [
        {"label": label, "function": _id(function, root, arguments.package), "class": _id(cls, root, arguments.package)}
        for label, function, cls in _READERS[arguments.framework](arguments.target)
    ]
    arguments.output.write_text(json.dumps(rows, indent=0))
    print(len(rows), "rows,", sum(not (row["function"] or row["class"]) for row in rows), "of the library's own")


def _id(target, root, package):
    if target is None:
        return None
    target = inspect.unwrap(getattr(target, "__func__", target))
    while hasattr(target, "func") and not inspect.isclass(target):  # functools.partial
        target = inspect.unwrap(target.func)
    try:
        file = inspect.getsourcefile(target) or ""
    except TypeError:
        return None
    file = os.path.realpath(file)
    if not file.startswith(f"{root}/{package}"):
        return None
    return f"{file[len(root) + 1 :]}::{target.__qualname__.replace('<locals>.', '')}"


def _app(target):
    module, _, name = target.partition(":")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found() if inspect.isfunction(found) else found


def _methods(cls, verbs=_VERBS):
    for verb in verbs:
        if (method := getattr(cls, verb.lower(), None)) is not None:
            yield verb, method


def _django(settings):
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    import django
    from django.urls import URLResolver, get_resolver

    django.setup()

    def walk(patterns, above):
        for pattern in patterns:
            path = above + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
                continue
            view, verb = _inner(pattern.callback)
            cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
            actions = getattr(view, "actions", None)
            if actions:
                for method, action in actions.items():
                    if method != "head":
                        yield f"{method.upper()} {path}", getattr(cls, action), cls
            elif cls is not None:
                for verb, method in _methods(cls):
                    yield f"{verb} {path}", method, cls
            else:
                yield f"{verb} {path}", view, None

    yield from walk(get_resolver().url_patterns, "/")


def _inner(view):
    """The view inside decorators, also those that do not say what they wrap, and the method that it is asked with."""
    verb = "GET"
    for _ in range(20):
        if hasattr(view, "view_class") or hasattr(view, "cls"):
            break
        names = getattr(getattr(view, "__code__", None), "co_freevars", ())
        contents = [cell.cell_contents for cell in getattr(view, "__closure__", None) or ()]
        cells = dict(zip(names, contents, strict=False))
        verb = next(iter(cells.get("request_method_list", ())), verb)
        inner = [cells[name] for name in ("function", "func", "view_func", "f") if inspect.isfunction(cells.get(name))]
        following = getattr(view, "__wrapped__", None) or next(iter(inner), None)
        if following is None:
            break
        view = following
    return view, verb


def _flask(target):
    app = _app(target)
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        if view is None:  # only its address is built
            continue
        cls = getattr(view, "view_class", None) or _only_class(view)
        for verb in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield f"{verb} {rule.rule}", getattr(cls, verb.lower(), None) if cls else view, cls


def _only_class(view):
    """The class that a made view function makes an object of for each request."""
    cells = [cell.cell_contents for cell in getattr(view, "__closure__", None) or ()]
    classes = [cell for cell in cells if inspect.isclass(cell)]
    return classes[0] if len(cells) == len(classes) == 1 else None


def _aiohttp(target):
    def walk(app):
        for route in app.router.routes():
            handler = route.handler
            if route.method in ("HEAD", "OPTIONS"):
                continue
            if inspect.isclass(handler):
                for verb, method in _methods(handler):
                    yield f"{verb} {route.resource.canonical}", method, handler
            elif route.resource is not None:
                yield f"{route.method.replace('*', 'GET')} {route.resource.canonical}", handler, None

    yield from walk(_app(target))


def _celery(target):
    app = _app(target)
    app.loader.import_default_modules()
    for name, task in app.tasks.items():
        if not name.startswith("celery."):
            yield f"task {name}", task.run, type(task) if type(task).__module__ != "celery.app.task" else None


def _dramatiq(target):
    _import_all(target)
    import dramatiq

    for name, actor in dramatiq.get_broker().actors.items():
        yield f"task {name}", actor.fn, None


def _grpc(target):
    seen = set()
    for module in _import_all(target):
        for cls in vars(module).values():
            if not inspect.isclass(cls) or cls in seen or cls.__module__.endswith("_pb2_grpc"):
                continue
            seen.add(cls)
            for base in cls.__mro__[1:]:
                if base.__name__.endswith("Servicer") and base.__module__.endswith("_pb2_grpc"):
                    for name in vars(base):
                        if not name.startswith("_"):
                            method = getattr(cls, name)
                            is_own = method is not vars(base)[name]
                            label = f"grpc {base.__name__.removesuffix('Servicer')}/{name}"
                            yield label, method if is_own else None, cls


def _import_all(package):
    first = importlib.import_module(package)
    found = [first]
    for info in pkgutil.walk_packages(getattr(first, "__path__", ()), f"{package}.", onerror=lambda name: None):
        try:
            found.append(importlib.import_module(info.name))
        except BaseException as error:
            print("not imported:", info.name, type(error).__name__, file=sys.stderr)
    return found


_READERS = {
    "django": _django, "flask": _flask, "aiohttp": _aiohttp, "celery": _celery, "dramatiq": _dramatiq, "grpc": _grpc,
}  # fmt: skip

if __name__ == "__main__":
    main()
