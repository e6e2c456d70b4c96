"""Lifting requirements: what an override or a grant does to the tree of what must happen.

Only what waits for people or for time can be lifted. Never: a freeze (``gate unfreeze`` ends it, for everybody to see)
and an error, as nobody knows what it hides. A grant, which was signed before anybody saw the change, lifts nothing that
blocks and settles no objection.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gatecli.config import Config
from gatecli.model import Branch, ProvenanceClass, RequirementStatus, Waiver, WaiverKind
from gatecli.policy.conditions import Facts, is_among, matches_name
from gatecli.policy.pace import FREEZE, shown

OBJECTION = "the objection of "

_LIFTED = {WaiverKind.OVERRIDE: RequirementStatus.OVERRIDDEN, WaiverKind.GRANT: RequirementStatus.BYPASSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers:
    """The waivers of a change, how many people an override takes, and the names of what blocks while it is open."""

    waivers: tuple[Waiver, ...] = ()
    count: int = 1
    blocking: frozenset[str] = frozenset()

    def lift(self, branch: Branch) -> Branch:
        """A requirement as it stands with them."""
        used = self._lifting(branch.text)
        if branch.status is not RequirementStatus.UNSATISFIED or not used:
            return branch
        status = _LIFTED[used[0].kind]
        told = "; ".join(f"{status} by {one.by} until {shown(one.until)}: {one.reason}" for one in used)
        return replace(branch, status=status, why=f"{told} ({branch.why})" if branch.why else told)

    def spent(self, lifted: Iterable[Branch]) -> tuple[Waiver, ...]:
        """The waivers that lifted something."""
        names = [one.text for one in lifted if one.status in _LIFTED.values()]
        return tuple(dict.fromkeys(one for name in names for one in self._lifting(name)))

    def _lifting(self, name: str) -> tuple[Waiver, ...]:
        """Those that lift a requirement: a grant, or as many overrides as the policy wants."""
        if name.startswith(FREEZE):
            return ()
        here = [one for one in self.waivers if any(matches_name(wanted, (name,)) for wanted in one.requirements)]
        grants = tuple(one for one in here if one.kind is WaiverKind.GRANT)
        if grants and name not in self.blocking and not name.startswith(OBJECTION):
            return grants[:1]
        overrides = tuple(one for one in here if one.kind is WaiverKind.OVERRIDE)
        return overrides if len(overrides) >= self.count else ()


def for_change(found: Iterable[Waiver], about: Facts, config: Config, *, blocking: frozenset[str]) -> Waivers:
    """The waivers that are about a change: of the grants those for all of its files and all who made it."""
    return Waivers(
        waivers=tuple(one for one in found if one.kind is WaiverKind.OVERRIDE or _covers(one, about)),
        count=config.override.count if config.override else 1,
        blocking=blocking,
    )


def _covers(grant: Waiver, about: Facts) -> bool:
    if not about.paths or len(about.matching(grant.paths)) != len(about.paths):
        return False
    if not grant.to:
        return True
    provenance = about.case.provenance
    unknown = provenance.klass is not ProvenanceClass.NO_EVIDENCE and provenance.operator is None
    made = [*provenance.authors, *([provenance.operator] if provenance.operator else [])]
    return bool(made) and not unknown and all(is_among(one, grant.to, about) for one in made)
