"""Syntax nodes to the forms of ``forms``, noting on the way every call, name and binding that a scope makes."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatecli.model import FunctionId, FunctionKind
from gatecli.syntax.inference import annotations
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.forms import (
    Binding,
    Block,
    Expression,
    Implied,
    ImpliedKind,
    Scope,
    ScopeParameter,
    Store,
)
from gatecli.syntax.inference.nodes import MAX_DEPTH, MAX_TEXT, text_of
from gatecli.syntax.trees import children

if TYPE_CHECKING:
    from tree_sitter import Node

_UPDATES = frozenset({"append", "add", "insert", "extend", "update", "setdefault", "appendleft"})


@dataclass(slots=True)
class Draft:
    """A scope while it is being read; the fields are those of ``Scope``."""

    id: FunctionId
    kind: FunctionKind
    owner: FunctionId
    parent: FunctionId | None
    parameters: tuple[ScopeParameter, ...] = ()
    decorators: tuple[Expression, ...] = ()
    bases: list[Expression] = field(default_factory=list)
    bindings: dict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    declared: dict[str, Expression] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    calls: list[form.Call] = field(default_factory=list)
    loads: list[form.Name | form.Attribute] = field(default_factory=list)
    implied: list[Implied] = field(default_factory=list)
    returns: list[Expression] = field(default_factory=list)
    yields: list[Expression] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    outer_names: set[str] = field(default_factory=set)
    lambdas: dict[str, Scope] = field(default_factory=dict)
    is_abstract: bool = False
    is_whole: bool = True

    def bind(self, name: str, value: Expression, at: int, until: int | None = None) -> None:
        """Note that a name has a value from a byte on."""
        self.bindings[name].append(Binding(value, at, until))

    def finished(self) -> Scope:
        """The scope as a value."""
        return Scope(
            id=self.id,
            kind=self.kind,
            owner=self.owner,
            parent=self.parent,
            parameters=self.parameters,
            decorators=self.decorators,
            bases=tuple(self.bases),
            bindings={
                name: tuple(sorted(found, key=lambda one: one.at)) for name, found in self.bindings.items() if found
            },
            declared=self.declared,
            stars=tuple(self.stars),
            stores=tuple(self.stores),
            calls=tuple(sorted(self.calls, key=lambda call: call.at)),
            loads=tuple(sorted(self.loads, key=lambda load: load.at)),
            implied=tuple(self.implied),
            returns=tuple(self.returns),
            yields=tuple(self.yields),
            blocks=tuple(self.blocks),
            outer_names=frozenset(self.outer_names),
            lambdas=self.lambdas,
            is_abstract=self.is_abstract,
            is_whole=self.is_whole,
        )


class Converter:
    """Converts the expressions of one scope into its draft.

    ``defined`` maps the extent (bytes) of each function, class and named lambda of the file to its id.
    """

    def __init__(self, defined: Mapping[tuple[int, int], FunctionId], draft: Draft) -> None:
        self.defined = defined
        self.draft = draft

    # ------------------------------------------------------------------ values

    def expression(self, node: "Node | None", depth: int = 0, *, called: bool = False) -> Expression:
        """The form of an expression; ``called`` says that it stands before the parentheses of a call."""
        if node is None:
            return None
        if depth > MAX_DEPTH:
            self.draft.is_whole = False
            return None
        convert = getattr(self, f"_convert_{node.type}", None)
        if convert is not None:
            result: Expression = convert(node, depth + 1, called)
            return result
        for child in children(node):
            if child.is_named:
                self.expression(child, depth + 1)
        return None

    def _convert_identifier(self, node: "Node", depth: int, called: bool) -> Expression:
        return self._noted(form.Name(text_of(node), node.start_byte), called)

    def _noted(self, load: form.Name | form.Attribute, called: bool) -> Expression:
        if not called:
            self.draft.loads.append(load)
        return load

    def _convert_attribute(self, node: "Node", depth: int, called: bool) -> Expression:
        of = self.expression(node.child_by_field_name("object"), depth, called=False)
        name = node.child_by_field_name("attribute")
        return self._noted(form.Attribute(of, text_of(name), name.start_byte), called) if name else None

    def _convert_call(self, node: "Node", depth: int, called: bool) -> Expression:
        of = self.expression(node.child_by_field_name("function"), depth, called=True)
        arguments, keywords = self._arguments(node.child_by_field_name("arguments"), depth)
        at = of.at if isinstance(of, (form.Name, form.Attribute)) else node.start_byte
        call = form.Call(of, arguments, keywords, at, node.start_byte, node.end_byte)
        self.draft.calls.append(call)
        if isinstance(of, form.Attribute) and of.name in _UPDATES:
            self._update(of, call)
        return call

    def _arguments(
        self, node: "Node | None", depth: int
    ) -> tuple[tuple[Expression, ...], tuple[tuple[str | None, Expression], ...]]:
        if node is None:
            return (), ()
        if node.type == "generator_expression":
            return (self.expression(node, depth),), ()
        positional: list[Expression] = []
        keywords: list[tuple[str | None, Expression]] = []
        for child in children(node):
            if child.type == "keyword_argument":
                keywords.append(
                    (
                        text_of(child.child_by_field_name("name")),
                        self.expression(child.child_by_field_name("value"), depth),
                    )
                )
            elif child.type == "dictionary_splat":
                keywords.append((None, self._inside(child, depth)))
            elif child.is_named and child.type != "comment":
                positional.append(self.expression(child, depth))
        return tuple(positional), tuple(keywords)

    def _inside(self, node: "Node", depth: int) -> Expression:
        """The only named child's form: parentheses, await, splats."""
        found = [child for child in children(node) if child.is_named and child.type != "comment"]
        return self.expression(found[0], depth) if found else None

    def _convert_parenthesized_expression(self, node: "Node", depth: int, called: bool) -> Expression:
        return self._inside(node, depth)

    def _convert_await(self, node: "Node", depth: int, called: bool) -> Expression:
        return self._inside(node, depth)

    def _convert_list_splat(self, node: "Node", depth: int, called: bool) -> Expression:
        return form.Starred(self._inside(node, depth))

    def _convert_yield(self, node: "Node", depth: int, called: bool) -> Expression:
        value = self._inside(node, depth)
        delegates = any(child.type == "from" for child in node.children)
        self.draft.yields.append(form.Element(value) if delegates else value)
        return None

    def _update(self, of: form.Attribute, call: form.Call) -> None:
        """``table.update({…})`` and ``things.append(x)`` store what they are given."""
        values = [value for _, value in call.keywords]
        stored: list[tuple[Expression, Expression]] = [(form.Constant(name), value) for name, value in call.keywords]
        if of.name == "setdefault" and len(call.arguments) > 1:
            stored = [(call.arguments[0], call.arguments[1])]
        elif call.arguments and not values:
            last = call.arguments[-1]
            stored = [*last.items] if isinstance(last, form.Dictionary) else []
            if not stored:
                stored = [(None, form.Element(last) if of.name in ("extend", "update") else last)]
        self.draft.stores.extend(Store(of.of, None, key, value, call.end) for key, value in stored)

    def _convert_subscript(self, node: "Node", depth: int, called: bool) -> Expression:
        of = self.expression(node.child_by_field_name("value"), depth)
        keys = [self.expression(child, depth) for child in node.children_by_field_name("subscript")]
        return form.Item(of, keys[0] if len(keys) == 1 else None, node.start_byte)

    def _convert_slice(self, node: "Node", depth: int, called: bool) -> Expression:
        for child in node.named_children:
            self.expression(child, depth)
        first = node.children[0] if node.children else None
        start = int(text_of(first)) if first is not None and text_of(first).isdecimal() else None
        return form.Slice(0 if first is not None and first.type == ":" else start)

    def _convert_sequence(self, node: "Node", depth: int, called: bool) -> Expression:
        items = [
            self.expression(child, depth) for child in children(node) if child.is_named and child.type != "comment"
        ]
        return form.Sequence(tuple(items), node.start_byte)

    _convert_list = _convert_tuple = _convert_set = _convert_expression_list = _convert_sequence

    def _convert_dictionary(self, node: "Node", depth: int, called: bool) -> Expression:
        items: list[tuple[Expression, Expression]] = []
        for child in children(node):
            if child.type == "pair":
                key = self.expression(child.child_by_field_name("key"), depth)
                items.append((key, self.expression(child.child_by_field_name("value"), depth)))
            elif child.type == "dictionary_splat":
                items.append((None, form.Item(self._inside(child, depth), None, child.start_byte)))
        return form.Dictionary(tuple(items), node.start_byte)

    def _convert_comprehension(self, node: "Node", depth: int, called: bool) -> Expression:
        for child in children(node):
            if child.type == "for_in_clause":
                over = [self.expression(one, depth) for one in child.children_by_field_name("right")]
                iterated = over[0] if len(over) == 1 else form.Sequence(tuple(over), child.start_byte)
                self.draft.implied.append(Implied(ImpliedKind.ITERATION, iterated, child.start_byte))
                # The body stands before the clause that binds its names.
                self.target(child.child_by_field_name("left"), form.Element(iterated), node.start_byte, node.end_byte)
            elif child.type == "if_clause":
                self.expression(child, depth)
        body = node.child_by_field_name("body")
        if node.type != "dictionary_comprehension" or body is None:
            return form.Many(self.expression(body, depth))
        self.expression(body.child_by_field_name("key"), depth)
        value = self.expression(body.child_by_field_name("value"), depth)
        return form.Dictionary(((None, value),), node.start_byte)

    _convert_list_comprehension = _convert_set_comprehension = _convert_generator_expression = (
        _convert_dictionary_comprehension
    ) = _convert_comprehension

    def _convert_conditional_expression(self, node: "Node", depth: int, called: bool) -> Expression:
        found = [self.expression(child, depth) for child in node.named_children if child.type != "comment"]
        return form.Choice((found[0], found[2])) if len(found) == 3 else None

    def _convert_boolean_operator(self, node: "Node", depth: int, called: bool) -> Expression:
        left = self.expression(node.child_by_field_name("left"), depth)
        right = self.expression(node.child_by_field_name("right"), depth)
        return form.Choice((left, right))

    def _convert_named_expression(self, node: "Node", depth: int, called: bool) -> Expression:
        value = self.expression(node.child_by_field_name("value"), depth)
        self.draft.bind(text_of(node.child_by_field_name("name")), value, node.end_byte)
        return value

    def _convert_integer(self, node: "Node", depth: int, called: bool) -> Expression:
        text = text_of(node)
        return form.Constant(int(text)) if text.isdecimal() and len(text) < 10 else form.Constant(0)

    def _convert_float(self, node: "Node", depth: int, called: bool) -> Expression:
        return form.Constant(0)

    def _convert_unary_operator(self, node: "Node", depth: int, called: bool) -> Expression:
        value = self.expression(node.child_by_field_name("argument"), depth)
        negative = isinstance(value, form.Constant) and isinstance(value.value, int) and text_of(node).startswith("-")
        return form.Constant(-value.value) if negative else None  # type: ignore[union-attr,operator]

    def _convert_true(self, node: "Node", depth: int, called: bool) -> Expression:
        return form.Constant(node.type == "true")

    _convert_false = _convert_true

    def _convert_none(self, node: "Node", depth: int, called: bool) -> Expression:
        return form.Constant(None)

    def _convert_string(self, node: "Node", depth: int, called: bool) -> Expression:
        parts = [child for child in children(node) if child.is_named]
        for child in parts:
            if child.type == "interpolation":
                self.expression(child.child_by_field_name("expression"), depth)
        plain = [child for child in parts if child.type == "string_content"]
        is_plain = len(plain) == len(parts) - 2 and len(plain) <= 1
        content = text_of(plain[0]) if plain else ""
        return form.Constant(content if is_plain and len(content) <= MAX_TEXT else "\0")

    def _convert_lambda(self, node: "Node", depth: int, called: bool) -> Expression:
        named = self.defined.get((node.start_byte, node.end_byte))
        name = f"<lambda{len(self.draft.lambdas) + 1}>"
        id = named or FunctionId(path=self.draft.id.path, qualname=_inner(self.draft.id, name))
        inner = Draft(id, FunctionKind.LAMBDA, named or self.draft.owner, self.draft.id)
        reader = Converter(self.defined, inner)
        inner.parameters = annotations.parameters(self, node.child_by_field_name("parameters"), depth)
        inner.returns.append(reader.expression(node.child_by_field_name("body"), depth))
        self.draft.lambdas[name] = inner.finished()
        self.draft.is_whole = self.draft.is_whole and inner.is_whole
        return form.Lambda(name)

    # ------------------------------------------------------------------ targets

    def target(self, node: "Node | None", value: Expression, at: int, until: int | None = None) -> None:
        """Note an assignment to a name, an attribute, an item or several of them."""
        pending: list[tuple[Node | None, Expression]] = [(node, value)]
        while pending:
            node, value = pending.pop()
            if node is None:
                continue
            if node.type == "identifier":
                self.draft.bind(text_of(node), value, at, until)
            elif node.type in ("pattern_list", "tuple_pattern", "list_pattern", "tuple", "list", "expression_list"):
                pending.extend(_unpacked(node, value))
            elif node.type in ("as_pattern_target", "parenthesized_expression", "list_splat_pattern"):
                pending.extend((child, value) for child in children(node) if child.is_named)
            elif node.type == "attribute":
                of = self.expression(node.child_by_field_name("object"))
                name = node.child_by_field_name("attribute")
                self.draft.stores.append(Store(of, text_of(name), None, value, at))
            elif node.type == "subscript":
                stored = self._convert_subscript(node, 1, False)
                assert isinstance(stored, form.Item)
                self.draft.stores.append(Store(stored.of, None, stored.key, value, at))


def _unpacked(node: "Node", value: Expression) -> list[tuple["Node", Expression]]:
    """The targets of ``a, *b, c = value`` with what each is given."""
    targets = [child for child in children(node) if child.is_named and child.type != "comment"]
    starred = next((i for i, child in enumerate(targets) if child.type == "list_splat_pattern"), None)
    result: list[tuple[Node, Expression]] = []
    for index, child in enumerate(targets):
        behind = len(targets) - 1 - index
        if index == starred:
            result.append((child, form.Rest(value, index, behind)))
        else:
            place = index if starred is None or index < starred else -1 - behind
            result.append((child, form.Item(value, form.Constant(place), child.start_byte)))
    return result


def _inner(id: FunctionId, name: str) -> str:
    return name if id.qualname == "<module>" else f"{id.qualname}.{name}"
