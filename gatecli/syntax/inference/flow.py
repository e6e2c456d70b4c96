"""Which assignments hold at a place: the order of the text, branches and loops."""

from gatecli.syntax.inference.forms import Binding, Block, Scope
from gatecli.syntax.python import END


def reaching(scope: Scope, bindings: tuple[Binding, ...], at: int) -> tuple[list[Binding], bool]:
    """The bindings that may hold at a byte, and whether one of them surely does, so that nothing older counts."""
    found = []
    for binding in reversed(bindings):
        if binding.until is not None and not binding.at <= at < binding.until:
            continue
        if binding.at > at:
            # Later in the text, but in a loop around both it ran before.
            if any(block.is_loop and binding.at - 1 in block and at in block for block in scope.blocks):
                found.append(binding)
            continue
        found.append(binding)
        if at == END and binding.until is None and not _blocks_of(scope, binding.at - 1):
            return found, True
        if at != END and dominates(scope, binding.at - 1, at):
            return found, True
    return found, False


def _blocks_of(scope: Scope, at: int) -> list[Block]:
    return [block for block in scope.blocks if at in block]


def dominates(scope: Scope, earlier: int, later: int) -> bool:
    """Whether what stands at one byte always ran before what stands at a later one: no branch is around it alone."""
    return all(later in block for block in scope.blocks if earlier in block)
