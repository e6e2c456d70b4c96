"""C01, C02, C06: what callers outside the change rely on, and no longer get.

A caller that was read and still fits is no news. Of a signature, only calls that surely mean it and no longer bind are
said; of a default, what could not be read is a note.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from gatecli.model import (
    Caller,
    Certainty,
    ChangeKind,
    Confidence,
    Evidence,
    Function,
    FunctionId,
    FunctionKind,
    SignatureChange,
    SignatureKind,
    UsageStatus,
)
from gatecli.rules import code
from gatecli.rules.checks.callsites import (
    Fit,
    called_name,
    fit,
    is_filled,
    is_overload,
    leaves_out,
    means_another,
    only_names,
    waits_otherwise,
)
from gatecli.rules.checks.durations import same_time
from gatecli.rules.checks.templates import still_used
from gatecli.rules.code import Touched, View
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import listed, plural, snippet
from gatecli.syntax.imports import names_of
from gatecli.syntax.signature import differences
from gatecli.syntax.trees import parse

# Of the methods with double underscores, those that code calls by a name; Python calls the others, with arguments of
# its own.
_CALLED_BY_CLASS = ("__init__", "__new__", "__call__")
_CALLED = (FunctionKind.FUNCTION, FunctionKind.METHOD, FunctionKind.LAMBDA)
# What a call breaks on is another rule's than what it quietly gets otherwise.
_ASKED = (SignatureKind.NEW_REQUIRED, SignatureKind.INSERTED, SignatureKind.BECAME_REQUIRED)
_FITTING = (SignatureKind.DEFAULT, SignatureKind.BECAME_OPTIONAL)


def signature_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """C01: callers that the change does not touch call in a way that no longer fits."""
    for touched, clauses in _clauses(view):
        before, after = touched.change.before, touched.change.after
        if before is None or after is None or before.id.name != after.id.name:
            continue  # who calls it by its old name breaks on that, whatever it takes: C06
        is_deferred = _is_deferred(before) or _is_deferred(after)
        nothing = (*_FITTING, *(_RUNNING if is_deferred else ()))
        binding = [
            str(clause)
            for clause in clauses
            if clause.kind not in nothing
            and not _is_receiver(clause)
            and not (clause.kind in _ASKED and is_filled(clause.name or "", before, after))
        ]
        if not binding:
            continue
        what = f"changed its signature ({listed(binding)})"
        callers = [caller for caller in callers_outside(view, touched) if not _is_other(view, before, caller)]
        # What may mean another function, or hands this one on, was not worth reading (docs/rules-measured.md).
        certain = [caller for caller in callers if caller.certainty is Certainty.CERTAIN]
        broken = [caller for caller in certain if fit(before, after, caller) is Fit.BREAKS]
        waiting = [
            caller
            for caller in certain
            if not is_deferred and waits_otherwise(before, after, caller) and not _asks(view, caller)
        ]
        if broken:
            calls = "calls" if len(broken) == 1 else "call"
            says = f"{what}, but {_who(broken)} outside this change still {calls} it the old way"
            yield _observed(touched, says, binding, broken, Confidence.HIGH)
        elif waiting:
            awaits = "must await it now" if after.is_async else "must not await it any more"
            says = f"{what}: {_who(waiting)} outside this change {awaits}"
            yield _observed(touched, says, binding, waiting, Confidence.LOW)
        elif not callers and _is_observed(touched):
            says = f"{what}; no caller was found, so whoever calls it by another way must be checked"
            yield _observed(touched, says, binding, [], Confidence.LOW)


_ASKS = re.compile(rb"\b(?:iscoroutine(?:function)?|isawaitable|ensure_future|maybeDeferred|is_async_callable)\b")


def _asks(view: View, caller: Caller) -> bool:
    """Whether a caller looks first whether what it calls is a coroutine."""
    module = view.at_head(caller.id.path)
    index = next((n for n, one in enumerate(module.functions) if one.id == caller.id), None) if module else None
    return module is not None and index is not None and bool(_ASKS.search(module.nodes[index].text or b""))


def _is_other(view: View, before: Function, caller: Caller) -> bool:
    """Whether a caller means another function, or names the class of a method without calling it."""
    if "." in before.id.qualname and not caller.calls and only_names(view, before, caller):
        return True
    return means_another(before, caller)


def default_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """C02: a default changed under callers that leave the argument out."""
    for touched, clauses in _clauses(view):
        defaults = [
            clause
            for clause in clauses
            if clause.kind is SignatureKind.DEFAULT
            and not _is_made_inside(touched, clause)
            and not same_time(clause.before or "", clause.after or "")
        ]
        changed = [f"{clause.name} {clause.before} to {clause.after}" for clause in defaults]
        after = touched.change.after
        if not changed or after is None:
            continue
        relying, unclear = [], []
        for caller in callers_outside(view, touched):
            if caller.certainty is not Certainty.CERTAIN:
                continue  # that some other object's method of this name is called without an argument says nothing
            found = {leaves_out(after, clause.name or "", caller) for clause in defaults}
            if Fit.BREAKS in found:
                relying.append(caller)
            elif Fit.UNKNOWN in found:
                unclear.append(caller)
        if callers := relying or unclear:
            leaves = "leaves" if len(callers) == 1 else "leave"
            says = f"changed a default ({listed(changed)}) that {_who(callers)} outside this change "
            says += f"{leaves} out" if relying else "may leave out"
            yield _observed(touched, says, changed, callers, _surest(relying) if relying else Confidence.LOW)


_EMPTY = frozenset({"{ }", "[ ]", "( )", "dict ( )", "list ( )", "set ( )"})


def _is_made_inside(touched: Touched, clause: SignatureChange) -> bool:
    """Whether what was the default is made in the body now, as is usual for a list that is not to be shared.

    An empty default may also just be left alone: ``if attrs: …``.
    """
    if clause.after != "None" or clause.before is None or touched.after is None:
        return False
    name, was = clause.name, code.normal(parse(clause.before.encode()).root_node)
    body = code.normal(touched.after.node)
    made = (
        f"{name} or {was}",
        f"{name} is None : {name} = {was}",
        f"{was} if {name} is None else",
        f"if {name} else {was}",
    )
    guarded = (f"if {name} :", f"if {name} is not None") if was in _EMPTY else ()
    return any(form in body for form in (*made, *guarded, f"if {name} is not None else {was}"))


def function_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """C06: a public function went away, or got another name, while production or other code still calls it."""
    added = {touched.change.id.name for touched in view.functions if touched.change.kind is ChangeKind.ADDED}
    unseen: list[Touched] = []
    for touched in view.functions:
        change, id = touched.change, touched.change.base_id
        removed = change.kind is ChangeKind.REMOVED
        if change.before is None or change.before.kind not in _CALLED or not is_public(id):
            continue
        if not removed and change.id == id:
            continue
        left = _left_behind(view, touched)
        verb = "is removed" if removed else f"was {snippet(id.qualname)} in {snippet(id.path)} until now"
        if left:
            calls = "calls" if len(left) == 1 else "call"
            says = f"{verb}, but {_who(left)} outside this change still {calls} it by that name"
            yield _observed(touched, says, [id.qualname], left, Confidence.HIGH)
        elif removed and _is_observed(touched):
            says = "is removed, although production still calls it"
            confidence = Confidence.LOW if id.name in added else Confidence.HIGH
            yield _observed(touched, says, [id.qualname], [], confidence)
        elif not removed and change.id.name != id.name and _is_observed(touched) and not callers_of(touched):
            says = f"{verb}, as production calls it; no caller was found, so whoever calls it must be checked"
            yield _observed(touched, says, [id.qualname], [], Confidence.LOW)
        elif removed and _is_override(view, touched):
            says = "is removed: whoever calls it now reaches what a base class does"
            yield _observed(touched, says, [id.qualname], [], Confidence.LOW)
        elif removed and id.name not in added:
            unseen.append(touched)
    for touched, path, line in still_used(view, unseen):
        says = f"is removed, but the template {snippet(path)} still uses it (line {line:,})"
        yield _observed(touched, says, [touched.change.base_id.qualname], [], Confidence.HIGH)


# Methods that frameworks call by name, and that every base class of theirs has (Django, its REST framework, Celery).
_HOOKS = (
    *("save", "delete", "clean", "full_clean", "validate", "dispatch", "form_valid", "get_queryset", "get_permissions"),
    *("has_permission", "has_object_permission", "perform_create", "perform_update", "perform_destroy"),
    *("to_representation", "to_internal_value"),
    *("before_start", "after_return", "on_failure", "on_retry", "on_success"),
)


def _is_override(view: View, touched: Touched) -> bool:
    """Whether a method that frameworks call went away from a class that is still there and has bases."""
    id = touched.change.base_id
    home = view.module(id.path, old=False)
    owner = id.qualname.rpartition(".")[0]
    if id.name not in _HOOKS or home is None or not owner:
        return False
    index = next((number for number, one in enumerate(home.functions) if one.id.qualname == owner), None)
    return index is not None and b"(" in (home.nodes[index].text or b"").partition(b":")[0]


def is_public(id: FunctionId) -> bool:
    """Whether others may call it: no part of its name is private."""
    return not any(part.startswith("_") for part in id.qualname.split("."))


def _left_behind(view: View, touched: Touched) -> list[Caller]:
    """The callers that still mean a name of the base revision which its module no longer has.

    A method may be inherited from anywhere, and of a function that moved under its own name the text of a call does
    not say which one is meant.
    """
    change, id = touched.change, touched.change.base_id
    home = view.module(id.path, old=False)
    names = names_of(home) if home is not None else None
    name = id.qualname.partition("#")[0]  # of several definitions of a name, one that is left is enough
    if "." in name or (names is not None and (name in names.kinds or name in names.imports)):
        return []
    certain = [caller for caller in callers_outside(view, touched) if caller.certainty is Certainty.CERTAIN]
    if change.kind is ChangeKind.REMOVED:
        return certain
    if change.id.name == id.name:
        return []
    return [caller for caller in certain if any(called_name(text) == id.name for text in caller.calls)]


def _is_observed(touched: Touched) -> bool:
    return touched.usage is not None and touched.usage.status is UsageStatus.OBSERVED


def _is_deferred(function: Function) -> bool:
    """Whether Twisted makes a Deferred of it, which is what callers of the plain function got too, by all usage."""
    return any(text.rpartition(".")[2] in _DEFERS for text in function.decorators)


_DEFERS = ("inlineCallbacks", "async_to_deferred", "deferredGenerator")
_RUNNING = (
    *(SignatureKind.BECAME_GENERATOR, SignatureKind.NO_LONGER_GENERATOR),
    *(SignatureKind.BECAME_ASYNC, SignatureKind.NO_LONGER_ASYNC),
)
"""How a function runs, which is all the same where a decorator makes a Deferred of it."""


def _is_receiver(clause: SignatureChange) -> bool:
    """Whether ``self`` is an argument, and what it is called, is the class's own business."""
    kinds = (SignatureKind.NEW_REQUIRED, SignatureKind.RENAMED)
    return clause.kind in kinds and _RECEIVERS.issuperset(filter(None, (clause.name, clause.before, clause.after)))


