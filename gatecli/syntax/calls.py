"""Who refers to a function: the uses of its name in a file, each resolved to *certain*, *possible* or not at all.

A use counts when it calls the function, passes it on, registers it or names it as a decorator. Only the places where
the name stands (and the names that it is handed on as) are looked at, so the cost follows the uses, not the files.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from gatecli.model import Certainty, Definition, FunctionId, FunctionKind
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.arguments import accepts, aliases
from gatecli.syntax.inference.engine import Inference
from gatecli.syntax.inference.program import Site
from gatecli.syntax.inference.values import (
    Bound,
    Class,
    External,
    Frame,
    Function,
    ModuleValue,
    Object,
    Parent,
    Unknown,
    Value,
)

# A longer call is not kept: nobody reads it, and nobody can say whether it still fits.
MAX_CALL_TEXT = 2_000
# Functions that are handed on and called under another name: so many such names are followed in a file.
MAX_HANDED_ON = 8

# Places in one file that are looked at; generated code has thousands that are all alike.
MAX_SITES = 500

_CONSTRUCTORS = ("__init__", "__new__", "__post_init__")
# Methods that syntax calls without naming them, where the way from the class to the call can be seen.
_IMPLIED = (
    "__call__",
    "__enter__",
    "__exit__",
    "__aenter__",
    "__aexit__",
    "__iter__",
    "__next__",
    "__aiter__",
    "__anext__",
)


# Where the name at a byte of a file is defined (see ``types.TypeServer.definitions``).
Definitions = Callable[[str, bytes, int], tuple[Definition, ...] | None]


@dataclass(frozen=True, slots=True)
class Target:
    """A function whose callers are wanted: ``name`` is how code refers to it, ``owner`` the class of a method.

    ``homes`` are the words one of which a file says when it imports the function or its class: the class, the module,
    the package that may re-export it.
    """

    id: FunctionId
    kind: FunctionKind
    name: str
    owner: FunctionId | None

    @property
    def homes(self) -> tuple[bytes, ...]:
        """See the class."""
        parts = self.id.path.rsplit(".", 1)[0].removesuffix("/__init__").split("/")
        words = [self.owner.name] if self.owner is not None else parts[-2:]
        return tuple(word.encode("utf-8", "surrogateescape") for word in words)

    @property
    def is_by_class(self) -> bool:
        """Whether code reaches it by the name of its class."""
        return self.id.name != self.name


@dataclass(frozen=True, slots=True)
class Use:
    """One place that refers to a target, in the function that holds it; ``call`` is the call's text, if it is one.

    ``is_handed_on`` says that the function came here as an argument: who calls this place in general says nothing
    about the target.
    """

    target: FunctionId
    caller: FunctionId
    line: int
    certainty: Certainty
    call: str | None
    is_handed_on: bool = False


def target_of(id: FunctionId, kind: FunctionKind) -> Target | None:
    """How a function is referred to, or None where its name says nothing (module bodies, operator methods)."""
    if kind is FunctionKind.MODULE or (kind is FunctionKind.CLASS_BODY and "." in id.qualname):
        return None
    outer, _, _ = id.qualname.rpartition(".")
    if outer and id.name in (*_CONSTRUCTORS, *_IMPLIED):
        cls = FunctionId(path=id.path, qualname=outer)
        return Target(id, kind, cls.name, cls)
    if id.name.startswith("__") and id.name.endswith("__"):
        return None
    owner = FunctionId(path=id.path, qualname=outer) if kind is FunctionKind.METHOD else None
    return Target(id, kind, id.name, owner)


def uses_in(
    inference: Inference, path: str, targets: Mapping[str, list[Target]], definitions: Definitions | None = None
) -> Iterator[Use]:
    """The uses of targets in one file, in document order; ``targets`` by the name they are referred to.

    ``definitions`` is a type checker that is asked where the text leaves the receiver open.
    """
    wanted = {name: list(found) for name, found in targets.items()}
    file = inference.project.names(path)
    for local, imported in file.imports.items() if file is not None else ():
        if imported.name is not None and imported.name in targets and local not in targets:
            wanted.setdefault(local, []).extend(targets[imported.name])
    followed: set[tuple[str, str]] = set()
    for site in islice(inference.program.sites(path, frozenset(wanted)), MAX_SITES):
        for target in wanted[_name(site.load)]:
            certainty = _resolve(inference, site, target)
            if certainty is Certainty.POSSIBLE and definitions is not None:
                certainty = _asked(inference, definitions, site, target)
            if certainty is None:
                continue
            yield from _use(inference, site, target, certainty)
            if certainty is Certainty.CERTAIN and (site.call is None or target.id.name in _IMPLIED):
                yield from _handed_on(inference, site, target, followed)
    yield from _named_in_texts(inference, path, targets)


def _named_in_texts(inference: Inference, path: str, targets: Mapping[str, list[Target]]) -> Iterator[Use]:
    """Texts that are the dotted name of a target: settings, task names, ``import_string("shop.middleware.Gate")``."""
    for at, dotted in inference.program.dotted_texts(path, frozenset(targets)):
        for target in targets[dotted.rpartition(".")[2]]:
            qualname = _visible(target).qualname
            if not f".{dotted}".endswith(f".{qualname}"):
                continue
            module = dotted[: -len(qualname) - 1]
            if module and inference.project.path_of(module, path) == target.id.path:
                line, holder = inference.program.place(path, at)
                if holder != target.id:
                    yield Use(target.id, holder, line, Certainty.CERTAIN, None)


def _name(load: form.Name | form.Attribute) -> str:
    return load.id if isinstance(load, form.Name) else load.name


def _use(
    inference: Inference, site: Site, target: Target, certainty: Certainty, *, is_handed_on: bool = False
) -> Iterator[Use]:
    path = site.scope.id.path
    line, holder = inference.program.place(path, site.load.at)
    if holder != target.id:
        is_written = site.call is not None and not site.call.decorates
        text = inference.program.call_text(path, site.call) if site.call is not None and is_written else None
        call = text if text is not None and len(text) <= MAX_CALL_TEXT else None
        yield Use(target.id, holder, line, certainty, call, is_handed_on)


def _handed_on(inference: Inference, site: Site, target: Target, followed: set[tuple[str, str]]) -> Iterator[Use]:
    """The calls of a function under the names that a place hands it on as: variables, attributes, parameters."""
    for alias in aliases(inference, site):
        if alias in followed or len(followed) >= MAX_HANDED_ON or alias[1] == target.name:
            continue
        followed.add(alias)
        for other in inference.program.sites(alias[0], frozenset({alias[1]})):
            if other.call is None:
                continue
            found = inference.ask(other.load, inference.frame(other.scope))
            if any(_is_target(inference, value, target) for value in found):
                is_parameter = any(one.name == alias[1] for one in other.scope.parameters)
                yield from _use(inference, other, target, Certainty.CERTAIN, is_handed_on=is_parameter)


# ------------------------------------------------------------------------- what a place refers to


def _resolve(inference: Inference, site: Site, target: Target) -> Certainty | None:
    frame = inference.frame(site.scope)
    load = site.load
    found = inference.ask(load, frame)
    if any(_is_target(inference, value, target) for value in found):
        return _by_class(inference, site, target) if target.id.name in _IMPLIED else Certainty.CERTAIN
    if isinstance(load, form.Name):
        return Certainty.CERTAIN if _is_removed_import(inference, site, load, target) else None
    receivers = inference.ask(load.of, frame)
    fits = target.owner is not None and not target.is_by_class
    fits = fits and (site.call is None or accepts(inference, target.id, site.call))
    answers = [_through(inference, of, target) for of in receivers if fits or not isinstance(of, Unknown)]
    return min((one for one in answers if one is not None), default=None, key=_SUREST.index)


def _asked(inference: Inference, definitions: Definitions, site: Site, target: Target) -> Certainty | None:
    """A type checker's opinion on a place that the text leaves open; without one it stays open."""
    path = site.scope.id.path
    found = definitions(path, inference.program.source(path), site.load.at)
    if not found:
        return Certainty.POSSIBLE
    if _stands_at(inference, target.id, found):
        return Certainty.CERTAIN
    for base in inference.project.ancestors(target.owner) if target.owner is not None else ():
        if _stands_at(inference, FunctionId(path=base.path, qualname=f"{base.qualname}.{target.id.name}"), found):
            return Certainty.CERTAIN if _is_abstract(inference, base, target.id.name) else Certainty.POSSIBLE
    return None


