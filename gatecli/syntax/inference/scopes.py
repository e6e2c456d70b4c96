"""One scope of a file (its module body, a class body, a function) read into the forms of ``forms``.

Only the scopes that a question leads to are read. Nested definitions stand in their outer scope as a binding.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gatecli.model import FunctionId, FunctionKind
from gatecli.syntax.imports import absolute
from gatecli.syntax.inference import annotations
from gatecli.syntax.inference import forms as form
from gatecli.syntax.inference.conversion import Converter, Draft
from gatecli.syntax.inference.forms import Block, Expression, Implied, ImpliedKind, Scope
from gatecli.syntax.inference.nodes import text_of
from gatecli.syntax.python import MODULE, Module
from gatecli.syntax.trees import children

if TYPE_CHECKING:
    from tree_sitter import Node

# Blocks nested deeper are generated code; the scope is then marked as not read to its end.
MAX_BLOCKS = 80


class ScopeReader:
    """The scopes of one file."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._defined = dict(_defined(module))
        self._index = {function.id: index for index, function in enumerate(module.functions)}

    def read(self, id: FunctionId) -> Scope | None:
        """The scope of a function, class body or module body; None where there is none under this id."""
        index = self._index.get(id)
        if index is None:
            return None
        function, node = self._module.functions[index], self._module.nodes[index]
        parent = self._parent(id)
        draft = Draft(id, function.kind, id, parent)
        reader = _Statements(self._module.path, self._defined, draft)
        if function.kind is FunctionKind.MODULE:
            reader.block(node)
        elif function.kind is FunctionKind.LAMBDA:
            reader.bound_lambda(node)
        else:
            reader.definition(_inner_definition(node))
        return draft.finished()

    def _parent(self, id: FunctionId) -> FunctionId | None:
        """The scope around: an outer function or class, else the module."""
        if id.qualname == MODULE:
            return None
        outer, _, _ = id.qualname.rpartition(".")
        parent = FunctionId(path=id.path, qualname=outer)
        return parent if parent in self._index else FunctionId(path=id.path, qualname=MODULE)


def _defined(module: Module) -> Iterator[tuple[tuple[int, int], FunctionId]]:
    for function, node in zip(module.functions, module.nodes, strict=True):
        inner: Node | None = node
        if function.kind is FunctionKind.LAMBDA:
            inner = node.child_by_field_name("right") or node.child_by_field_name("value")
        elif function.kind is not FunctionKind.MODULE:
            inner = _inner_definition(node)
        if inner is not None:
            yield (inner.start_byte, inner.end_byte), function.id


def _inner_definition(node: "Node") -> "Node":
    inner = node.child_by_field_name("definition") if node.type == "decorated_definition" else node
    return inner if inner is not None else node


