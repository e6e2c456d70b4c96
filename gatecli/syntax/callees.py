"""What a function calls, as far as the text says for certain.

A call on an unknown receiver (``order.save()``) may reach any method of that name and is left out: the profile knows.
"""

from gatecli.model import FunctionId, Tree
from gatecli.syntax.edges import edges_of
from gatecli.syntax.imports import Project
from gatecli.syntax.inference.engine import Inference
from gatecli.syntax.inference.forms import Scope
from gatecli.syntax.inference.program import Program

# Functions of one file that are looked at.
MAX_FUNCTIONS = 2_000


def callees(tree: Tree, path: str) -> dict[FunctionId, tuple[FunctionId, ...]]:
    """Each function of a file with what it calls, in the order of the first calls; empty where it does not parse."""
    program = Program(tree, Project(tree))
    inference = Inference(program)
    module = program.module(path)
    found: dict[FunctionId, dict[FunctionId, None]] = {}
    for function in module.functions[:MAX_FUNCTIONS] if module is not None else ():
        scope = program.scope(function.id)
        for one in _with_lambdas(scope) if scope is not None else ():
            for edge in edges_of(inference, one):
                callee = edge.callee
                if isinstance(callee, FunctionId) and callee != function.id and not callee.name.startswith("<lambda"):
                    found.setdefault(function.id, {})[callee] = None
    return {id: tuple(ids) for id, ids in found.items()}


def _with_lambdas(scope: Scope) -> list[Scope]:
    """A scope and its anonymous functions: those have no row of their own, unlike lambdas with a name."""
    inner = [one for one in scope.lambdas.values() if one.owner == scope.owner]
    return [scope, *(found for one in inner for found in _with_lambdas(one))]