def _stands_at(inference: Inference, id: FunctionId, found: Iterable[Definition]) -> bool:
    spans = [span for one, span in inference.program.spans(id.path) if _same(one, id)]
    return any(one.path == id.path and one.line in span for one in found for span in spans)


# Modules that are loaded by a name made at run time: every function of that name may be meant.
_LOADERS = frozenset({"importlib.import_module", "importlib.util.module_from_spec", "builtins.__import__"})
_SUREST = [Certainty.CERTAIN, Certainty.POSSIBLE]


def _is_target(inference: Inference, value: Value, target: Target) -> bool:
    """Whether a value is the target, is bound to it, makes it run when called, or wraps it."""
    if isinstance(value, Bound):
        return _same(value.function.id, target.id)
    if isinstance(value, Function):
        return _same(value.id, target.id) or _wraps(value.frame, target.id)
    if isinstance(value, Class):
        if value.id == target.id:
            return True
        return target.is_by_class and _defining(inference, value.id, target) == target.owner
    if isinstance(value, Object) and target.id.name == "__call__":
        return _defining(inference, value.cls, target) == target.owner
    return False


def _same(one: FunctionId, other: FunctionId) -> bool:
    """Whether two ids are definitions of one name in one place: overloads, a property and its setter, branches."""
    return one == other or (
        one.path == other.path and one.name == other.name and _outer(one.qualname) == _outer(other.qualname)
    )


