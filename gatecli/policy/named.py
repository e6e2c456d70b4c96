"""The policy's own requirements: which apply to a change, how far each has come, and why.

One that does not apply drops out. A policy whose requirements all drop out fails: somebody meant to ask for something.
Requirements that hang on what was found are not counted there, so that another finding cannot mend such a policy.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gatecli.config import Config
from gatecli.config.requirements import Ask, Required, looks_at_evidence, parts
from gatecli.model import (
    Approval,
    Binding,
    Branch,
    Candidate,
    Decision,
    Mode,
    Requirement,
    RequirementStatus,
    SignerKind,
)
from gatecli.policy.conditions import Facts, explain, holds, matches_name
from gatecli.policy.owners import SENIORS, Owners, members

Status = RequirementStatus
_STRENGTH = (Binding.MERGE_TREE, Binding.DIFF, Binding.FILES)
_WORST = (Status.ERROR, Status.UNSATISFIED)

NOTHING_APPLIES = "no requirement of the policy applies"


@dataclass(frozen=True, slots=True)
class _Given:
    """An approval, the key of whoever gave it, whether they are senior, and the rank of its binding."""

    approval: Approval
    key: str
    senior: bool
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The approvals that count, and who could give more; ``rules`` are the names and codes of all."""

    approvals: tuple[Approval, ...]
    about: Facts
    owners: Owners | None = None
    rules: frozenset[str] | None = None
    reviewers: tuple[Candidate, ...] = ()
    seniors: tuple[Candidate, ...] = ()
    _lists: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    _owned: dict[str, tuple[frozenset[str], ...]] = field(default_factory=dict)
    _given: list["_Given"] = field(default_factory=list)
    _answered: dict[Ask, Branch] = field(default_factory=dict)

    def given(self) -> "list[_Given]":
        """The approvals with whose they are."""
        if not self._given:
            known = self.about.known
            self._given.extend(
                _Given(one, known.key_of(one.person), known.lists_as_senior(one.person), _STRENGTH.index(one.binding))
                for one in self.approvals
            )
        return self._given

    def answer(self, ask: Ask) -> Branch:
        """How far an ask has come; the same one is looked at once."""
        if ask not in self._answered:
            self._answered[ask] = _ask(ask, self)
        return self._answered[ask]

    def listed(self, names: tuple[str, ...]) -> frozenset[str]:
        """The keys of everyone whom some names and teams mean."""
        if names not in self._lists:
            people, known = self.about.config.people, self.about.known
            self._lists[names] = known.keys_of(one for name in names for one in members(people, name))
        return self._lists[names]

    def owning(self) -> Mapping[str, tuple[frozenset[str], ...]]:
        """Touched path → the keys of its owners, a set for each section of the code owners that wants one."""
        if not self._owned and self.owners is not None:
            for path in self.about.paths:
                rules = [one for one in self.owners.rules_of(path) if not one.optional and one.owners]
                if rules:
                    self._owned[path] = tuple(self.listed(one.owners) for one in rules)
        return self._owned


def evaluate(config: Config, said: Said) -> tuple[Branch, ...]:
    """One branch a requirement, in the order of the policy, and one more if none of them applies."""
    found = tuple(_requirement(one, said) for one in config.requirements if one.mode is not Mode.OFF)
    if not config.requirements or any(map(_is_floor(config, said), config.requirements)):
        return found
    why = "whatever is found in it: add a requirement without if, for the rest"
    return (*found, Branch(text=NOTHING_APPLIES, status=Status.ERROR, why=why))


def _is_floor(config: Config, said: Said) -> Callable[[Required], bool]:
    def check(one: Required) -> bool:
        enforced = one.mode is Mode.ENFORCE and not looks_at_evidence(one.if_, config.tiers)
        return enforced and holds(one.if_, said.about) is not False

    return check


def rows(config: Config, branches: Iterable[Branch]) -> Iterator[Requirement]:
    """What of the tree binds, a row for each ask: those requirements that apply and are enforced."""
    levels = {one.name: Decision(one.level) for one in config.requirements}
    for branch in branches:
        if branch.mode is not Mode.ENFORCE or branch.status is Status.NOT_APPLICABLE:
            continue
        level = levels.get(branch.text, Decision.REVIEW)
        for number, need in enumerate(branch.needs or (branch,)):
            whole = branch.status in (Status.ERROR, Status.OVERRIDDEN, Status.BYPASSED)
            status = branch.status if whole and need.status is not Status.SATISFIED else need.status
            count, kind, role = _asked(config, branch.text, number)
            yield Requirement(
                name=branch.text if len(branch.needs) < 2 else f"{branch.text}: {need.text}",
                count=count,
                kind=kind,
                role=role,
                reason=branch.why,
                status=status,
                who=need.who,
                satisfied_by=need.satisfied_by,
                level=level,
                built_in=False,
            )


def _asked(config: Config, name: str, number: int) -> tuple[int, str, str]:
    """Count, kind and role of an ask; of a choice, in words."""
    asks = next((one.requires for one in config.requirements if one.name == name), ())
    if number >= len(asks):
        return 1, "human", ""
    ask = asks[number]
    if ask.any is not None or ask.all is not None:
        return 1, "human", words(ask)
    return ask.count, ask.kind.value, ask.role if ask.role != "anyone" else words(ask)


def words(ask: Ask) -> str:
    """What is asked, in words: ``2 senior humans``, ``1 owner or 1 agent of another model``."""
    if ask.any is not None or ask.all is not None:
        parts = [words(one) for one in ask.any or ask.all or ()]
        return (" or " if ask.any is not None else " and ").join(parts)
    noun = {"senior": "senior", "owner": "owner", "anyone": ask.kind.value}[ask.role]
    if ask.role != "anyone" and ask.kind is SignerKind.AGENT:
        noun += " agent"
    text = f"{ask.count} {noun}" + ("s" if ask.count > 1 else "")
    if ask.among is not None:
        text += f" of {', '.join(ask.among[:3])}" + (" …" if len(ask.among) > 3 else "")
    return text + (" of another model" if ask.another_model else "")


