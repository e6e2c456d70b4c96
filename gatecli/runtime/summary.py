"""What a report says of the profile as a whole: what it is of, how old, and how far it can be trusted.

A weak profile may raise a risk and never lowers one (reference: runtime data §15.5).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from gatecli.model import FunctionChange, FunctionId, Grade, ProfileSummary, Usage, UsageStatus
from gatecli.runtime.carry import Carried
from gatecli.runtime.profile import Profile, Source

# Below this many samples, hot and cold are not told apart: ±3 points at a share of 10 % (reference: §15.2).
WEAK_SAMPLES = 300
GOOD_SAMPLES = 1_000
GOOD_MATCHED = 0.9
WEAK_MATCHED = 0.5
GOOD_AGE_S = 14 * 86_400
WEAK_AGE_S = 90 * 86_400
MAX_WARNINGS = 20


def summarise(
    profile: Profile,
    path: str,
    usage: Mapping[FunctionId, Usage],
    functions: tuple[FunctionChange, ...],
    now: int,
    carried: Carried | None = None,
) -> ProfileSummary:
    """What the report says of the profile as a whole; ``now`` is UTC epoch seconds.

    ``carried`` says how the profile was brought to the revision before the change.
    """
    meta = profile.meta
    since = carried.since if carried else {}
    age_s, age_warning = _age(profile, now)
    statuses = Counter(usage[change.id].status for change in functions if change.id in usage)
    warnings = [warning for source in meta.sources for warning in source.warnings]
    warnings = [*age_warning, *_summary_warnings(profile, age_s), *(carried.warnings if carried else ()), *warnings]
    return ProfileSummary(
        path=path,
        service=meta.service,
        environment=meta.environment,
        sources=tuple(
            f"{source.kind}, {source.samples:,} samples" if source.samples else source.kind for source in meta.sources
        ),
        window_s=meta.window.observed_seconds,
        revision=meta.revision,
        age_s=age_s,
        functions=len(profile.functions),
        grade=_grade(profile, age_s),
        touched=len(functions),
        observed=statuses[UsageStatus.OBSERVED],
        not_observed=statuses[UsageStatus.NOT_OBSERVED],
        unmatched=statuses[UsageStatus.UNMATCHED],
        warnings=tuple(dict.fromkeys(warnings))[:MAX_WARNINGS],
        commits_behind=carried.commits_behind if carried else None,
        changed_since=sum(change.base_id in since and since[change.base_id].changed for change in functions),
    )


def _age(profile: Profile, now: int) -> tuple[float | None, list[str]]:
    """Seconds since the recording ended, as far as it is known."""
    ended = _epoch(profile.meta.window.end)
    if ended is None:
        return None, ["when the profile was recorded is not known"]
    if ended > now + 86_400:
        return None, ["the profile is from the future: its age is not known"]
    return max(0.0, now - ended), []


def _epoch(moment: str | None) -> float | None:
    if moment is None:
        return None
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def project_frames(profile: Profile) -> tuple[int, int]:
    """Project frames of all sources, and how many were matched to a function."""
    sources = profile.meta.sources
    return sum(source.frames_project for source in sources), sum(source.frames_matched for source in sources)


def _summary_warnings(profile: Profile, age_s: float | None) -> Iterator[str]:
    meta = profile.meta
    project, matched = project_frames(profile)
    if not profile.functions:
        yield "the profile names no function of the repository"
    elif matched < GOOD_MATCHED * project:
        yield f"only {matched:,} of {project:,} project frames are matched to a function"
    if meta.revision is None:
        yield "the recorded revision is not known: matches by line may be wrong"
    if age_s is not None and age_s > GOOD_AGE_S:
        yield f"the profile is {age_s / 86_400:.0f} days old"
    if _is_test_run(profile):
        yield "the profile is from a profiler run, not from production"
    if _only_sampled(profile) and sample_count(profile) < GOOD_SAMPLES:
        yield f"the profile has {sample_count(profile):,} samples, too few to tell what is cold"


def _is_test_run(profile: Profile) -> bool:
    return "profile-run" in (profile.meta.environment or "")


def _only_sampled(profile: Profile) -> bool:
    """Whether nothing but samples can tell what does not run: counters of chosen functions and tests cannot."""
    telling = [source for source in profile.meta.sources if source.basis != "coverage" and not _is_counter(source)]
    return bool(telling) and all(source.basis == "sampled" for source in telling)


def _is_counter(source: Source) -> bool:
    return source.selective and source.basis == "counted"


def _grade(profile: Profile, age_s: float | None) -> Grade:
    """How far the profile can be trusted (reference: §15.5): a weak one may raise risk, and never lowers it."""
    project, matched = project_frames(profile)
    matched_share = matched / project if project else None
    samples = sample_count(profile)
    if (
        not profile.functions
        or (matched_share is not None and matched_share < WEAK_MATCHED)
        or (_only_sampled(profile) and samples < WEAK_SAMPLES)
        or (age_s is not None and age_s > WEAK_AGE_S)
    ):
        return Grade.WEAK
    is_good = (
        profile.meta.revision is not None
        and (matched_share is None or matched_share >= GOOD_MATCHED)
        and age_s is not None
        and age_s <= GOOD_AGE_S
        and (not _only_sampled(profile) or samples >= GOOD_SAMPLES)
        and not _is_test_run(profile)
    )
    return Grade.GOOD if is_good else Grade.USABLE


def sample_count(profile: Profile) -> int:
    """The samples of all sources that see whatever runs."""
    return sum(
        source.samples or 0 for source in profile.meta.sources if source.basis == "sampled" and not source.selective
    )
