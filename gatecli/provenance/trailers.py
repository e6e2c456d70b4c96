"""Who really wrote a change: the signs that agents leave in commits and branches, and the human who prompted them.

What is found is a lower bound. A sign of strength 3 is a tool's own account, address or session id, and stands whatever
the author declares.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from gatecli.config import People
from gatecli.model import AgentEvidence, Change, Person, Provenance, ProvenanceClass, PullText, Revision
from gatecli.provenance.agent_trace import read_traces
from gatecli.provenance.git_ai import read_note
from gatecli.provenance.identity import Directory, directory
from gatecli.provenance.table import Channel, Sign, is_agent, is_bot, stated, table, visible

MAX_MESSAGE_CHARACTERS = 65_536
MAX_TOTAL_CHARACTERS = 8_000_000
SHORT_MESSAGE_CHARACTERS = 4_096
MAX_CREDITS = 100
MAX_MATCHES = 10
MAX_SCOPE = 500
TYPED = 2
"""The strength of text that a tool emits and anyone may type."""

_INDENT = re.compile(r"^[ \t>*]{1,16}", re.MULTILINE)
_TRAILER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,60})[ \t]{0,8}:[ \t]*(.*)", re.DOTALL)
_TRAILER_LINE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]{0,60}:.*$", re.MULTILINE)
_CREDIT = re.compile(
    r"^(?:co-authored-by|co-developed-by|author):[ \t]{0,8}([^<\n]{0,200})<([^<>\n]{1,200})>",
    re.IGNORECASE | re.MULTILINE,
)
_MERGED = re.compile(
    r"^merge (?:pull request #\d{1,9} from [^/\s]{1,100}/|(?:remote-tracking )?branch '(?:origin/)?)([^'\s]{1,250})",
    re.IGNORECASE,
)
# A box of a pull request template: `- [x] An agent wrote code of this change <!-- gate:ai=yes -->`.
_BOX = re.compile(r"^[ \t]{0,8}[-*+] \[[xX]\][^\n]{0,300}<!-- ?gate:ai=(yes|no) ?-->", re.IGNORECASE | re.MULTILINE)
_SCOPE = re.compile(r"^[ \t]{0,3}scope:[ \t]{0,8}(\S[^\r\n]{0,2000})", re.IGNORECASE | re.MULTILINE)
_PULL = "pull request"
_AIDER = re.compile(r"\s*\(aider\)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commit:
    """A commit as far as provenance reads it; ``text`` has one trailer a line, ``credits`` are co-authors."""

    revision: Revision
    text: str
    credits: tuple[Person, ...]
    evidence: tuple[AgentEvidence, ...] = ()

    @property
    def author(self) -> Person:
        name = _AIDER.sub("", self.revision.author.name)
        return Person(name=name, email=self.revision.author.email)

    @property
    def strength(self) -> int:
        return max((sign.strength for sign in self.evidence), default=0)


def read(
    change: Change,
    *,
    declared: Literal["auto", "yes", "no"] = "auto",
    people: People | None = None,
    attested: Mapping[str, str] | None = None,
    traces: bytes | None = None,
    pulls: Sequence[PullText] = (),
) -> Provenance:
    """The agents and the operator of a change, from its commits and branches, and what stands beside them.

    Evidence comes strongest first, once a tool, channel, model and session, with its newest commit.

    Args:
        change: Its commits and branch.
        declared: What the author says: yes makes the change AI-written; no sets weak signs aside, never those of
            strength 3. A box that is ticked in the pull request says the same; of a yes and a no the yes stands.
        people: Those of the policy.
        attested: git-ai's notes on the commits of the change, by commit.
        traces: The Agent Trace file at the head.
        pulls: The pull request, and the other open ones of the same head: a sign in one is a sign in all.
    """
    known = directory(people or People())
    commits, unread = _commits(change.revisions, attested or {})
    notes = []
    if change.more_revisions:
        unread.append(f"only the newest {len(change.revisions):,} commits were read, of more: squash or split them")
    evidence = [sign for commit in commits for sign in commit.evidence]
    evidence += [*_branch_evidence(change.branch)]
    evidence += [sign for pull in pulls for sign in _pull_evidence(pull, change.branch)]
    evidence += read_traces(traces, change) if traces else ()
    declared, where = _declaration(declared, pulls)
    if declared == "yes":
        text = "declared as AI-written"
        evidence.append(AgentEvidence(tool="unknown", channel="declared", strength=3, text=text, source=where))
    strongest = max((sign.strength for sign in evidence), default=0)
    klass = _class(strongest)
    if declared == "no" and strongest == 3:
        evidence = [_contested(sign) if sign.strength == 3 else sign for sign in evidence]
    elif declared == "no" and strongest:
        klass = ProvenanceClass.NO_EVIDENCE
        notes.append(f"declared as not AI-written: {len(_distinct(evidence))} weaker sign(s) of an agent set aside")
    operator, source = _operator(commits, known, [login for pull in pulls for login in pull.people])
    scope, *twin_scopes = _scopes(change.revisions, pulls)
    return Provenance(
        klass=klass,
        agents=_distinct(evidence),
        operator=operator,
        operator_source=source,
        authors=_authors(commits, known),
        notes=tuple(notes),
        unread=tuple(unread),
        scope=scope,
        twin_scopes=tuple(twin_scopes),
    )


def _scopes(revisions: tuple[Revision, ...], pulls: Sequence[PullText]) -> tuple[tuple[str, ...], ...]:
    """What the commits (``Scope:`` trailers) and each pull request (such a line) say the change is about."""
    said = [value for one in revisions for key, value in trailers(one.message) if key.casefold() == "scope"]
    return tuple(_items([*said, *_lines_of_scope(pull.body)]) for pull in pulls or (PullText(),))


def _lines_of_scope(body: str) -> Iterator[str]:
    text = visible(body[:MAX_MESSAGE_CHARACTERS])
    return (match[1] for match in islice(_SCOPE.finditer(text), MAX_MATCHES))


def _items(said: Iterable[str]) -> tuple[str, ...]:
    items = (item.strip().strip("`") for value in said for item in value.split(","))
    return tuple(dict.fromkeys(item for item in items if item))[:MAX_SCOPE]


def trailers(message: str) -> tuple[tuple[str, str], ...]:
    """The trailers of a message as ``git interpret-trailers --parse`` reads them: keys as written, values unfolded.

    git takes the last paragraph for trailers if all its lines are, or a quarter of them where one is git's own
    (https://git-scm.com/docs/git-interpret-trailers).
    """
    paragraphs = re.split(r"\n[ \t]*\n", message.replace("\r\n", "\n").strip("\n \t"))
    if len(paragraphs) < 2:
        return ()
    lines: list[str] = []
    for line in paragraphs[-1].split("\n"):
        if line.startswith((" ", "\t")) and lines:
            lines[-1] += " " + line.strip()
        elif not line.startswith("#"):
            lines.append(line)
    found = [(match[1], match[2].strip()) for line in lines if (match := _TRAILER.fullmatch(line))]
    picked = sum(line.startswith("(cherry picked from commit ") for line in lines)
    from_git = picked or any(key.casefold() == "signed-off-by" for key, _ in found)
    count = len(found) + picked
    return tuple(found) if count == len(lines) or (from_git and 4 * count >= len(lines)) else ()


# --------------------------------------------------------------------------- reading commits


def _commits(revisions: tuple[Revision, ...], attested: Mapping[str, str]) -> tuple[list[_Commit], list[str]]:
    """Every commit with its evidence, and what was too large to read whole."""
    commits, cut, credits_cut, budget = [], 0, 0, MAX_TOTAL_CHARACTERS
    for revision in revisions:
        limit = MAX_MESSAGE_CHARACTERS if budget > 0 else SHORT_MESSAGE_CHARACTERS
        budget -= min(len(revision.message), limit)
        cut += len(revision.message) > limit
        text = _readable(revision.message, limit)
        credited = [Person(name=m[1].strip(), email=m[2].strip()) for m in islice(_CREDIT.finditer(text), MAX_CREDITS)]
        credits_cut += len(credited) == MAX_CREDITS
        commit = _Commit(revision=revision, text=text, credits=tuple(credited))
        noted = read_note(attested[revision.sha], revision.sha) if revision.sha in attested else ()
        commits.append(replace(commit, evidence=(*_evidence(commit), *noted)))
    unread = []
    if cut:
        unread.append(f"{cut} commit message(s) too long to read whole: the first and last half of the limit were read")
    if credits_cut:
        unread.append(
            f"{credits_cut} commit(s) name {MAX_CREDITS} co-authors or more: the first {MAX_CREDITS} were read"
        )
    return commits, unread


def _readable(message: str, limit: int) -> str:
    """A message to search line by line: bounded from the middle (trailers stand last), unfolded, without indent.

    ``git merge --squash`` indents the messages it collects, so a sign may stand behind white space or a bullet.
    """
    if len(message) > limit:
        message = f"{message[: limit // 2]}\n\n{message[-limit // 2 :]}"
    message = visible(message).replace("\r\n", "\n")[: 2 * limit]
    unfolded = "\n".join(f"{key}: {value}" for key, value in trailers(message))
    return f"{_INDENT.sub('', message)}\n{unfolded}"


def _evidence(commit: _Commit) -> Iterator[AgentEvidence]:
    revision = commit.revision
    for sign in table().searched_in(Channel.PERSON):
        for person in dict.fromkeys((revision.author, revision.committer)):
            yield from _found(sign, stated(person), "identity", revision.sha)
        for person in commit.credits:
            yield from _found(sign, stated(person), "trailer", revision.sha)
    for sign in table().searched_in(Channel.AUTHOR):
        yield from _found(sign, stated(revision.author), "identity", revision.sha)
    lines = "\n".join(_TRAILER_LINE.findall(commit.text))
    for sign in table().searched_in(Channel.TRAILER):
        yield from _found(sign, lines, "trailer", revision.sha)
    for sign in table().searched_in(Channel.BODY):
        yield from _found(sign, commit.text, "body", revision.sha)
    if match := _MERGED.match(commit.text):
        for sign in table().searched_in(Channel.BRANCH):
            yield from _found(sign, match[1], "branch", revision.sha)


def _branch_evidence(branch: str | None) -> Iterator[AgentEvidence]:
    for sign in table().searched_in(Channel.BRANCH) if branch else ():
        yield from _found(sign, visible(branch or "")[:250], "branch", None, "branch")


def _pull_evidence(pull: PullText, branch: str | None) -> Iterator[AgentEvidence]:
    """The signs in the text of a pull request, and its branch where the change does not know it."""
    if pull.branch != branch:
        yield from _branch_evidence(pull.branch)
    text = _readable(pull.body, MAX_MESSAGE_CHARACTERS)
    lines = "\n".join(_TRAILER_LINE.findall(text))
    for sign in table().searched_in(Channel.TRAILER):
        yield from _found(sign, lines, "trailer", None, _PULL)
    for sign in table().searched_in(Channel.BODY):
        yield from _found(sign, text, "body", None, _PULL)
    for match in islice(_CREDIT.finditer(text), MAX_CREDITS):
        for sign in table().searched_in(Channel.PERSON):
            yield from _found(
                sign, stated(Person(name=match[1].strip(), email=match[2].strip())), "trailer", None, _PULL
            )


def _declaration(
    declared: Literal["auto", "yes", "no"], pulls: Sequence[PullText]
) -> tuple[Literal["auto", "yes", "no"], str]:
    """What is declared, and where: on the command line, or by a box that is ticked."""
    bodies = (pull.body[:MAX_MESSAGE_CHARACTERS] for pull in pulls)
    ticked = {match[1].casefold() for body in bodies for match in islice(_BOX.finditer(body), MAX_MATCHES)}
    if declared == "yes":
        return "yes", "--ai"
    if "yes" in ticked:
        return "yes", _PULL
    if declared == "no":
        return "no", "--ai"
    return ("no", _PULL) if "no" in ticked else ("auto", "")


def _found(sign: Sign, text: str, channel: str, commit: str | None, source: str = "commit") -> Iterator[AgentEvidence]:
    for match in islice(sign.regex.finditer(text), MAX_MATCHES):
        named = match.groupdict()
        tool = sign.tool or (named.get("tool") or "unknown").casefold().replace(" ", "-")
        line = text[text.rfind("\n", 0, match.start()) + 1 :].partition("\n")[0]
        yield AgentEvidence(
            tool=tool,
            channel=channel,
            strength=sign.strength,
            model=(named.get("model") or "").strip() or None,
            session=named.get("session"),
            commit=commit,
            text=line[:200],
            source=source,
        )


# --------------------------------------------------------------------------- judging them


def _class(strength: int) -> ProvenanceClass:
    if strength == 3:
        return ProvenanceClass.AI
    return ProvenanceClass.ASSISTED if strength else ProvenanceClass.NO_EVIDENCE


def _contested(sign: AgentEvidence) -> AgentEvidence:
    return replace(sign, text=f"{sign.text} (stands against the declaration that no AI wrote this)")


def _distinct(evidence: Iterable[AgentEvidence]) -> tuple[AgentEvidence, ...]:
    first: dict[tuple[object, ...], AgentEvidence] = {}
    for sign in evidence:
        at = sign.commit if sign.lines else None
        first.setdefault((sign.tool, sign.channel, sign.strength, sign.model, sign.session, at), sign)
    return tuple(sorted(first.values(), key=lambda sign: -sign.strength))[:MAX_CREDITS]


def _authors(commits: Iterable[_Commit], known: Directory) -> tuple[Person, ...]:
    """Everyone who wrote, agents apart, newest first: authors and those they name as co-authors."""
    people: dict[str, Person] = {}
    for commit in commits:
        for person in (commit.author, *commit.credits):
            if not is_agent(person):
                people.setdefault(known.key(person), person)
    return tuple(people.values())


def _operator(commits: list[_Commit], known: Directory, pulled_by: list[str]) -> tuple[Person | None, str | None]:
    """The human who prompted: the least senior one where there are several, since that is who has to be covered.

    Whom git-ai's note names, and where an agent is the author the human it names as co-author, with a human who
    committed that; where an agent is only a co-author, the author (reference: co-authors name the requester in 72 % of
    Copilot's commits and 93 % of Devin's); where nobody is named, whose pull request it is.
    """
    strongest = max((commit.strength for commit in commits), default=0)
    # Text that a tool emits may show an agent as its account does: no senior's commit beside it stands for its author.
    found = [_operators_of(commit) for commit in commits if commit.strength >= min(strongest, TYPED)]
    humans = [named for some in found for named in some]
    unnamed = any(not some for some in found) or not found
    if unnamed and pulled_by:
        logins = (Person(name=login, email=f"{login}@users.noreply.github.com") for login in pulled_by)
        humans += [(person, "pull request") for person in logins if not is_bot(person)]
    for person, source in humans:
        if not known.is_senior(person):
            return person, source
    if (unnamed and not pulled_by) or not humans:
        return None, None
    return humans[0]


def _operators_of(commit: _Commit) -> list[tuple[Person, str]]:
    """Everyone who may have prompted one commit: a note can be forged, so it stands beside the author, not before."""
    noted = [(sign.operator, "git-ai note") for sign in commit.evidence if sign.operator is not None]
    named = [(person, source) for person, source in noted if not is_bot(person)]
    if not is_bot(commit.author):
        return [*named, (commit.author, "author")]
    credited = (person for person in commit.credits if not is_bot(person))
    named += [(person, "co-author named by the agent") for person in islice(credited, 1)]
    # Anyone may name an agent as the author and a senior beside it: whoever committed that is asked for too. Alone a
    # committer prompted nothing: it may be a rebase.
    committer = commit.revision.committer
    return [*named, (committer, "committer of it")] if named and not is_bot(committer) else named
