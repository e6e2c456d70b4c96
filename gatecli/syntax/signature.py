"""How a function's contract with its callers changed."""

from gatecli.model import Function, Parameter, ParameterKind, SignatureChange, SignatureKind

_VARIADIC = (ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD)
_BY_POSITION = (ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL)


def differences(before: Function, after: Function) -> tuple[SignatureChange, ...]:
    """Every difference that a caller or a reader of the types can see; empty where there is none.

    A renamed parameter is one that stands at the same place with the same default; annotations come last because they
    bind nobody at run time.
    """
    old, new = {p.name: p for p in before.parameters}, {p.name: p for p in after.parameters}
    renamed = _renamed(before, after)
    found = [SignatureChange(kind=SignatureKind.RENAMED, name=a, before=a, after=b) for a, b in renamed.items()]
    found += [
        SignatureChange(kind=SignatureKind.REMOVED, name=name)
        for name in old
        if name not in new and name not in renamed
    ]
    for name in new:
        if name not in old and name not in renamed.values():
            kind = _added(new[name], shifts=_stands_before(name, old, after))
            found.append(SignatureChange(kind=kind, name=name, after=new[name].default))
    shared = [name for name in old if name in new]
    for name in shared:
        found += _changed(old[name], new[name])
    placed = [name for name in shared if old[name].kind in _BY_POSITION and new[name].kind in _BY_POSITION]
    if placed != [p.name for p in after.parameters if p.name in placed]:
        found.append(SignatureChange(kind=SignatureKind.REORDERED))
    if before.is_async != after.is_async:
        kind = SignatureKind.BECAME_ASYNC if after.is_async else SignatureKind.NO_LONGER_ASYNC
        found.append(SignatureChange(kind=kind))
    if before.is_generator != after.is_generator:
        kind = SignatureKind.BECAME_GENERATOR if after.is_generator else SignatureKind.NO_LONGER_GENERATOR
        found.append(SignatureChange(kind=kind))
    found += [
        SignatureChange(
            kind=SignatureKind.ANNOTATION, name=name, before=old[name].annotation, after=new[name].annotation
        )
        for name in shared
        if old[name].annotation != new[name].annotation
    ]
    if before.returns != after.returns:
        found.append(SignatureChange(kind=SignatureKind.RETURN_ANNOTATION, before=before.returns, after=after.returns))
    return tuple(found)


def _renamed(before: Function, after: Function) -> dict[str, str]:
    if len(before.parameters) != len(after.parameters):
        return {}
    names = {p.name for p in before.parameters}, {p.name for p in after.parameters}
    return {
        a.name: b.name
        for a, b in zip(before.parameters, after.parameters, strict=True)
        if a.name not in names[1] and b.name not in names[0] and (a.kind, a.default) == (b.kind, b.default)
    }


def _added(parameter: Parameter, *, shifts: bool) -> SignatureKind:
    if parameter.default is None and parameter.kind not in _VARIADIC:
        return SignatureKind.NEW_REQUIRED
    return SignatureKind.INSERTED if shifts else SignatureKind.ADDED


def _stands_before(name: str, old: dict[str, Parameter], after: Function) -> bool:
    """Whether a new parameter takes the place of one that callers may pass by position."""
    places = [p.name for p in after.parameters if p.kind in _BY_POSITION]
    following = places[places.index(name) + 1 :] if name in places else []
    return any(other in old and old[other].kind in _BY_POSITION for other in following)


def _changed(old: Parameter, new: Parameter) -> list[SignatureChange]:
    found = []
    if old.default != new.default:
        kind = SignatureKind.DEFAULT
        if old.default is None:
            kind = SignatureKind.BECAME_OPTIONAL
        elif new.default is None:
            kind = SignatureKind.BECAME_REQUIRED
        found.append(SignatureChange(kind=kind, name=old.name, before=old.default, after=new.default))
    if old.kind is not new.kind:
        found.append(SignatureChange(kind=SignatureKind.PLACE, name=old.name, before=old.kind, after=new.kind))
    return found