_RECEIVERS = frozenset({"self", "cls"})


def _clauses(view: View) -> Iterator[tuple[Touched, list[SignatureChange]]]:
    for touched in view.functions:
        name = touched.change.id.name
        is_protocol = name.startswith("__") and name.endswith("__") and name not in _CALLED_BY_CLASS
        touched = _implementation(view, touched)
        sides = (touched.change.before, touched.change.after)
        is_stub = any(side is not None and is_overload(side) for side in sides)
        if touched.survives and touched.change.function.kind in _CALLED and not is_protocol and not is_stub:
            clauses = [clause for clause in touched.change.signature if clause.binds_callers]
            if clauses:
                yield touched, clauses


def _implementation(view: View, touched: Touched) -> Touched:
    """Where one side is a stub of an overload and the other is not: the function behind the stubs on both sides."""
    change = touched.change
    if change.before is None or change.after is None or is_overload(change.before) == is_overload(change.after):
        return touched
    before, after = _behind(view, change.before, old=True), _behind(view, change.after, old=False)
    if before is None or after is None:
        return touched
    return replace(touched, change=replace(change, before=before, after=after, signature=differences(before, after)))


def _behind(view: View, function: Function, *, old: bool) -> Function | None:
    """The last definition of a name, which is the one that runs."""
    module = view.module(function.id.path, old=old)
    outer = function.id.qualname.rpartition(".")[0]
    same = [
        one
        for one in (module.functions if module is not None else ())
        if one.id.name == function.id.name and one.id.qualname.rpartition(".")[0] == outer
    ]
    return same[-1] if same else None


