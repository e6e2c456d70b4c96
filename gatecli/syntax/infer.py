"""What an expression stands for: names, attributes and calls followed through the project, on demand.

The question is always "what can this be?", asked of one expression; only the scopes on the way to the answer are read.
Within a scope the last assignment before the place counts; elsewhere what the scope left behind counts. A parameter is
what its annotation says, else what the calls in the same file (and in the files that the ``CallSites`` know) hand in.
The answer holds ``UNKNOWN`` wherever the text does not say, and never grows beyond the bounds below.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from gatecli.model import FunctionId, FunctionKind
from gatecli.syntax import expressions as form
from gatecli.syntax.arguments import filled, handed_in
from gatecli.syntax.expressions import Binding, Expression, Scope, ScopeParameter
from gatecli.syntax.library import called_library, element_of_library, item_of_operation
from gatecli.syntax.program import Program
from gatecli.syntax.python import MODULE
from gatecli.syntax.values import (
    ANYTHING,
    NOTHING,
    Bound,
    Class,
    Container,
    External,
    Frame,
    Function,
    Generator,
    Items,
    Known,
    Literal,
    ModuleValue,
    Object,
    Operation,
    Parent,
    Thunk,
    Unknown,
    Value,
    Values,
)

# Calls within calls that are followed; deeper ones are unknown.
MAX_CALL_DEPTH = 6
# Expressions within expressions: bounds the stack.
MAX_NESTING = 120
# Steps for one question; a question that needs more stays open. Ordinary ones need fewer than a hundred.
MAX_STEPS = 4_000
# More values than this say nothing.
MAX_VALUES = 40

_END = 1 << 60


class Inference:
    """Answers what expressions stand for, and remembers the answers."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.project = program.project
        self._frames: dict[object, Frame] = {}
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
        if name.id not in scope.outer_names:
            found = self._local(name.id, name.at, frame)
            if found is not None:
                return found
        outer = frame.outer
        while outer is not None:
            if outer.scope.kind is not FunctionKind.CLASS_BODY:
                found = self._local(name.id, _END, outer)
                if found is not None:
                    return found
            outer = outer.outer
        return frozenset({External(f"builtins.{name.id}")})

    def _local(self, name: str, at: int, frame: Frame) -> Values | None:
        """A name that a scope itself binds, as it is at a byte; None where it does not bind it."""
        scope = frame.scope
        bindings = scope.bindings.get(name, ())
        parameter = next((one for one in scope.parameters if one.name == name), None)
        if not bindings and parameter is None:
            return self._starred_import(name, frame) if scope.stars else None
        reaching, is_covered = _reaching(scope, bindings, at)
        found: set[Value] = set()
        for binding in reaching:
            found |= self.values(binding.value, frame)
        if parameter is not None and not is_covered:
            found |= self._parameter(parameter, frame)
        declared = scope.declared.get(name)
        if declared is not None and (not found or not found.isdisjoint(ANYTHING)):
            known = self.values(declared, frame)
            if known and known.isdisjoint(ANYTHING):
                return (frozenset(found) - ANYTHING) | known
        return frozenset(found) if found or bindings or parameter else None

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
        found = self._local(name, _END, self.frame(scope))
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
            return Class(scope.parent)
        return Object(scope.parent, is_exact=False)

    # ------------------------------------------------------------------ attributes

    def _attribute(self, attribute: form.Attribute, frame: Frame) -> Values:
        found: set[Value] = set()
        for of in self.values(attribute.of, frame):
            found |= self.attribute_of(of, attribute.name)
        return frozenset(found)

    def attribute_of(self, of: Value, name: str) -> Values:
        """What ``of.name`` is."""
        if isinstance(of, ModuleValue):
            return self._of_module(of, name)
        if isinstance(of, External):
            return frozenset({External(f"{of.name}.{name}", of.is_result)})
        if isinstance(of, Class):
            return self.of_class(of.id, name, of)
        if isinstance(of, Object):
            return self._of_object(of, name)
        if isinstance(of, Parent):
            return self.of_class(of.cls, name, of.of, skip=1)
        if isinstance(of, (Container, Items)):
            return frozenset({Operation(of, name)})
        if isinstance(of, (Function, Bound)):
            return frozenset({of}) if name in _SAME_FUNCTION else ANYTHING
        return ANYTHING if isinstance(of, Unknown) else NOTHING

    def _of_module(self, of: ModuleValue, name: str) -> Values:
        if of.path.endswith("/"):
            dotted = f"{of.path[:-1]}.{name}"
            path = self.project.path_of(dotted, "")
            if path is not None:
                return frozenset({ModuleValue(path)})
            return frozenset({ModuleValue(dotted + "/")}) if self.project.has_package(dotted, "") else ANYTHING
        found = self.module_attribute(of.path, name)
        return found if found is not None else ANYTHING

    def methods(self, cls: FunctionId, name: str) -> Iterator[FunctionId]:
        """The definitions of a method along the order in which Python looks, nearest first."""
        for base in self.project.mro(cls).classes:
            id = FunctionId(path=base.path, qualname=f"{base.qualname}.{name}")
            if self.project.kind(id) is not None:
                yield id

    def of_class(self, cls: FunctionId, name: str, of: Object | Class, *, skip: int = 0) -> Values:
        """What looking a name up on a class, or on one of its objects, gives."""
        order = self.project.mro(cls)
        for base in order.classes[skip:]:
            scope = self.scope(base)
            found = self._local(name, _END, self.frame(scope)) if scope is not None else None
            if found is not None:
                return frozenset(bound for value in found for bound in self._bind(value, of))
        if order.external:
            return frozenset({External(f"{base}.{name}") for base in order.external})
        return NOTHING if isinstance(of, Object) and of.is_exact else ANYTHING

    def _bind(self, value: Value, of: Object | Class) -> Values:
        """A class attribute as it comes out of the look-up: a method is bound, a property is read."""
        if not isinstance(value, Function):
            return frozenset({value})
        decorators = self.project.decorators(value.id)
        names = {text.partition("(")[0].rpartition(".")[2] for text in decorators}
        if "staticmethod" in names:
            return frozenset({value})
        if "classmethod" in names:
            return frozenset({Bound(value, Class(of.cls) if isinstance(of, Object) else of)})
        if isinstance(of, Class):
            return frozenset({value})
        if any(one.endswith("property") or one == "reify" for one in names):
            return self._result(value, {}, of)
        return frozenset({Bound(value, of)})

    def _of_object(self, of: Object, name: str) -> Values:
        found: set[Value] = set()
        for thunk in self._stored(of, name):
            found |= self.values(thunk.expression, thunk.frame)
        if found and found.isdisjoint(ANYTHING):
            known = {value for value in found if not (isinstance(value, Literal) and value.value is None)}
            inherited = self.of_class(of.cls, name, of) if self._has(of.cls, name) else NOTHING
            return frozenset(known or found) | inherited
        declared = self._declared(of.cls, name)
        if declared is not None:
            return declared
        if self._has(of.cls, name) or not found:
            found |= self.of_class(of.cls, name, of)
        if not found and any(True for _ in self.methods(of.cls, "__getattr__")):
            return ANYTHING
        return frozenset(found)

    def _has(self, cls: FunctionId, name: str) -> bool:
        """Whether a class body of the project binds a name."""
        for base in self.project.mro(cls).classes:
            scope = self.scope(base)
            if scope is not None and name in scope.bindings:
                return True
        return False

    def _declared(self, cls: FunctionId, name: str) -> Values | None:
        """What the annotation of a field in a class body says."""
        for base in self.project.mro(cls).classes:
            scope = self.scope(base)
            annotation = scope.declared.get(name) if scope is not None else None
            if scope is not None and annotation is not None:
                found = self.values(annotation, self.frame(scope))
                return found if found and found.isdisjoint(ANYTHING) else None
        return None

    def _stored(self, of: Object, name: str) -> Iterator[Thunk]:
        """What the methods of a class, its bases and (of the same file) its subclasses store under ``self.name``."""
        order = [*self.project.mro(of.cls).classes]
        if not of.is_exact:
            order += self.project.subclasses_in_file(of.cls)
        for cls in order:
            for method in self.program.storing(cls, name):
                scope = self.scope(method)
                if scope is None or not scope.parameters:
                    continue
                frame = self.frame(scope)
                for store in scope.stores:
                    is_self = isinstance(store.of, form.Name) and store.of.id == scope.parameters[0].name
                    if store.name == name and is_self:
                        yield Thunk(store.value, frame)

    # ------------------------------------------------------------------ calls

    def _call(self, call: form.Call, frame: Frame) -> Values:
        found: set[Value] = set()
        for callee in self.values(call.of, frame):
            found |= self.result(callee, call, frame)
        return frozenset(found)

    def result(self, callee: Value, call: form.Call, frame: Frame) -> Values:
        """What a call of a value gives."""
        if isinstance(callee, Class):
            return frozenset({Object(callee.id, is_exact=True)})
        if isinstance(callee, (Function, Bound)):
            return self._result_of_function(callee, call, frame)
        if isinstance(callee, Object):
            called = self.of_class(callee.cls, "__call__", callee)
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
        return self._result(function, arguments, callee.of if isinstance(callee, Bound) else None, frame)

    def _result(
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

    # ------------------------------------------------------------------ containers

    def _display(self, expression: "form.Sequence | form.Dictionary | form.Many | form.Rest", frame: Frame) -> Values:
        return frozenset({Container(expression, frame)})

    def _item(self, item: form.Item, frame: Frame) -> Values:
        keys = self.keys_of(item.key, frame)
        stored, is_covered = self._item_stores(item, keys, frame)
        if is_covered:
            return stored
        found = set(stored)
        for of in self.values(item.of, frame):
            found |= self.item_of(of, keys)
        return frozenset(found)

    def keys_of(self, key: Expression, frame: Frame) -> "frozenset[str | int | bool | None] | form.Slice | None":
        """The constants that a key may be; None where it may be anything."""
        if isinstance(key, form.Slice):
            return key
        values = self.values(key, frame)
        constants = [value.value for value in values if isinstance(value, Literal)]
        # A parameter may be anything; what is known of it is what the program is seen to use.
        return frozenset(constants) if constants and "\0" not in constants else None

    def item_of(self, of: Value, keys: "frozenset[str | int | bool | None] | form.Slice | None") -> Values:
        """What ``of[key]`` is for some constant keys, or (None) for any."""
        if isinstance(of, (Class, Function)):
            return frozenset({of})  # Generic[T]
        if not isinstance(of, Container):
            if isinstance(of, Object):
                return frozenset(
                    v for m in self.of_class(of.cls, "__getitem__", of) if isinstance(m, Bound)
                    for v in self._result(m.function, {}, of)
                ) or ANYTHING  # fmt: skip
            return of.values if isinstance(of, Items) else ANYTHING
        expression, frame = of.expression, of.frame
        if isinstance(expression, form.Dictionary):
            chosen = [value for key, value in expression.items if self._matches(key, keys, frame)]
            return self._any(chosen, frame)
        if isinstance(expression, form.Many):
            return self.values(expression.of, frame)
        items, is_whole = self._items(of)
        if isinstance(keys, form.Slice):
            chosen_items = items[keys.start :] if keys.start is not None else items
            return frozenset({Container(form.Sequence(tuple(chosen_items), -1), frame)})
        if keys is not None and is_whole and all(isinstance(key, int) for key in keys):
            items = [items[key] for key in keys if isinstance(key, int) and -len(items) <= key < len(items)]
        return self._any(items, frame)

    def _matches(
        self, key: Expression, keys: "frozenset[str | int | bool | None] | form.Slice | None", frame: Frame
    ) -> bool:
        if keys is None or isinstance(keys, form.Slice) or key is None:
            return True
        known = self.keys_of(key, frame)
        return known is None or isinstance(known, form.Slice) or any(type(a) is type(b) and a == b for a in known for b in keys)

    def _any(self, expressions: Iterable[Expression], frame: Frame) -> Values:
        found: set[Value] = set()
        for one in expressions:
            found |= self.element_of_all(one.of, frame) if isinstance(one, form.Starred) else self.values(one, frame)
        return frozenset(found)

    def element_of_all(self, expression: Expression, frame: Frame) -> Values:
        """What iterating over an expression gives."""
        return frozenset(v for of in self.values(expression, frame) for v in self.element_of(of))

    def _items(self, container: Container) -> tuple[list[Expression], bool]:
        """The items of a sequence that is written out; whether their places are known."""
        expression = container.expression
        if isinstance(expression, form.Sequence):
            return [*expression.items], not any(isinstance(one, form.Starred) for one in expression.items)
        if isinstance(expression, form.Rest):
            for of in self.values(expression.of, container.frame):
                if isinstance(of, Container) and isinstance(of.expression, form.Sequence):
                    items = of.expression.items
                    return [*items[expression.start : len(items) - expression.stop]], of.frame is container.frame
        return [], False

    def _item_stores(
        self, item: form.Item, keys: "frozenset[str | int | bool | None] | form.Slice | None", frame: Frame
    ) -> tuple[Values, bool]:
        """What ``table[key] = value`` stored where the table is a plain name, and whether nothing older can be meant."""
        if not isinstance(item.of, form.Name):
            if not isinstance(item.of, form.Item):
                return NOTHING, False
        name = _path(item.of)
        if name is None:
            return NOTHING, False
        reaching: list[tuple[Frame, form.Store]] = []
        is_covered = False
        for store in reversed(frame.scope.stores):
            if store.name is not None or store.at > item.at or _path(store.of) != name:
                continue
            if not self._matches(store.key, keys, frame):
                continue
            reaching.append((frame, store))
            if keys is not None and store.key is not None and _dominates(frame.scope, store.at, item.at):
                is_covered = True
                break
        if not is_covered:
            reaching += self._stores_elsewhere(name, keys, frame)
        found: set[Value] = set()
        for holder, store in reaching:
            found |= self.values(store.value, holder)
        return frozenset(found), is_covered

    def _stores_elsewhere(
        self, name: str, keys: "frozenset[str | int | bool | None] | form.Slice | None", frame: Frame
    ) -> list[tuple[Frame, form.Store]]:
        """Stores into a table of the module that other functions of the file make."""
        head = name.partition("[")[0]
        if frame.scope.kind is not FunctionKind.MODULE and head in frame.scope.bindings:
            return []
        found = []
        for id in self.program.mentioning(frame.scope.id.path, f"{head}["):
            scope = self.scope(id)
            if scope is None or scope is frame.scope:
                continue
            is_local = scope.kind is not FunctionKind.MODULE and (
                head in scope.bindings or any(one.name == head for one in scope.parameters)
            )
            if is_local:
                continue
            holder = self.frame(scope)
            found += [
                (holder, store)
                for store in scope.stores
                if store.name is None and _path(store.of) == name and self._matches(store.key, keys, holder)
            ]
        return found

    def _element(self, element: form.Element, frame: Frame) -> Values:
        found: set[Value] = set()
        for of in self.values(element.of, frame):
            found |= self.element_of(of)
        if isinstance(element.of, form.Name):
            item = form.Item(element.of, None, element.of.at)
            found |= self._item_stores(item, None, frame)[0]
        return frozenset(found)

    def element_of(self, of: Value) -> Values:
        """What iterating over a value gives."""
        if isinstance(of, Container):
            if isinstance(of.expression, form.Dictionary):
                return self._any([key for key, _ in of.expression.items], of.frame)
            return self.item_of(of, None)
        if isinstance(of, Items):
            return of.values
        if isinstance(of, Generator):
            return self._any(of.frame.scope.yields, of.frame)
        if isinstance(of, Object):
            return frozenset(v for step in self.steps(of) for v in self._result(step.function, {}, step.of))
        return element_of_library(of)

    def steps(self, of: Object) -> list[Bound]:
        """The ``__next__`` methods that iterating over an object calls."""
        result = []
        for method in self.of_class(of.cls, "__iter__", of):
            if isinstance(method, Bound):
                for iterator in self._result(method.function, {}, method.of):
                    if isinstance(iterator, Object):
                        found = self.of_class(iterator.cls, "__next__", iterator)
                        result += [one for one in found if isinstance(one, Bound)]
        return sorted(result, key=lambda one: one.function.id)

    def _entered(self, entered: form.Entered, frame: Frame) -> Values:
        found: set[Value] = set()
        for of in self.values(entered.of, frame):
            if isinstance(of, Object):
                for method in ("__enter__", "__aenter__"):
                    bound = [v for v in self.of_class(of.cls, method, of) if isinstance(v, Bound)]
                    found.update(v for one in bound for v in self._result(one.function, {}, one.of, frame))
            elif isinstance(of, Generator):  # contextlib.contextmanager
                found |= self.element_of(of)
            else:
                found |= frozenset({of}) if isinstance(of, External) else ANYTHING
        return frozenset(found)

    # ------------------------------------------------------------------ the rest

    def _choice(self, choice: form.Choice, frame: Frame) -> Values:
        return self._any(choice.options, frame)

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


_SAME_FUNCTION = frozenset(
    {"delay", "apply_async", "si", "s", "signature", "send", "message", "enqueue", "__wrapped__", "func", "__call__", "fn"}
)
_PLAIN_TYPES = frozenset(
    f"builtins.{name}" for name in "str bytes int float bool complex bytearray dict list set frozenset tuple".split()
)

_DISPATCH: dict[type, Callable[..., Values]] = {
    form.Name: Inference._name,
    form.Attribute: Inference._attribute,
    form.Call: Inference._call,
    form.Item: Inference._item,
    form.Slice: Inference._nothing,
    form.Sequence: Inference._display,
    form.Dictionary: Inference._display,
    form.Many: Inference._display,
    form.Rest: Inference._display,
    form.Constant: Inference._constant,
    form.Lambda: Inference._lambda,
    form.Choice: Inference._choice,
    form.Starred: Inference._starred,
    form.Element: Inference._element,
    form.Entered: Inference._entered,
    form.Imported: Inference._imported,
    form.Definition: Inference._definition,
    form.Instance: Inference._instance,
}


def _reaching(scope: Scope, bindings: tuple[Binding, ...], at: int) -> tuple[list[Binding], bool]:
    """The bindings that may hold at a byte, and whether one of them surely does, so that nothing older counts."""
    reaching = []
    for binding in reversed(bindings):
        if binding.until is not None and not binding.at <= at < binding.until:
            continue
        if binding.at > at:
            # Later in the text, but in a loop around both it ran before.
            if any(block.is_loop and binding.at - 1 in block and at in block for block in scope.blocks):
                reaching.append(binding)
            continue
        reaching.append(binding)
        if at == _END and binding.until is None and not _blocks_of(scope, binding.at - 1):
            return reaching, True
        if at != _END and _dominates(scope, binding.at - 1, at):
            return reaching, True
    return reaching, False


def _blocks_of(scope: Scope, at: int) -> list[form.Block]:
    return [block for block in scope.blocks if at in block]


def _dominates(scope: Scope, earlier: int, later: int) -> bool:
    """Whether what stands at one byte always ran before what stands at a later one: no branch is around it alone."""
    return all(later in block for block in scope.blocks if earlier in block)


def _path(expression: Expression) -> str | None:
    """A name, or constant items of one, as text: ``table["a"]``."""
    if isinstance(expression, form.Name):
        return expression.id
    if isinstance(expression, form.Item) and isinstance(expression.key, form.Constant):
        of = _path(expression.of)
        return f"{of}[{expression.key.value!r}]" if of is not None else None
    return None