class _Statements(Converter):
    """Reads the statements of one scope."""

    def __init__(self, path: str, defined: Mapping[tuple[int, int], FunctionId], draft: Draft) -> None:
        super().__init__(defined, draft)
        self._path = path

    def definition(self, node: "Node") -> None:
        """The inside of a function or class; its decorators, defaults and bases belong to the scope around it."""
        outside = Converter(self.defined, Draft(self.draft.id, self.draft.kind, self.draft.owner, self.draft.parent))
        self.draft.parameters = annotations.parameters(outside, node.child_by_field_name("parameters"))
        self.draft.declared["return"] = annotations.annotation(outside, node.child_by_field_name("return_type"))
        if node.type == "class_definition":
            self.draft.bases.extend(_bases(outside, node))
        body = node.child_by_field_name("body")
        if body is not None:
            self.draft.is_abstract = _is_abstract(body)
            self.block(body)

    def bound_lambda(self, node: "Node") -> None:
        """The inside of a lambda that is bound to a name."""
        lambda_ = node.child_by_field_name("right") or node.child_by_field_name("value")
        if lambda_ is None:
            return
        outside = Converter(self.defined, Draft(self.draft.id, self.draft.kind, self.draft.owner, self.draft.parent))
        self.draft.parameters = annotations.parameters(outside, lambda_.child_by_field_name("parameters"))
        self.draft.returns.append(self.expression(lambda_.child_by_field_name("body")))

    # ------------------------------------------------------------------ statements

    def block(self, node: "Node | None", depth: int = 0) -> None:
        """Every statement of a block."""
        if node is None:
            return
        if depth > MAX_BLOCKS:
            self.draft.is_whole = False
            return
        for child in children(node):
            if child.is_named:
                self.statement(child, depth)

    def statement(self, node: "Node", depth: int) -> None:
        """One statement."""
        read = getattr(self, f"_read_{node.type}", None)
        if read is not None:
            read(node, depth)
        elif node.type == "expression_statement":
            for child in children(node):
                self._effect(child)
        elif node.type not in ("comment", "ERROR"):
            self.expression(node)

    def _effect(self, node: "Node") -> None:
        if node.type == "assignment":
            self._assignment(node)
        elif node.type == "augmented_assignment":
            value = self.expression(node.child_by_field_name("right"))
            left = node.child_by_field_name("left")
            if left is not None and left.type == "identifier" and isinstance(value, form.Sequence):
                name = form.Name(text_of(left), left.start_byte)
                self.draft.stores.append(form.Store(name, None, None, form.Element(value), node.end_byte))
        elif node.is_named:
            self.expression(node)

    def _assignment(self, node: "Node") -> None:
        targets = [node.child_by_field_name("left")]
        value_node = node.child_by_field_name("right")
        while value_node is not None and value_node.type == "assignment":  # a = b = value
            targets.append(value_node.child_by_field_name("left"))
            value_node = value_node.child_by_field_name("right")
        value = self.expression(value_node)
        annotation = annotations.annotation(self, node.child_by_field_name("type"))
        for target in targets:
            if annotation is not None and target is not None and target.type == "identifier":
                self.draft.declared[text_of(target)] = annotation
            elif annotation is not None:
                self.target(target, annotation, node.end_byte)
            if value_node is not None:
                self.target(target, value, node.end_byte)

    def _read_return_statement(self, node: "Node", depth: int) -> None:
        found = [child for child in children(node) if child.is_named and child.type != "comment"]
        self.draft.returns.append(self.expression(found[0]) if found else form.Constant(None))

    def _read_global_statement(self, node: "Node", depth: int) -> None:
        self.draft.outer_names.update(text_of(child) for child in node.named_children)

    _read_nonlocal_statement = _read_global_statement

    def _read_raise_statement(self, node: "Node", depth: int) -> None:
        for child in children(node):
            if child.is_named:
                raised = self.expression(child)
                if isinstance(raised, (form.Name, form.Attribute)):
                    self.draft.implied.append(Implied(ImpliedKind.RAISE, raised, child.start_byte))

    def _read_assert_statement(self, node: "Node", depth: int) -> None:
        for child in children(node):
            if child.is_named:
                self.expression(child)
                self._narrow(child, node.end_byte, None)

    def _read_delete_statement(self, node: "Node", depth: int) -> None:
        return

    # ------------------------------------------------------------------ blocks

    def _branch(self, node: "Node | None", depth: int, *, is_loop: bool = False) -> None:
        if node is not None:
            self.draft.blocks.append(Block(node.start_byte, node.end_byte, is_loop))
            self.block(node, depth + 1)

    def _read_if_statement(self, node: "Node", depth: int) -> None:
        condition = node.child_by_field_name("condition")
        consequence = node.child_by_field_name("consequence")
        self.expression(condition)
        if condition is not None and consequence is not None:
            self._narrow(condition, consequence.start_byte, consequence.end_byte)
        self._branch(consequence, depth)
        for child in node.children_by_field_name("alternative"):
            if child.type == "elif_clause":
                self._read_if_statement(child, depth)
            else:
                self._branch(child.child_by_field_name("body"), depth)

    def _narrow(self, condition: "Node", at: int, until: int | None) -> None:
        """``isinstance(name, Class)`` says what the name is."""
        if condition.type == "boolean_operator":
            for child in condition.named_children:
                self._narrow(child, at, until)
        arguments = condition.child_by_field_name("arguments") if condition.type == "call" else None
        called = condition.child_by_field_name("function")
        if arguments is None or text_of(called) != "isinstance" or len(arguments.named_children) != 2:
            return
        name, kinds = arguments.named_children
        if name.type != "identifier":
            return
        quiet = Converter(self.defined, Draft(self.draft.id, self.draft.kind, self.draft.owner, self.draft.parent))
        classes = kinds.named_children if kinds.type == "tuple" else [kinds]
        options = tuple(form.Instance(quiet.expression(one)) for one in classes)
        self.draft.bind(text_of(name), form.Choice(options), at, until)

    def _read_for_statement(self, node: "Node", depth: int) -> None:
        over = self.expression(node.child_by_field_name("right"))
        self.draft.implied.append(Implied(ImpliedKind.ITERATION, over, node.start_byte))
        body = node.child_by_field_name("body")
        at = body.start_byte if body is not None else node.end_byte
        self.target(node.child_by_field_name("left"), form.Element(over), at)
        self._branch(body, depth, is_loop=True)
        alternative = node.child_by_field_name("alternative")
        self._branch(alternative.child_by_field_name("body") if alternative else None, depth)

    def _read_while_statement(self, node: "Node", depth: int) -> None:
        self.expression(node.child_by_field_name("condition"))
        self._branch(node.child_by_field_name("body"), depth, is_loop=True)
        alternative = node.child_by_field_name("alternative")
        self._branch(alternative.child_by_field_name("body") if alternative else None, depth)

    def _read_try_statement(self, node: "Node", depth: int) -> None:
        for child in children(node):
            if child.type == "block":
                self._branch(child, depth)
            elif child.type in ("except_clause", "except_group_clause"):
                self._except(child, depth)
            elif child.type == "else_clause":
                self._branch(child.child_by_field_name("body"), depth)
            elif child.type == "finally_clause":
                for block in children(child):
                    if block.type == "block":
                        self.block(block, depth + 1)

    def _except(self, node: "Node", depth: int) -> None:
        for child in children(node):
            if child.type == "block":
                self._branch(child, depth)
            elif child.type == "as_pattern":
                caught = self.expression(child.named_children[0])
                self.target(child.child_by_field_name("alias"), form.Instance(caught), node.start_byte)
            elif child.is_named and child.type != "comment":
                self.expression(child)

    def _read_with_statement(self, node: "Node", depth: int) -> None:
        body = node.child_by_field_name("body")
        at = body.start_byte if body is not None else node.end_byte
        for item in _with_items(node):
            pattern = item if item.type == "as_pattern" else None
            value = self.expression(pattern.named_children[0] if pattern else item)
            self.draft.implied.append(Implied(ImpliedKind.CONTEXT, value, item.start_byte))
            if pattern is not None:
                self.target(pattern.child_by_field_name("alias"), form.Entered(value), at)
        self.block(body, depth + 1)

    def _read_match_statement(self, node: "Node", depth: int) -> None:
        subject = self.expression(node.child_by_field_name("subject"))
        body = node.child_by_field_name("body")
        for case in children(body) if body is not None else ():
            if case.type != "case_clause":
                continue
            for pattern in case.children:
                if pattern.type == "case_pattern":
                    self._pattern(pattern, subject, case)
            self.expression(case.child_by_field_name("guard"))
            self._branch(case.child_by_field_name("consequence"), depth)

    def _pattern(self, node: "Node", subject: Expression, case: "Node") -> None:
        """``case Class():`` says what the subject is, ``case name:`` binds it."""
        for child in node.named_children:
            if child.type == "class_pattern" and isinstance(subject, form.Name):
                named = _dotted(text_of(child.named_children[0]), child.start_byte)
                self.draft.bind(subject.id, form.Instance(named), case.start_byte, case.end_byte)
            elif child.type == "dotted_name" and text_of(child).isidentifier():
                self.draft.bind(text_of(child), subject, case.start_byte, case.end_byte)

    # ------------------------------------------------------------------ definitions and imports

    def _read_function_definition(self, node: "Node", depth: int) -> None:
        self._define(node, ())

    def _read_class_definition(self, node: "Node", depth: int) -> None:
        self._define(node, ())

    def _read_decorated_definition(self, node: "Node", depth: int) -> None:
        inner = node.child_by_field_name("definition")
        decorators = [child.named_children[0] for child in children(node) if child.type == "decorator"]
        if inner is not None:
            self._define(inner, tuple(decorators))

    def _define(self, node: "Node", decorators: tuple["Node", ...]) -> None:
        id = self.defined.get((node.start_byte, node.end_byte))
        name = node.child_by_field_name("name")
        if id is None or name is None:
            return
        value: Expression = form.Definition(id)
        by = [self.expression(decorator, called=False) for decorator in decorators]
        for expression, decorator in zip(reversed(by), reversed(decorators), strict=True):
            at = expression.at if isinstance(expression, (form.Name, form.Attribute)) else decorator.start_byte
            value = form.Call(expression, (value,), (), at, at, decorator.end_byte, decorates=True)
            self.draft.calls.append(value)
        if node.type == "class_definition":
            _bases(self, node)
        else:  # defaults and annotations are read here: their names are this scope's
            annotations.parameters(self, node.child_by_field_name("parameters"))
            annotations.annotation(self, node.child_by_field_name("return_type"))
        self.draft.bind(text_of(name), value, node.end_byte)

    def _read_import_statement(self, node: "Node", depth: int) -> None:
        for child in node.named_children:
            if child.type == "aliased_import":
                module = text_of(child.child_by_field_name("name"))
                self.draft.bind(text_of(child.child_by_field_name("alias")), form.Imported(module), node.end_byte)
            elif child.type == "dotted_name":
                head = text_of(child).partition(".")[0]
                self.draft.bind(head, form.Imported(head), node.end_byte)

    def _read_import_from_statement(self, node: "Node", depth: int) -> None:
        module = absolute(self._path, node.child_by_field_name("module_name"))
        for child in node.children_by_field_name("name"):
            name, alias = child, child
            if child.type == "aliased_import":
                name = child.child_by_field_name("name") or child
                alias = child.child_by_field_name("alias") or child
            self.draft.bind(text_of(alias), form.Imported(module, text_of(name)), node.end_byte)
        if any(child.type == "wildcard_import" for child in node.named_children):
            self.draft.stars.append(module)

    def _read_future_import_statement(self, node: "Node", depth: int) -> None:
        return

    def _read_type_alias_statement(self, node: "Node", depth: int) -> None:
        return