def _requirement(one: Required, said: Said) -> Branch:
    held = holds(one.if_, said.about)
    answers = explain(one.if_, said.about)
    if held is False:
        failed = next((text for text, answer in answers if answer is False), "")
        return Branch(text=one.name, status=Status.NOT_APPLICABLE, why=f"not: {failed}", mode=one.mode)
    unsure = [text for text, answer in answers if answer is None]
    why = one.why or ("; ".join(text for text, _ in answers) or "every change")
    if unsure:
        why += f" ({unsure[0]} is not known, which counts as if it were)"
    if (unknown := _unknown_rule(one, said)) is not None:
        return Branch(text=one.name, status=Status.ERROR, why=f"no rule is called {unknown}", mode=one.mode)
    needs = tuple(said.answer(ask) for ask in one.requires)
    status = _together(need.status for need in needs)
    return Branch(text=one.name, status=status, why=why, mode=one.mode, needs=needs)


def _unknown_rule(one: Required, said: Said) -> str | None:
    """A rule that the requirement or a tier names and nobody knows: it would never apply."""
    if said.rules is None:
        return None
    conditions = [one.if_, *(said.about.config.tiers.values() if _names_a_tier(one) else ())]
    named = (name for condition in conditions for part, _ in parts(condition) for name in part.rules or ())
    return next((name for name in named if not matches_name(name, said.rules)), None)


def _names_a_tier(one: Required) -> bool:
    return any(part.tier is not None for part, _ in parts(one.if_))


def _together(statuses: Iterable[RequirementStatus]) -> RequirementStatus:
    """All of them: the worst; none at all is satisfied."""
    found = set(statuses)
    return next((one for one in _WORST if one in found), Status.SATISFIED)


def _ask(ask: Ask, said: Said) -> Branch:
    if ask.any is not None or ask.all is not None:
        needs = tuple(said.answer(one) for one in ask.any or ask.all or ())
        status = _together(one.status for one in needs)
        if ask.any is not None and any(one.status is Status.SATISFIED for one in needs):
            status = Status.SATISFIED
        by = tuple(dict.fromkeys(name for need in needs for name in need.satisfied_by))
        who = tuple(dict.fromkeys(one for need in needs for one in need.who))
        return Branch(text=words(ask), status=status, satisfied_by=by, who=who, needs=needs)
    given = _counting(ask, said)
    names, keys = tuple(one.approval.person for one in given), {one.key for one in given}
    why = ""
    status = Status.SATISFIED if len(keys) >= ask.count else Status.UNSATISFIED
    if ask.role == "senior" and not said.about.known.seniors:
        status, why = Status.UNSATISFIED, "no senior list is configured (people.seniors), so nobody counts as senior"
    elif ask.role == "owner":
        unowned = [path for path, sets in said.owning().items() if not all(keys & owners for owners in sets)]
        if not said.owning():
            status, why = Status.ERROR, "no touched file has an owner who could give it"
        elif unowned:
            status, why = Status.UNSATISFIED, f"no owner of {unowned[0]} has approved"
    return Branch(
        text=words(ask), status=status, why=why, satisfied_by=names, who=_who(ask, said)
    )  # fmt: skip


def _counting(ask: Ask, said: Said) -> "list[_Given]":
    """The approvals that meet what is asked, one demand after the other."""
    rank = _STRENGTH.index(ask.bind)
    given = [one for one in said.given() if one.rank <= rank and one.approval.kind is ask.kind]
    if ask.sources is not None:
        given = [one for one in given if one.approval.source in ask.sources]
    if ask.role == "senior":
        given = [one for one in given if one.senior]
    elif ask.role == "owner":
        owners = frozenset(key for sets in said.owning().values() for keys in sets for key in keys)
        given = [one for one in given if one.key in owners]
    if ask.among is not None:
        listed, seniors = said.listed(ask.among), SENIORS in ask.among
        given = [one for one in given if one.key in listed or (seniors and one.senior)]
    if ask.another_model:
        given = [one for one in given if _is_another_model(one.approval, said)]
    return given


def _is_another_model(approval: Approval, said: Said) -> bool:
    """Whether the family of an agent's model is known, and none of those that wrote the change."""
    if not approval.model:
        return False
    family = approval.model.casefold()
    wrote = (f"{sign.tool} {sign.model or ''}".casefold() for sign in said.about.case.provenance.agents)
    return not any(family in one for one in wrote)


def _who(ask: Ask, said: Said) -> tuple[Candidate, ...]:
    """Who can give it: of those who know the code, the ones that are asked; else the ones that the policy names."""
    known = said.about.known
    if ask.kind is SignerKind.AGENT:
        agents = said.about.config.people.agents
        return tuple(Candidate(person=name, evidence=f"agent of {family}") for name, family in agents.items())[:5]
    people = said.seniors if ask.role == "senior" else said.reviewers
    if ask.role == "owner":
        owners = frozenset(key for sets in said.owning().values() for keys in sets for key in keys)
        people = tuple(one for one in people if known.key_of(one.person) in owners)
    if ask.among is not None and SENIORS not in ask.among:
        keys = said.listed(ask.among)
        knowing = tuple(one for one in people if known.key_of(one.person) in keys)
        return knowing or tuple(Candidate(person=name, evidence="named by the policy") for name in ask.among[:5])
    return people
