"""The policy of an organisation over that of a repository: of two answers the stricter one, whatever it is about.

What both judge by (modes, bands, rules, paths, the age of a profile) is taken from whichever asks for more. What names
people, requirements, pace, overrides and grants stays apart: each policy is asked on its own, and both have to agree.
So a repository can add to what its organisation asks for, and take nothing away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gatecli.config import Bands, Config, FailOn, History, IgnoreConfig, ProfileConfig, ProvenanceConfig, Treatment
from gatecli.model import Mode

_MODES = (Mode.OFF, Mode.SHADOW, Mode.ADVISE, Mode.ENFORCE)
_FAIL_ON = (FailOn.NEVER, FailOn.BLOCK, FailOn.REVIEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The two policies with all that they share; the rules each of them sets stay its own."""

    repository: Config
    organisation: Config


def overlaid(repository: Config, organisation: Config) -> Layers:
    """Both policies, neither weaker than the other where they judge the same thing.

    ``paths`` are the organisation's: whoever may call code a test, or generated, decides what is judged at all.
    """
    shared = replace(
        organisation,
        mode=max(repository.mode, organisation.mode, key=_MODES.index),
        fail_on=max(repository.fail_on, organisation.fail_on, key=_FAIL_ON.index),
        profile=_profile(repository.profile, organisation.profile),
        bands=Bands(
            review=min(repository.bands.review, organisation.bands.review),
            senior=min(repository.bands.senior, organisation.bands.senior),
            history=max(repository.bands.history, organisation.bands.history, key=tuple(History).index),
        ),
        ignores=IgnoreConfig(max_days=min(repository.ignores.max_days, organisation.ignores.max_days)),
        provenance=ProvenanceConfig(
            no_evidence=_treatment(repository.provenance.no_evidence, organisation.provenance.no_evidence),
            assisted=_treatment(repository.provenance.assisted, organisation.provenance.assisted),
        ),
    )
    return Layers(
        organisation=shared,
        repository=replace(
            repository,
            **{
                name: getattr(shared, name)
                for name in ("mode", "fail_on", "profile", "bands", "ignores", "provenance", "paths")
            },
        ),
    )


def tightened(settings: Config, mode: Mode | None, fail_on: FailOn | None, *, loosely: bool) -> Config:
    """A policy with what the command line says; where an organisation's is laid over it, that cannot loosen it."""
    mode, fail_on = mode or settings.mode, fail_on or settings.fail_on
    if not loosely:
        mode = max(mode, settings.mode, key=_MODES.index)
        fail_on = max(fail_on, settings.fail_on, key=_FAIL_ON.index)
    return replace(settings, mode=mode, fail_on=fail_on)


def _profile(repository: ProfileConfig, organisation: ProfileConfig) -> ProfileConfig:
    """Where it lies is a matter of the repository, unless the organisation says so."""
    usual = ProfileConfig()
    routes: Mapping[str, str] = {**repository.routes, **organisation.routes}
    return replace(
        repository,
        path=organisation.path if organisation.path != usual.path else repository.path,
        required=repository.required or organisation.required,
        max_age_days=min(repository.max_age_days, organisation.max_age_days),
        routes=routes,
    )


def _treatment(one: Treatment, other: Treatment) -> Treatment:
    return Treatment.TREAT_AS_AI if Treatment.TREAT_AS_AI in (one, other) else Treatment.AS_IS
