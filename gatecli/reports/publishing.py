"""A judgement on the pull request it is about: one comment, one status, one label, and the reviewers who are missing.

The status is ``success`` only where the report's outcome is a pass, of the commit that is still the head, and nothing
that the pull request touches was left out.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from gatecli.reports.judgement import Judgement
from gatecli.reports.markdown import MARKER
from gatecli.reports.text import listed, plain
from gatecli.sources.github import LOGIN, TEAM, Comment, CommitStatus, GitHub, PullRequest
from gatecli.sources.github_api import ApiError

CONTEXT = "gate"
LABELS = {word: f"gate: {word}" for word in ("pass", "review", "block")}
MAX_DESCRIPTION = 140
"""Characters of a commit status: https://docs.github.com/en/rest/commits/statuses"""

MAX_DUPLICATES = 20
MAX_HISTORY = 5

_STATES = {"pass": "success", "review": "pending", "block": "failure", "error": "error"}
_RECORD = re.compile(r"#(\d{1,9}) (pass|review|block|error)\b")
_HISTORY = re.compile(r"<!-- gate-history((?: (?:pass|review|block|error)@[0-9a-f]{7}){1,9}) -->\s*\Z")


class Commenting(StrEnum):
    """When there is a comment: ``auto`` begins none for a pass without waivers, and keeps one up to date."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to keep on the pull request."""

    comment: Commenting = Commenting.AUTO
    status: bool = True
    reviewers: bool = False
    label: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a judgement goes: ``base`` is the branch it was judged against, ``commit`` gets the status.

    ``link`` is where the run can be read.
    """

    number: int
    base: str | None
    commit: str
    link: str | None


def publish(
    github: GitHub,
    place: Place,
    judged: Judgement,
    wanted: Wanted,
    *,
    say: Callable[[str], None],
    dry_run: bool = False,
) -> bool:
    """Bring the pull request up to date; running it again changes nothing.

    ``say`` gets one line a thing that was written, would be written (``dry_run``, or no token) or could not be. False
    if something failed for another reason than a missing permission.

    Raises:
        ApiError: the pull request cannot be read.
    """
    pull = github.pull_request(place.number)
    if (outdated := _outdated(pull, place, judged)) is not None:
        say(f"nothing is written: {outdated}")
        return True
    if not (dry_run or github.api.has_token):
        say("nothing is written: there is no token")
    desk = _Desk(say, dry_run=dry_run or not github.api.has_token)
    if wanted.status:
        with desk.feature("status", "statuses: write, pull-requests: read"):
            _status(desk, github, pull, place, judged)
    if wanted.comment is not Commenting.NEVER:
        with desk.feature("comment", "pull-requests: write"):
            _comment(desk, github, place, judged, wanted.comment)
    if wanted.reviewers and judged.needed:
        with desk.feature("reviewers", "pull-requests: write"):
            _reviewers(desk, github, pull, judged)
    if wanted.label and judged.word in LABELS:
        with desk.feature("label", "pull-requests: write, and issues: write to make a new label"):
            _label(desk, github, pull, LABELS[judged.word])
    return not desk.failed


def _outdated(pull: PullRequest, place: Place, judged: Judgement) -> str | None:
    """Why the judgement says nothing of the pull request as it is now, None where it does."""
    if pull.state != "open":
        return f"#{pull.number} is {pull.state}"
    if pull.head.sha != judged.head:
        return f"the head of #{pull.number} is {pull.head.sha[:7]} by now, {judged.head[:7]} was judged"
    if place.base is not None and pull.base.ref != place.base:
        return f"#{pull.number} is for {pull.base.ref} by now, it was judged for {place.base}"
    return None


class _Desk:
    """Writes one thing after the other; what fails leaves the rest alone."""

    def __init__(self, say: Callable[[str], None], *, dry_run: bool) -> None:
        self.failed = False
        self._say = say
        self._dry_run = dry_run
        self._feature = ""

    @contextmanager
    def feature(self, name: str, needs: str) -> Iterator[None]:
        """One of the things that can be switched on, and the permission that writing it needs."""
        self._feature = name
        try:
            yield
        except ApiError as error:
            if error.refused:
                self.say(f"not written, the token needs `{needs}` ({error.message})")
            else:
                self.failed = True
                hint = f"; {error.hint}" if error.status == 401 else ""
                self.say(f"not written, {error.message}{hint}")

    def say(self, text: str) -> None:
        """A line about the feature."""
        self._say(f"{self._feature}: {text}")

    def write(self, what: str, call: Callable[[], None]) -> None:
        """Do it and say so, or say that it would be done."""
        if not self._dry_run:
            call()
        self.say(f"would {what}" if self._dry_run else f"{what}, done")


# --------------------------------------------------------------------------- the status


def _status(desk: _Desk, github: GitHub, pull: PullRequest, place: Place, judged: Judgement) -> None:
    context = _context(pull)

    def post(state: str, text: str) -> None:
        description = _short(text, MAX_DESCRIPTION)
        desk.write(
            f"set {context} to {state} on {place.commit[:7]} ({description})",
            lambda: github.set_status(
                place.commit, state=state, context=context, description=description, link=place.link
            ),
        )

    state, text = _STATES[judged.word], f"#{pull.number} {judged.word}: {judged.summary}"
    if state != "success":
        post(state, text)
        return
    # A character that stands for bytes that are no text cannot be compared.
    left_out = sorted(path for path in github.paths(pull.number) - judged.paths if "\ufffd" not in path)
    if left_out:
        post("error", f"#{pull.number} error: not judged, but changed: {listed(left_out, 2)}")
        return
    twins = [] if place.commit != pull.head.sha else _twins(github, pull)
    if not twins:
        post("success", text)
        return
    # Said first, looked at then: of two runs at once, the later one sees both.
    post("pending", f"#{pull.number} pass, but {_waits_for(twins)}")
    waiting = _unsettled(github.statuses(place.commit), twins, context, github.me() if github.api.has_token else None)
    if not waiting:
        post("success", text)


def _context(pull: PullRequest) -> str:
    """The name of the status: of its own where the base is not the default branch.

    A status sits on a commit and not on a pull request. One that was earned against a branch that nobody guards must
    not open the default branch, to which the pull request can be pointed afterwards.
    """
    default = pull.base.repo.default_branch if pull.base.repo else ""
    return CONTEXT if pull.base.ref == default else _short(f"{CONTEXT} ({pull.base.ref})", 100)


def _twins(github: GitHub, pull: PullRequest) -> list[int]:
    """The other open pull requests of the same commit and base: they share the status, so each has to pass."""
    found = github.open_pull_requests(base=pull.base.ref)
    return sorted(one.number for one in found if one.head.sha == pull.head.sha and one.number != pull.number)


def _waits_for(twins: list[int]) -> str:
    others = listed([f"#{number}" for number in twins], 5)
    return f"{others} {'has' if len(twins) == 1 else 'have'} the same head and must pass too"


def _unsettled(statuses: Iterable[CommitStatus], twins: list[int], context: str, me: str | None) -> list[int]:
    """The twins of which this account has not said last that they pass."""
    said: dict[int, str] = {}
    for status in statuses:
        record = _RECORD.match(status.description or "")
        if record and status.context == context and status.creator and _same(status.creator.login, me):
            said.setdefault(int(record[1]), record[2])
    return [number for number in twins if said.get(number) != "pass"]


def _same(login: str, other: str | None) -> bool:
    return other is not None and login.casefold() == other.casefold()


def _short(text: str, limit: int) -> str:
    """One inert line; GitHub refuses characters beyond the basic plane in some of its fields."""
    line = re.sub(r"[^\x00-\uffff]", "\ufffd", plain(text.replace("`", "")))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


# --------------------------------------------------------------------------- the comment


def _comment(desk: _Desk, github: GitHub, place: Place, judged: Judgement, when: Commenting) -> None:
    me = github.me() if github.api.has_token else None
    mine = sorted((one for one in github.comments(place.number) if _is_sticky(one, me)), key=lambda one: one.id)
    if not mine:
        if when is Commenting.ALWAYS or judged.word in ("review", "block") or judged.waived:
            body = comment_body(judged, None, place.link)
            desk.write("begin the comment", lambda: github.add_comment(place.number, body))
        return
    kept, *duplicates = mine
    body = comment_body(judged, kept.body, place.link)
    if body != kept.body:
        desk.write(f"update comment {kept.id}", lambda: github.edit_comment(kept.id, body))
    for duplicate in duplicates[:MAX_DUPLICATES]:
        desk.write(f"delete the duplicate {duplicate.id}", partial(github.delete_comment, duplicate.id))


def _is_sticky(comment: Comment, me: str | None) -> bool:
    """Marker and author: anyone can write the one, and only this account is the other."""
    return comment.user is not None and _same(comment.user.login, me) and (comment.body or "").startswith(MARKER)


def comment_body(judged: Judgement, previous: str | None, link: str | None) -> str:
    """The comment, with one line of what earlier runs said, read from the comment that it replaces."""
    body = judged.body
    if body is None:
        body = f"{MARKER}\n**gate: error** · `{judged.head[:7]}` could not be judged, so nothing is known of it."
        body += f" [The log says why]({link})." if link else ""
    past = _HISTORY.search(previous or "")
    entries = [tuple(entry.split("@")) for entry in past[1].split()] if past else []
    if entries and entries[-1][0] == judged.word:
        entries.pop()
    entries = [*entries, (judged.word, judged.head[:7])][-MAX_HISTORY:]
    *before, (word, head) = entries
    told = [f"{'was ' if number == 0 else ''}{one} at {at}" for number, (one, at) in enumerate(before)]
    line = f"<sub>{' → '.join([*told, f'now {word} at {head}'])}</sub>\n" if before else ""
    record = " ".join(f"{one}@{at}" for one, at in entries)
    return f"{body.rstrip()}\n\n{line}<!-- gate-history {record} -->\n"


# --------------------------------------------------------------------------- reviewers and label


def _reviewers(desk: _Desk, github: GitHub, pull: PullRequest, judged: Judgement) -> None:
    owner = github.slug.split("/")[0].casefold()
    reviewed = {
        one.user.login.casefold()
        for one in github.reviews(pull.number)
        if one.user is not None and one.commit_id == pull.head.sha
    }
    asked = {one.login.casefold() for one in pull.requested_reviewers}
    asked |= {f"{owner}/{team.slug.casefold()}" for team in pull.requested_teams}
    author = pull.user.login.casefold() if pull.user else ""
    for requirement in judged.needed:
        people = _reachable([one.person for one in requirement.who] or judged.candidates, author)
        if not people:
            desk.say(f"nobody who could give {plain(requirement.name, 60)!r} is known by login")
        open_ = max(1, requirement.count - len(requirement.satisfied_by))
        waiting = [one for one in people if one.casefold() in asked or _has_reviewed(github, one, reviewed)]
        fresh = [one for one in people if one not in waiting]
        for person in fresh[: max(0, open_ - len(waiting))]:
            asked.add(person.casefold())
            _request(desk, github, pull.number, person)


def _reachable(names: Iterable[str], author: str) -> list[str]:
    """The candidates that are accounts or teams by their form, once each."""
    found = [name.removeprefix("@") for name in names]
    return list(
        dict.fromkeys(
            name for name in found if (LOGIN.fullmatch(name) or TEAM.fullmatch(name)) and name.casefold() != author
        )
    )


def _has_reviewed(github: GitHub, name: str, reviewed: set[str]) -> bool:
    """Whether a person, or somebody of a team, has said something of the head: asking again would only annoy."""
    if "/" not in name:
        return name.casefold() in reviewed
    if not reviewed:
        return False
    try:
        return not reviewed.isdisjoint(github.team_members(name))
    except ApiError as error:
        if not error.refused:
            raise
        return True


def _request(desk: _Desk, github: GitHub, number: int, name: str) -> None:
    """Ask one: GitHub refuses the whole request where one name in it is no collaborator's."""
    logins, teams = ([], [name.split("/")[1]]) if "/" in name else ([name], [])
    try:
        desk.write(f"request a review of {name}", lambda: github.request_reviews(number, logins, teams))
    except ApiError as error:
        if error.status != 422:
            raise
        desk.say(f"{name} cannot be asked ({error.message})")


def _label(desk: _Desk, github: GitHub, pull: PullRequest, wanted: str) -> None:
    present = {label.name for label in pull.labels}
    if wanted not in present:
        desk.write(f"add {wanted!r}", lambda: github.add_label(pull.number, wanted))
    for name in sorted(present.intersection(LABELS.values()) - {wanted}):
        desk.write(f"remove {name!r}", partial(github.remove_label, pull.number, name))
