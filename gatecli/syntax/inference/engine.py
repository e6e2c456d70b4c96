"""What an expression stands for: names, attributes and calls followed through the project, on demand.

The question is always "what can this be?", asked of one expression; only the scopes on the way to the answer are read.
Within a scope the last assignment before the place counts; elsewhere what the scope left behind counts. A parameter is
what its annotation says, else what the calls in the same file (and in the files that the ``CallSites`` know) hand in.
The answer holds ``UNKNOWN`` wherever the text does not say, and never grows beyond the bounds below.
"""

import builtins
from collections.abc import Callable, Mapping

from gatecli.model import FunctionId, FunctionKind
from gatecli.syntax.inference import classes, containers
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.arguments import filled, handed_in
from gatecli.syntax.inference.flow import reaching
from gatecli.syntax.inference.forms import Expression, Scope, ScopeParameter
from gatecli.syntax.inference.outside import called_library, item_of_operation
from gatecli.syntax.inference.program import Program, Site
from gatecli.syntax.inference.values import (
    ANYTHING,
    NOTHING,
    Bound,
    Class,
    External,
    Frame,
    Function,
    Generator,
    Known,
    Literal,
    ModuleValue,
    Object,
    Operation,
    Thunk,
    Unknown,
    Value,
    Values,
)
from gatecli.syntax.python import END, MODULE

# Calls within calls that are followed; deeper ones are unknown.
MAX_CALL_DEPTH = 6
# Expressions within expressions: bounds the stack.
MAX_NESTING = 120
# Steps for one question; a question that needs more stays open. Ordinary ones need fewer than a hundred.
MAX_STEPS = 4_000
# More values than this say nothing.
MAX_VALUES = 40