def callers_of(touched: Touched) -> tuple[Caller, ...]:
    """Everybody who is known to call it, whether the change touches them or not."""
    return touched.blast.callers if touched.blast is not None else ()


def callers_outside(view: View, touched: Touched) -> list[Caller]:
    """Direct callers in production code that the change does not touch."""
    return [
        caller
        for caller in callers_of(touched)
        if caller.depth == 1 and caller.id not in view.touched_ids and view.is_production(caller.id.path)
    ]


def _surest(callers: list[Caller]) -> Confidence:
    is_certain = any(caller.certainty is Certainty.CERTAIN for caller in callers)
    return Confidence.HIGH if is_certain else Confidence.LOW


def _who(callers: list[Caller]) -> str:
    return f"{plural(len(callers), 'caller')} ({listed([str(caller.id) for caller in callers])})"


def _observed(
    touched: Touched, says: str, clauses: list[str], callers: list[Caller], confidence: Confidence
) -> Observation:
    after = touched.change.after
    line = after.span.def_line if after is not None else touched.line_after(touched.change.function.span.def_line)
    evidence = tuple(
        Evidence(kind="caller", text=snippet(str(caller.id)), path=caller.id.path, line=caller.line)
        for caller in callers[:10]
    )
    return seen(touched, line, says, "; ".join(clauses), evidence=evidence, confidence=confidence)
