"""Import statements in one fixed order, over the standard library's ``ast``: what gate takes for layout."""

import ast


class SortedImports(ast.NodeTransformer):
    """Sorts imports that stand together, one name a statement, where no two of them give a name different meanings."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            if isinstance(getattr(node, field, None), list):
                setattr(node, field, _sorted(getattr(node, field)))
        return node


def _sorted(body: list[ast.stmt]) -> list[ast.stmt]:
    result: list[ast.stmt] = []
    group: list[ast.Import | ast.ImportFrom] = []
    for statement in [*body, None]:
        is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if isinstance(statement, ast.Import | ast.ImportFrom) and not is_future:
            group.append(statement)
            continue
        result += _in_order(group)
        group = []
        result += [statement] if statement is not None else []
    return result


def _in_order(group: list[ast.Import | ast.ImportFrom]) -> list[ast.stmt]:
    single: list[ast.Import | ast.ImportFrom] = []
    bound: dict[str, set[str]] = {}
    for statement in group:
        for alias in statement.names:
            one = ast.Import(names=[alias])
            if isinstance(statement, ast.ImportFrom):
                one = ast.ImportFrom(module=statement.module, names=[alias], level=statement.level)
            single.append(one)
            name = alias.asname or alias.name.partition(".")[0]
            plain = isinstance(statement, ast.Import) and alias.asname is None
            meaning = f"module {name}" if plain else ast.dump(one)
            bound.setdefault(name, set()).add(meaning)
    if "*" in bound or any(len(meanings) > 1 for meanings in bound.values()):
        return list(group)
    return sorted(single, key=ast.dump)