def _bases(converter: Converter, node: "Node") -> list[Expression]:
    """The base classes of a class, without what they are parametrised with."""
    arguments = node.child_by_field_name("superclasses")
    result = []
    for child in children(arguments) if arguments is not None else ():
        if child.type == "keyword_argument":
            converter.expression(child.child_by_field_name("value"))
        elif child.is_named and child.type != "comment":
            base = converter.expression(child)
            result.append(base.of if isinstance(base, form.Item) else base)
    return result


def _with_items(node: "Node") -> Iterator["Node"]:
    """The context expressions of a ``with``, each as it is or as an ``as_pattern``."""
    pending = [child for child in children(node) if child.type in ("with_clause", "with_item")][::-1]
    while pending:
        child = pending.pop()
        if child.type in ("with_clause", "with_item"):
            pending.extend([one for one in children(child) if one.is_named and one.type != "comment"][::-1])
        elif (
            child.type == "parenthesized_expression" and any(c.type == "as_pattern" for c in child.named_children)
        ) or (child.type == "tuple" and any(c.type == "as_pattern" for c in child.named_children)):
            pending.extend(child.named_children[::-1])
        else:
            yield child


def _dotted(text: str, at: int) -> Expression:
    head, *rest = text.split(".")
    found: form.Name | form.Attribute = form.Name(head, at)
    for name in rest:
        found = form.Attribute(found, name, at)
    return found


def _is_abstract(body: "Node") -> bool:
    """Whether a body only says that a subclass has it: a docstring, ``...``, ``raise NotImplementedError``."""
    for child in children(body):
        text = text_of(child)
        if child.type == "comment" or text == "...":
            continue
        if child.type == "expression_statement" and child.named_children and child.named_children[0].type == "string":
            continue
        return child.type == "raise_statement" and "NotImplemented" in text
    return True
