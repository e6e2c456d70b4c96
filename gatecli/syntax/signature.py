"""How a function's contract with its callers changed."""

from gatecli.model import Function, Parameter, ParameterKind

_VARIADIC = (ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD)
_BY_POSITION = (ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL)


def differences(before: Function, after: Function) -> tuple[str, ...]:
    """One clause a difference, in the words of a changelog; empty where callers cannot tell.

    A renamed parameter is one that stands at the same place with the same default; annotations come last because they
    bind nobody at run time.
    """
    old, new = {p.name: p for p in before.parameters}, {p.name: p for p in after.parameters}
    renamed = _renamed(before, after)
    clauses = [f"parameter renamed: {a} to {b}" for a, b in renamed.items()]
    clauses += [f"parameter removed: {name}" for name in old if name not in new and name not in renamed]
    for name in new:
        if name not in old and name not in renamed.values():
            clauses.append(_added(new[name], shifts=_stands_before(name, old, after)))
    shared = [name for name in old if name in new]
    for name in shared:
        clauses += _changed(old[name], new[name])
    placed = [name for name in shared if old[name].kind in _BY_POSITION and new[name].kind in _BY_POSITION]
    if placed != [p.name for p in after.parameters if p.name in placed]:
        clauses.append("parameters reordered")
    if before.is_async != after.is_async:
        clauses.append("became async" if after.is_async else "no longer async")
    if before.is_generator != after.is_generator:
        clauses.append("became a generator" if after.is_generator else "no longer a generator")
    clauses += [f"annotation changed: {name}" for name in shared if old[name].annotation != new[name].annotation]
    if before.returns != after.returns:
        clauses.append(f"return annotation changed: {before.returns or 'none'} to {after.returns or 'none'}")
    return tuple(clauses)


def binds_callers(clause: str) -> bool:
    """Whether a clause of ``differences`` can break or change an existing call."""
    return not clause.startswith(("annotation changed", "return annotation changed", "parameter added"))


def _renamed(before: Function, after: Function) -> dict[str, str]:
    if len(before.parameters) != len(after.parameters):
        return {}
    names = {p.name for p in before.parameters}, {p.name for p in after.parameters}
    return {
        a.name: b.name
        for a, b in zip(before.parameters, after.parameters, strict=True)
        if a.name not in names[1] and b.name not in names[0] and (a.kind, a.default) == (b.kind, b.default)
    }


def _added(parameter: Parameter, *, shifts: bool) -> str:
    if parameter.default is None and parameter.kind not in _VARIADIC:
        return f"new required parameter: {parameter.name}"
    return f"parameter {'inserted' if shifts else 'added'}: {parameter.name}"


def _stands_before(name: str, old: dict[str, Parameter], after: Function) -> bool:
    """Whether a new parameter takes the place of one that callers may pass by position."""
    places = [p.name for p in after.parameters if p.kind in _BY_POSITION]
    following = places[places.index(name) + 1 :] if name in places else []
    return any(other in old and old[other].kind in _BY_POSITION for other in following)


def _changed(old: Parameter, new: Parameter) -> list[str]:
    clauses = []
    if old.default != new.default:
        if old.default is None:
            clauses.append(f"parameter became optional: {old.name} = {new.default}")
        elif new.default is None:
            clauses.append(f"parameter became required: {old.name}")
        else:
            clauses.append(f"default changed: {old.name} {old.default} to {new.default}")
    if old.kind is not new.kind:
        clauses.append(f"parameter {old.name} became {new.kind.value}")
    return clauses