class Inference:
    """Answers what expressions stand for, and remembers the answers."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.project = program.project
        self._frames: dict[object, Frame] = {}
        self.calls: dict[FunctionId, tuple[Site, ...]] = {}
        self._receivers: dict[Object | Class, Known] = {}
        # The expression is kept with its answer: the key is its identity.
        self._answers: dict[tuple[int, int], tuple[object, Values]] = {}
        self._active: dict[tuple[int, int], None] = {}
        self._cycles: set[tuple[int, int]] = set()
        self._steps = 0
        nowhere = FunctionId(path="", qualname=MODULE)
        self._nowhere = Frame(Scope(id=nowhere, kind=FunctionKind.MODULE, owner=nowhere, parent=None), None, {}, 0)
        self.exhausted = False

    # ------------------------------------------------------------------ questions

    def ask(self, expression: Expression, frame: Frame) -> Values:
        """What an expression may be; a fresh question with steps of its own."""
        self._steps = 0
        return self.values(expression, frame)

    def frame(
        self,
        scope: Scope,
        outer: Frame | None = None,
        arguments: Mapping[str, tuple[Thunk, ...]] | None = None,
        depth: int = 0,
    ) -> Frame:
        """The frame of a scope; without ``outer`` that of the scope around it."""
        if outer is None and scope.parent is not None:
            around = self.scope(scope.parent)
            outer = self.frame(around, depth=depth) if around is not None else None
        given = tuple(sorted((arguments or {}).items()))
        key = (scope.id, id(outer), tuple((n, tuple((id(t.expression), id(t.frame)) for t in ts)) for n, ts in given))
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = Frame(scope, outer, dict(given), depth)
        return found

    def scope(self, id: FunctionId) -> Scope | None:
        """A scope of the project; anonymous functions are found in the one around them."""
        outer, _, name = id.qualname.rpartition(".")
        if name.startswith("<lambda"):
            around = self.scope(FunctionId(path=id.path, qualname=outer or MODULE))
            return around.lambdas.get(name) if around is not None else None
        return self.program.scope(id)

    def values(self, expression: "Expression | Known", frame: Frame) -> Values:
        """What an expression may be, as part of a question."""
        if isinstance(expression, Known):
            return expression.values
        if expression is None:
            return ANYTHING
        key = (id(expression), id(frame))
        if key in self._answers:
            return self._answers[key][1]
        if key in self._active:
            self._cycles.add(key)
            return NOTHING
        self._steps += 1
        if self._steps > MAX_STEPS or len(self._active) > MAX_NESTING:
            self.exhausted = True
            return ANYTHING
        self._active[key] = None
        found = frozenset(_DISPATCH[type(expression)](self, expression, frame))
        del self._active[key]
        self._cycles.discard(key)
        if len(found) > MAX_VALUES:
            found = ANYTHING
        if not self._cycles and self._steps <= MAX_STEPS:  # an answer inside a cycle is not whole
            self._answers[key] = (expression, found)
        return found

    # ------------------------------------------------------------------ names

    def _name(self, name: form.Name, frame: Frame) -> Values:
        scope = frame.scope
        found = self.local(name.id, name.at, frame)
        if found is not None and (name.id not in scope.outer_names or self._is_covered(name, scope)):
            return found
        outer = frame.outer
        while outer is not None:
            if outer.scope.kind is not FunctionKind.CLASS_BODY:
                found = self.local(name.id, END, outer)
                if found is not None:
                    return found
            outer = outer.outer
        return frozenset({External(f"builtins.{name.id}")}) if name.id in _BUILTINS else ANYTHING

    def _is_covered(self, name: form.Name, scope: Scope) -> bool:
        """Whether a scope gives a ``global`` or ``nonlocal`` name a value of its own before it reads it."""
        return reaching(scope, scope.bindings.get(name.id, ()), name.at)[1]

    def local(self, name: str, at: int, frame: Frame) -> Values | None:
        """A name that a scope itself binds, as it is at a byte; None where it does not bind it."""
        scope = frame.scope
        bindings = scope.bindings.get(name, ())
        parameter = next((one for one in scope.parameters if one.name == name), None)
        if not bindings and parameter is None:
            return self._starred_import(name, frame) if scope.stars else None
        held, is_covered = reaching(scope, bindings, at)
        found: set[Value] = set()
        for binding in held:
            found |= self.values(binding.value, frame)
        if parameter is not None and not is_covered:
            found |= self._parameter(parameter, frame)
        if scope.kind is FunctionKind.MODULE:
            found |= self._assigned_globally(name, frame)
        declared = scope.declared.get(name)
        if declared is not None and (not found or not found.isdisjoint(ANYTHING)):
            known = self.values(declared, frame)
            if known and known.isdisjoint(ANYTHING):
                return (frozenset(found) - ANYTHING) | known
        return frozenset(found) if found or bindings or parameter else None

    def _assigned_globally(self, name: str, frame: Frame) -> Values:
        """What functions of a file assign to a name of the module."""
        found: set[Value] = set()
        for id in self.program.mentioning(frame.scope.id.path, f"global {name}"):
            scope = self.scope(id)
            if scope is not None and name in scope.outer_names:
                inner = self.frame(scope)
                for binding in scope.bindings.get(name, ()):
                    found |= self.values(binding.value, inner)
        return frozenset(found)

    def _starred_import(self, name: str, frame: Frame) -> Values | None:
        for module in frame.scope.stars:
            path = self.project.path_of(module, frame.scope.id.path)
            if path is not None and (found := self.module_attribute(path, name)) is not None:
                return found
        return None

    def module_attribute(self, path: str, name: str) -> Values | None:
        """What a module of the project holds under a name; None where it holds nothing."""
        scope = self.scope(FunctionId(path=path, qualname=MODULE))
        if scope is None:
            return None
        found = self.local(name, END, self.frame(scope))
        if found is None and path.endswith(("/__init__.py", "__init__.py")):
            package = path.rpartition("__init__.py")[0]
            inner = self.project.submodule(package, name)
            return frozenset({ModuleValue(inner)}) if inner is not None else None
        return found

    def _imported(self, imported: form.Imported, frame: Frame) -> Values:
        importer = frame.scope.id.path
        if imported.name is None:
            path = self.project.path_of(imported.module, importer)
            if path is not None:
                return frozenset({ModuleValue(path)})
            is_package = self.project.has_package(imported.module, importer)
            return frozenset({ModuleValue(imported.module + "/")} if is_package else {External(imported.module)})
        path = self.project.path_of(imported.module, importer)
        if path is not None and path != importer:
            found = self.module_attribute(path, imported.name)
            if found is not None:
                return found
        inner = self.project.path_of(f"{imported.module}.{imported.name}", importer)
        if inner is not None:
            return frozenset({ModuleValue(inner)})
        if path is not None:
            return ANYTHING  # made at run time, or removed
        return frozenset({External(f"{imported.module}.{imported.name}")})

    def _definition(self, definition: form.Definition, frame: Frame) -> Values:
        kind = self.project.kind(definition.id)
        if kind is FunctionKind.CLASS_BODY:
            return frozenset({Class(definition.id)})
        captured = frame if frame.arguments or (frame.outer is not None and frame.outer.arguments) else None
        return frozenset({Function(definition.id, captured)})

    # ------------------------------------------------------------------ parameters

    def _parameter(self, parameter: ScopeParameter, frame: Frame) -> Values:
        outer = frame.outer or frame
        if parameter.name in frame.arguments:
            found: set[Value] = set()
            for thunk in frame.arguments[parameter.name]:
                found |= self.values(thunk.expression, thunk.frame)
            return frozenset(found)
        receiver = self._receiver(parameter, frame.scope)
        if receiver is not None:
            return frozenset({receiver})
        if parameter.annotation is not None and not parameter.kind:
            declared = self.values(parameter.annotation, outer)
            if declared and declared.isdisjoint(ANYTHING):
                return declared
        found = set(ANYTHING)
        if parameter.default is not None:
            found |= self.values(parameter.default, outer)
        if frame.depth < MAX_CALL_DEPTH:
            for thunk in handed_in(self, frame.scope, parameter.name):
                found |= self.values(thunk.expression, thunk.frame)
        return frozenset(found)

    def _receiver(self, parameter: ScopeParameter, scope: Scope) -> Value | None:
        """What ``self`` or ``cls`` is."""
        if scope.kind is not FunctionKind.METHOD or scope.parent is None or parameter is not scope.parameters[0]:
            return None
        decorators = self.project.decorators(scope.id)
        if any(text.endswith("staticmethod") for text in decorators):
            return None
        is_class = scope.id.name in ("__new__", "__init_subclass__", "__class_getitem__")
        if is_class or any(text.endswith("classmethod") for text in decorators):
            return Class(scope.parent, is_exact=False)
        return Object(scope.parent, is_exact=False)

    # ------------------------------------------------------------------ calls

    def _call(self, call: form.Call, frame: Frame) -> Values:
        found: set[Value] = set()
        for callee in self.values(call.of, frame):
            found |= self.result(callee, call, frame)
        if call.decorates:  # a decorator that nothing is known of hands on what it is given
            known = frozenset(one for one in found if isinstance(one, (Function, Bound, Class)))
            return known or self.values(call.arguments[0], frame)
        return frozenset(found)

    def result(self, callee: Value, call: form.Call, frame: Frame) -> Values:
        """What a call of a value gives."""
        if isinstance(callee, Class):
            return frozenset({Object(callee.id, callee.is_exact)})
        if isinstance(callee, (Function, Bound)):
            return self._result_of_function(callee, call, frame)
        if isinstance(callee, Object):
            called = classes.of_class(self, callee.cls, "__call__", callee)
            bound = [value for value in called if isinstance(value, Bound)]
            return frozenset(v for value in bound for v in self._result_of_function(value, call, frame)) or ANYTHING
        if isinstance(callee, External):
            return called_library(self, callee, call, frame)
        if isinstance(callee, Operation):
            return item_of_operation(self, callee, call, frame)
        return ANYTHING if isinstance(callee, Unknown) else NOTHING

    def _result_of_function(self, callee: Function | Bound, call: form.Call, frame: Frame) -> Values:
        function = callee.function if isinstance(callee, Bound) else callee
        scope = self.scope(function.id)
        if scope is None or frame.depth >= MAX_CALL_DEPTH:
            return ANYTHING
        arguments = filled(scope, call, frame, 1 if isinstance(callee, Bound) else 0)
        return self.result_of(function, arguments, callee.of if isinstance(callee, Bound) else None, frame)

    def result_of(
        self,
        function: Function,
        arguments: Mapping[str, tuple[Thunk, ...]],
        of: Object | Class | None,
        caller: Frame | None = None,
    ) -> Values:
        """What a function returns for some arguments."""
        scope = self.scope(function.id)
        if scope is None:
            return ANYTHING
        given = dict(arguments)
        depth = caller.depth + 1 if caller is not None else 1
        if of is not None and scope.parameters:
            receiver = self._receivers.setdefault(of, Known(frozenset({of})))
            given[scope.parameters[0].name] = (Thunk(receiver, self._nowhere),)
        inner = self.frame(scope, function.frame, given, depth)
        if scope.yields:
            return frozenset({Generator(inner)})
        found: set[Value] = set()
        for returned in scope.returns:
            found |= self.values(returned, inner)
        declared = scope.declared.get("return")
        if declared is not None and (not scope.returns or not found.isdisjoint(ANYTHING)):
            known = self.values(declared, inner.outer or inner)
            if known and known.isdisjoint(ANYTHING):
                return (frozenset(found) - ANYTHING) | known
        return frozenset(found) if scope.returns else frozenset({Literal(None)})

    def _lambda(self, expression: form.Lambda, frame: Frame) -> Values:
        scope = frame.scope.lambdas.get(expression.name)
        return frozenset({Function(scope.id, frame)}) if scope is not None else ANYTHING

    # ------------------------------------------------------------------ the rest

    def _choice(self, choice: form.Choice, frame: Frame) -> Values:
        return containers.any_of(self, choice.options, frame)

    def _constant(self, constant: form.Constant, frame: Frame) -> Values:
        return frozenset({Literal(constant.value)})

    def _starred(self, starred: form.Starred, frame: Frame) -> Values:
        return self.values(starred.of, frame)

    def _instance(self, instance: form.Instance, frame: Frame) -> Values:
        """An object of what an annotation names; a class of another library may be a base of one of the project."""
        found: set[Value] = set()
        for of in self.values(instance.of, frame):
            if isinstance(of, Class):
                found.add(Object(of.id, is_exact=False))
            elif isinstance(of, External) and of.name in _PLAIN_TYPES:
                found.add(External(of.name, is_result=True))
            else:
                found |= ANYTHING
        return frozenset(found)

    def _nothing(self, expression: Expression, frame: Frame) -> Values:
        return NOTHING


_BUILTINS = frozenset(dir(builtins))
_PLAIN_TYPES = frozenset(
    f"builtins.{name}"
    for name in [
        "str",
        "bytes",
        "int",
        "float",
        "bool",
        "complex",
        "bytearray",
        "dict",
        "list",
        "set",
        "frozenset",
        "tuple",
    ]
)

_DISPATCH: dict[type, Callable[..., Values]] = {
    form.Name: Inference._name,
    form.Attribute: classes.attribute,
    form.Call: Inference._call,
    form.Item: containers.item,
    form.Slice: Inference._nothing,
    form.Sequence: containers.display,
    form.Dictionary: containers.display,
    form.Many: containers.display,
    form.Rest: containers.display,
    form.Constant: Inference._constant,
    form.Lambda: Inference._lambda,
    form.Choice: Inference._choice,
    form.Starred: Inference._starred,
    form.Element: containers.element,
    form.Entered: containers.entered,
    form.Imported: Inference._imported,
    form.Definition: Inference._definition,
    form.Instance: Inference._instance,
}