def _outer(qualname: str) -> str:
    return qualname.rpartition(".")[0]


def _wraps(frame: Frame | None, id: FunctionId) -> bool:
    """Whether a closure was made around a function: what a decorator of the project returns."""
    while frame is not None:
        for thunks in frame.arguments.values():
            given = (thunk.expression for thunk in thunks)
            if any(isinstance(one, form.Definition) and _same(one.id, id) for one in given):
                return True
        frame = frame.outer
    return False


def _defining(inference: Inference, cls: FunctionId, target: Target) -> FunctionId | None:
    """The class on which Python finds the target's name when it looks on ``cls``; a removed method is still there."""
    for base in inference.project.mro(cls).classes:
        id = FunctionId(path=base.path, qualname=f"{base.qualname}.{target.id.name}")
        if base == target.owner or inference.project.kind(id) is not None:
            return base
    return None


def _through(inference: Inference, of: Value, target: Target) -> Certainty | None:
    """Whether looking the target's name up on a value finds it."""
    if isinstance(of, Unknown):
        return Certainty.POSSIBLE
    if isinstance(of, External):
        return Certainty.POSSIBLE if of.name in _LOADERS else None
    if isinstance(of, ModuleValue):
        is_removed = of.path == target.id.path and inference.project.kind(_visible(target)) is None
        return Certainty.CERTAIN if is_removed and "." not in _visible(target).qualname else None
    if target.owner is None or target.is_by_class:
        return None
    if isinstance(of, Parent):
        behind = inference.project.mro(of.cls).classes[1:]
        found = next((base for base in behind if _defining(inference, base, target) == base), None)
        if found is None and _meet(inference, of.cls, target):
            return Certainty.POSSIBLE
        return Certainty.CERTAIN if found == target.owner else None
    if isinstance(of, (Object, Class)):
        return _on_class(inference, of, target)
    return None


def _on_class(inference: Inference, of: Object | Class, target: Target) -> Certainty | None:
    """A method on an object: its own, an inherited one, or one by which a subclass may have overridden it."""
    cls = of.cls if isinstance(of, Object) else of.id
    assert target.owner is not None, "only methods are looked up on a class"
    defining = _defining(inference, cls, target)
    if defining == target.owner:
        return Certainty.CERTAIN
    if of.is_exact:
        return None
    if cls not in inference.project.ancestors(target.owner):
        return Certainty.POSSIBLE if defining is None and _meet(inference, cls, target) else None
    if defining is None:
        return Certainty.CERTAIN  # a template method: only subclasses have it
    return Certainty.CERTAIN if _is_abstract(inference, defining, target.id.name) else Certainty.POSSIBLE


def _meet(inference: Inference, cls: FunctionId, target: Target) -> bool:
    """Whether a class may find a method that it does not have in a class beside it: one inherits from both."""
    return any(target.owner in inference.project.mro(heir).classes for heir in inference.project.heirs(cls))


def _is_abstract(inference: Inference, cls: FunctionId, name: str) -> bool:
    """Whether a method only announces what subclasses do."""
    id = FunctionId(path=cls.path, qualname=f"{cls.qualname}.{name}")
    if any(text.endswith(("abstractmethod", "abstractproperty")) for text in inference.project.decorators(id)):
        return True
    scope = inference.scope(id)
    return scope is not None and scope.is_abstract


def _visible(target: Target) -> FunctionId:
    """What a name must stand for to mean the target: the class, where it is reached by that."""
    return target.owner if target.is_by_class and target.owner is not None else target.id


def _is_removed_import(inference: Inference, site: Site, load: form.Name, target: Target) -> bool:
    """Whether a name was imported as a function that is defined nowhere any more."""
    wanted = _visible(target)
    names = inference.project.names(site.scope.id.path)
    imported = names.imports.get(load.id) if names is not None else None
    if imported is None or imported.name != wanted.qualname or inference.project.kind(wanted) is not None:
        return False
    return inference.project.path_of(imported.module, site.scope.id.path) == wanted.path


def _by_class(inference: Inference, site: Site, target: Target) -> Certainty:
    """A class is named where an implied method of it may run: certain where the syntax that runs it is there."""
    from gatecli.syntax.edges import edges_of

    if site.call is None:
        return Certainty.POSSIBLE
    reached = {edge.callee for edge in edges_of(inference, site.scope)}
    return Certainty.CERTAIN if target.id in reached else Certainty.POSSIBLE
