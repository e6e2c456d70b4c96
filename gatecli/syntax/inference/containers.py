"""Lists, tuples and dictionaries that are written out: their items, what is stored into them, what iterating gives."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gatecli.model import FunctionKind
from gatecli.syntax.inference import classes
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.flow import dominates
from gatecli.syntax.inference.forms import Expression
from gatecli.syntax.inference.values import (
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
    Literal,
    Object,
    Unknown,
    Value,
    Values,
)

if TYPE_CHECKING:
    from gatecli.syntax.inference.engine import Inference

# The constants that a key may be, a slice, or None where it may be anything.
Keys = frozenset[str | int | bool | None] | form.Slice | None


def display(
    inference: "Inference", expression: "form.Sequence | form.Dictionary | form.Many | form.Rest", frame: Frame
) -> Values:
    """A list, tuple or dictionary that is written out."""
    return frozenset({Container(expression, frame)})


def item(inference: "Inference", item: form.Item, frame: Frame) -> Values:
    """What ``of[key]`` is, with what was stored there."""
    keys = keys_of(inference, item.key, frame)
    stored, is_covered = _item_stores(inference, item, keys, frame)
    if is_covered:
        return stored
    found = set(stored)
    for of in inference.values(item.of, frame):
        found |= item_of(inference, of, keys)
    return frozenset(found)


def keys_of(inference: "Inference", key: Expression, frame: Frame) -> Keys:
    """The constants that a key may be; None where it may be anything."""
    if isinstance(key, form.Slice):
        return key
    values = inference.values(key, frame)
    constants = [value.value for value in values if isinstance(value, Literal)]
    # A parameter may be anything; what is known of it is what the program is seen to use.
    return frozenset(constants) if constants and "\0" not in constants else None


def item_of(inference: "Inference", of: Value, keys: Keys) -> Values:
    """What ``of[key]`` is for some constant keys, or (None) for any."""
    if isinstance(of, (Class, Function)):
        return frozenset({of})  # Generic[T]
    if not isinstance(of, Container):
        if isinstance(of, Object):
            return frozenset(
                v for m in classes.of_class(inference, of.cls, "__getitem__", of) if isinstance(m, Bound)
                for v in inference.result_of(m.function, {}, of)
            ) or ANYTHING  # fmt: skip
        return of.values if isinstance(of, Items) else ANYTHING
    expression, frame = of.expression, of.frame
    if isinstance(expression, form.Dictionary):
        chosen = [value for key, value in expression.items if _matches(inference, key, keys, frame)]
        return any_of(inference, chosen, frame)
    if isinstance(expression, form.Many):
        return inference.values(expression.of, frame)
    items, is_whole = _items(inference, of)
    if isinstance(keys, form.Slice):
        chosen_items = items[keys.start :] if keys.start is not None else items
        return frozenset({Container(form.Sequence(tuple(chosen_items), -1), frame)})
    if keys is not None and is_whole and all(isinstance(key, int) for key in keys):
        items = [items[key] for key in keys if isinstance(key, int) and -len(items) <= key < len(items)]
    return any_of(inference, items, frame)


def _matches(inference: "Inference", key: Expression, keys: Keys, frame: Frame) -> bool:
    if keys is None or isinstance(keys, form.Slice) or key is None:
        return True
    known = keys_of(inference, key, frame)
    return (
        known is None
        or isinstance(known, form.Slice)
        or any(type(a) is type(b) and a == b for a in known for b in keys)
    )


def any_of(inference: "Inference", expressions: Iterable[Expression], frame: Frame) -> Values:
    """What any of some expressions may be, starred ones taken apart."""
    found: set[Value] = set()
    for one in expressions:
        found |= (
            element_of_all(inference, one.of, frame) if isinstance(one, form.Starred) else inference.values(one, frame)
        )
    return frozenset(found)


def element_of_all(inference: "Inference", expression: Expression, frame: Frame) -> Values:
    """What iterating over an expression gives."""
    return frozenset(v for of in inference.values(expression, frame) for v in element_of(inference, of))


def _items(inference: "Inference", container: Container) -> tuple[list[Expression], bool]:
    """The items of a sequence that is written out; whether their places are known."""
    expression = container.expression
    if isinstance(expression, form.Sequence):
        return [*expression.items], not any(isinstance(one, form.Starred) for one in expression.items)
    if isinstance(expression, form.Rest):
        for of in inference.values(expression.of, container.frame):
            if isinstance(of, Container) and isinstance(of.expression, form.Sequence):
                items = of.expression.items
                return [*items[expression.start : len(items) - expression.stop]], of.frame is container.frame
    return [], False


def _item_stores(inference: "Inference", item: form.Item, keys: Keys, frame: Frame) -> tuple[Values, bool]:
    """What ``table[key] = value`` stored where the table is a plain name, and whether nothing older can be meant."""
    name = _path(item.of)
    if name is None:
        return NOTHING, False
    reaching: list[tuple[Frame, form.Store]] = []
    is_covered = False
    for store in reversed(frame.scope.stores):
        if store.name is not None or store.at > item.at or _path(store.of) != name:
            continue
        if not _matches(inference, store.key, keys, frame):
            continue
        reaching.append((frame, store))
        if keys is not None and store.key is not None and dominates(frame.scope, store.at, item.at):
            is_covered = True
            break
    if not is_covered:
        reaching += _stores_elsewhere(inference, name, keys, frame)
    found: set[Value] = set()
    for holder, store in reaching:
        found |= inference.values(store.value, holder)
    return frozenset(found), is_covered


def _stores_elsewhere(inference: "Inference", name: str, keys: Keys, frame: Frame) -> list[tuple[Frame, form.Store]]:
    """Stores into a table of the module that other functions of the file make."""
    head = name.partition("[")[0]
    if frame.scope.kind is not FunctionKind.MODULE and head in frame.scope.bindings:
        return []
    found = []
    for id in inference.program.mentioning(frame.scope.id.path, f"{head}["):
        scope = inference.scope(id)
        if scope is None or scope is frame.scope:
            continue
        is_local = scope.kind is not FunctionKind.MODULE and (
            head in scope.bindings or any(one.name == head for one in scope.parameters)
        )
        if is_local:
            continue
        holder = inference.frame(scope)
        found += [
            (holder, store)
            for store in scope.stores
            if store.name is None and _path(store.of) == name and _matches(inference, store.key, keys, holder)
        ]
    return found


def element(inference: "Inference", element: form.Element, frame: Frame) -> Values:
    """What iterating over an expression gives."""
    found: set[Value] = set()
    for of in inference.values(element.of, frame):
        found |= element_of(inference, of)
    if isinstance(element.of, form.Name):
        item = form.Item(element.of, None, element.of.at)
        found |= _item_stores(inference, item, None, frame)[0]
    return frozenset(found)


def element_of(inference: "Inference", of: Value) -> Values:
    """What iterating over a value gives."""
    if isinstance(of, Container):
        if isinstance(of.expression, form.Dictionary):
            return any_of(inference, [key for key, _ in of.expression.items], of.frame)
        return item_of(inference, of, None)
    if isinstance(of, Items):
        return of.values
    if isinstance(of, Generator):
        return any_of(inference, of.frame.scope.yields, of.frame)
    if isinstance(of, Object):
        return frozenset(v for step in steps(inference, of) for v in inference.result_of(step.function, {}, step.of))
    return _element_of_library(of)


def steps(inference: "Inference", of: Object) -> list[Bound]:
    """The ``__next__`` methods that iterating over an object calls."""
    result = []
    for method in classes.of_class(inference, of.cls, "__iter__", of):
        if isinstance(method, Bound):
            for iterator in inference.result_of(method.function, {}, method.of):
                if isinstance(iterator, Object):
                    found = classes.of_class(inference, iterator.cls, "__next__", iterator)
                    result += [one for one in found if isinstance(one, Bound)]
    return sorted(result, key=lambda one: one.function.id)


def entered(inference: "Inference", entered: form.Entered, frame: Frame) -> Values:
    """What ``with of as name`` binds."""
    found: set[Value] = set()
    for of in inference.values(entered.of, frame):
        if isinstance(of, Object):
            for method in ("__enter__", "__aenter__"):
                bound = [v for v in classes.of_class(inference, of.cls, method, of) if isinstance(v, Bound)]
                found.update(v for one in bound for v in inference.result_of(one.function, {}, one.of, frame))
        elif isinstance(of, Generator):  # contextlib.contextmanager
            found |= element_of(inference, of)
        else:
            found |= frozenset({of}) if isinstance(of, External) else ANYTHING
    return frozenset(found)


def _path(expression: Expression) -> str | None:
    """A name, or constant items of one, as text: ``table["a"]``."""
    if isinstance(expression, form.Name):
        return expression.id
    if isinstance(expression, form.Item) and isinstance(expression.key, form.Constant):
        of = _path(expression.of)
        return f"{of}[{expression.key.value!r}]" if of is not None else None
    return None


def _element_of_library(of: Value) -> Values:
    """What iterating over something that is no container gives."""
    if isinstance(of, External):
        return frozenset({External(of.name, is_result=True)}) if of.name.startswith("builtins.") else ANYTHING
    return ANYTHING if isinstance(of, Unknown) else NOTHING
