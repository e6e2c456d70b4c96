"""What is said of how the touched functions run, and of the profile that knows it."""

from gatecli.model import ChangeKind, Grade, Report, UsageStatus
from gatecli.reports.summary.opening import short
from gatecli.reports.summary.selection import Row, rows
from gatecli.reports.text import age, count, listed, share


def calls_absent(row: Row) -> str | None:
    """Why a function has no figures, in a word or two; None where it was observed."""
    status = row.usage.status if row.usage else UsageStatus.NO_PROFILE
    if status is UsageStatus.OBSERVED:
        return None
    if status is UsageStatus.NO_PROFILE:
        return "not profiled"
    if row.function.kind is ChangeKind.ADDED:
        return "new"
    return "not seen" if status is UsageStatus.NOT_OBSERVED else "no match"


def entry_points(row: Row) -> tuple[str, ...]:
    """Where traffic enters that reaches the function: as the profile ranks them, else as the code reaches them."""
    observed = tuple(name for name, _ in row.usage.entry_points) if row.usage else ()
    return observed or (row.blast.entry_points if row.blast else ())


def waited_for(row: Row) -> str | None:
    """How much of their time the requests that reach a function wait for it, and how that is known."""
    usage = row.usage
    if usage is None or usage.critical_path_share is None:
        return None
    of = "of the critical path" if usage.critical_path_basis == "trace" else "of its requests' samples"
    return f"{share(usage.critical_path_share)} {of}"


def caller_count(row: Row) -> str:
    """How many functions reach this one: ``12``, ``12+`` where a bound was hit, a dash where it is not known."""
    if row.blast is None:
        return "–"
    callers = len({caller.id for caller in row.blast.callers})
    return f"{callers:,}{'+' if row.blast.truncated else ''}"


def matching(report: Report) -> tuple[str, ...]:
    """How far the profile knows the touched functions, as phrases; empty without a profile."""
    profile = report.case.profile
    if profile is None:
        return ()
    phrases = [f"{profile.observed:,} of {count(profile.touched, 'touched function')} observed"]
    if profile.not_observed:
        phrases.append(f"{profile.not_observed:,} not seen")
    if profile.unmatched:
        phrases.append(f"{profile.unmatched:,} not matched")
    if profile.changed_since:
        phrases.append(f"{profile.changed_since:,} changed since")
    phrases.append(f"grade {profile.grade}" + (", never lowers risk" if profile.grade is Grade.WEAK else ""))
    return tuple(phrases)


def profile_origin(report: Report) -> tuple[str, ...]:
    """Which profile it was: service and environment, window, age, revision, basis; empty without a profile."""
    profile = report.case.profile
    if profile is None:
        return ()
    name = " ".join(part for part in (profile.service, profile.environment) if part) or profile.path
    bases = {usage.basis for usage in report.case.usage.values() if usage.basis}
    return (
        f"profile {name}",
        f"{age(profile.window_s)} of traffic" if profile.window_s is not None else "window unknown",
        f"{age(profile.age_s)} old" if profile.age_s is not None else "age unknown",
        f"revision {short(profile.revision)}",
        *([f"{count(profile.commits_behind, 'commit')} behind"] if profile.commits_behind else []),
        *([f"figures {listed(sorted(bases), 3)}"] if bases else []),
    )


def unobserved(report: Report) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What should have a figure and has none, by reason: ``(reason, function ids)``, the commonest reason first."""
    groups: dict[str, list[str]] = {}
    expected = {function.id for function in report.case.running}
    for row in rows(report):
        word = calls_absent(row)
        if (
            row.function.id not in expected
            or row.usage is None
            or word is None
            or row.usage.status is UsageStatus.NO_PROFILE
        ):
            continue
        groups.setdefault(row.usage.reason or word, []).append(str(row.function.id))
    return tuple((reason, tuple(ids)) for reason, ids in sorted(groups.items(), key=lambda item: -len(item[1])))
