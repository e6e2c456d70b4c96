"""What caused an incident: the functions that the commits behind it changed, and who wrote them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gatecli.config.incidents import MAX_FUNCTIONS
from gatecli.errors import UsageError
from gatecli.model import AgentEvidence, AgentName, FunctionId, Incident, Provenance, ProvenanceClass

_MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A commit that caused an incident, what it changed outside of tests, and who wrote it."""

    commit: str
    subject: str
    functions: tuple[FunctionId, ...]
    provenance: Provenance


def complete(incident: Incident, causes: Iterable[Cause]) -> Incident:
    """An incident with the whole ids of its causes, the functions they changed and who wrote them.

    Functions that it names itself stand instead of those of the causes.

    Raises:
        UsageError: the causes changed no function and none is named.
    """
    causes = tuple(causes)
    functions = incident.functions or tuple(dict.fromkeys(id for cause in causes for id in cause.functions))
    # A name in bytes that are no text cannot be written down as text.
    writable = tuple(id for id in functions if str(id).isprintable())
    if not writable:
        named = " and ".join(cause.commit[:12] for cause in causes)
        raise UsageError(
            f"incident {incident.id}: {named} changed no function outside of tests",
            "name where it came from: --function PATH::QUALNAME",
        )
    classes = {cause.provenance.klass for cause in causes}
    return replace(
        incident,
        caused_by=tuple(dict.fromkeys(cause.commit for cause in causes)),
        functions=writable[:MAX_FUNCTIONS],
        provenance=next((klass for klass in ProvenanceClass if klass in classes), None),
        agents=_agents(sign for cause in causes for sign in cause.provenance.agents),
    )


def _agents(signs: Iterable[AgentEvidence]) -> tuple[AgentName, ...]:
    """Each tool with its models; without one only where no sign names a model of it."""
    models: dict[str, set[str]] = {}
    for sign in signs:
        if sign.channel != "declared":
            models.setdefault(_written(sign.tool), set()).update([_written(sign.model)] if sign.model else [])
    return tuple(
        AgentName(tool=tool, model=model) for tool, found in models.items() for model in (sorted(found) or (None,))
    )


def _written(name: str) -> str:
    """A name as it is written down: a commit may claim to be by anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:_MAX_NAME])
