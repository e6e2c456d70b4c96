"""The policy of a repository: where it lies, how it is read and what it says.

It is ``.gate/policy.yml`` at the newest base: the change that is judged cannot loosen the rules that judge it.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from gatecli.config.contradictions import contradictions, unknown_zones
from gatecli.config.document import MAX_BYTES, Document, Problem, decode, mismatches, parse, quote, refuse
from gatecli.config.requirements import Border, Condition, Grants, Override, Pace, Required
from gatecli.config.shipped import data_root, read_data
from gatecli.errors import UsageError
from gatecli.model import Mode, PolicyStamp

__all__ = [
    "POLICY_PATH",
    "Bands",
    "Config",
    "Engine",
    "FailOn",
    "FetchConfig",
    "IgnoreConfig",
    "IncidentConfig",
    "LedgerConfig",
    "Level",
    "Paths",
    "People",
    "ProfileConfig",
    "ProvenanceConfig",
    "RuleConfig",
    "Treatment",
    "data_root",
    "decode",
    "load",
    "read_data",
]

POLICY_PATH = ".gate/policy.yml"

Day = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
"""A day as ``2026-12-31``."""

Points = Annotated[int, msgspec.Meta(ge=0, le=1000)]


class FailOn(StrEnum):
    """From which verdict on ``gate check`` exits with a failure; ``never`` leaves it to whoever reads the report."""

    BLOCK = "block"
    REVIEW = "review"
    NEVER = "never"


class Level(StrEnum):
    """What a repository makes of a rule's finding; ``off`` does not run it."""

    OFF = "off"
    NOTE = "note"
    REVIEW = "review"
    BLOCK = "block"


class Treatment(StrEnum):
    """Whether a change that is not known to be AI-written is judged as if it were."""

    AS_IS = "as_is"
    TREAT_AS_AI = "treat_as_ai"


class Engine(StrEnum):
    """What keeps runtime data; ``url`` is any address that serves a file."""

    CLICKHOUSE = "clickhouse"
    PROMETHEUS = "prometheus"
    PYROSCOPE = "pyroscope"
    SENTRY = "sentry"
    URL = "url"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchConfig:
    """Where ``gate profile fetch`` asks, and for what.

    ``window`` is how far back (``7d``, ``3h``), ``service`` whose data; ``table`` is ClickHouse's, with its database;
    ``queries`` are PromQL by what they answer; ``type`` is Pyroscope's kind of profile and ``tenant`` its
    organisation; ``organization`` and ``project`` are Sentry's.
    """

    engine: Engine
    url: str
    window: str = "7d"
    service: str | None = None
    table: str = "otel_traces"
    queries: Mapping[str, str] = field(default_factory=dict)
    type: str = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
    tenant: str | None = None
    organization: str | None = None
    project: str | None = None
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileConfig:
    """Where the runtime profile lies, whether a verdict needs it, and after how many days it is stale.

    ``fetch`` says where ``gate profile fetch`` gets it, ``map`` which folder of the repository a recorded one is.
    ``routes`` names the functions behind entry points that the code does not tell, or of which it is misread: label
    (``GET /orders``, ``task settle``) → ``path::qualname``.
    """

    path: str = ".gate/profile.json.gz"
    required: bool = False
    max_age_days: Annotated[float, msgspec.Meta(gt=0)] = 14
    fetch: tuple[FetchConfig, ...] = ()
    map: Mapping[str, str] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who is senior (addresses, names, logins or teams), which addresses are one person, and whose word counts.

    ``aliases`` maps a canonical name, login or address to the person's other addresses and logins; ``teams`` maps a
    team as the code owners name it (``org/team``) to its members. ``agents`` are the accounts and key names of agents
    whose approval may be asked for, with the family of their model. ``away`` says until when (a date) somebody is not
    there to ask. ``keys`` and ``revoked_keys`` are ssh-keygen's lists of allowed signers and of revoked keys;
    ``trailers`` lets a ``Reviewed-by:`` in a commit message count, which anyone may write.
    """

    seniors: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    agents: Mapping[str, str] = field(default_factory=dict)
    away: Mapping[str, Day] = field(default_factory=dict)
    keys: str = ".gate/allowed_signers"
    revoked_keys: str = ".gate/revoked_keys"
    trailers: bool = False


class History(StrEnum):
    """What the place of a change among past ones does: nothing, ask in its band, or ask also where it is not known."""

    SHOW = "show"
    ASK = "ask"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Total points from which a change needs a reviewer, and a senior one.

    The defaults are a judgement, not a measurement: 40 points are a one-line edit of code that carries 16 % of the
    traffic, or an ordinary one (15 points) where 6 % run; 60 points are the same at 64 % and 23 %. They stand until a
    repository's own back-test sets them by budget.

    ``history`` says what the bands of ``.gate/weights.yml`` do, which that back-test wrote.
    """

    review: Points = 40
    senior: Points = 60
    history: History = History.ASK


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleConfig:
    """What a repository changes about one rule; None keeps what the rule says."""

    severity: Level | None = None
    points: Points | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreConfig:
    """For how many days from today a comment may ignore a finding."""

    max_days: Annotated[int, msgspec.Meta(ge=0, le=3_650)] = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentConfig:
    """After how many days an incident weighs half of what it did.

    The default is a judgement: what came from a function half a year ago still counts, three years ago nearly nothing.
    """

    half_life_days: Annotated[float, msgspec.Meta(ge=1, le=36_500)] = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceConfig:
    """How to judge a change with no evidence of an agent, and one with weak evidence (text that anyone may type)."""

    no_evidence: Treatment = Treatment.AS_IS
    assisted: Treatment = Treatment.AS_IS


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Which files are tests and which are generated, as gitignore patterns."""

    tests: tuple[str, ...] = ("tests/", "test/", "test_*.py", "*_test.py", "conftest.py")
    generated: tuple[str, ...] = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "_version.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerConfig:
    """Whose signature the record of decisions has to carry to be believed (names of keys); none: nobody's."""

    signed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The policy of a repository; every field has the built-in default.

    ``tiers`` name conditions, ``zones`` name the folders (gitignore patterns) of a trust zone, ``borders`` say what the
    code of each may reach beyond it, ``hosts`` are those that all code may talk to; ``requirements`` and ``pace`` ask
    for more than what is built in. Without ``override`` nobody may override anything, without ``grants`` none counts.

    ``mode`` is enforce unless the policy says otherwise, so that exit codes mean something without a policy.
    """

    version: Literal[1] = 1
    mode: Mode = Mode.ENFORCE
    fail_on: FailOn = FailOn.REVIEW
    profile: ProfileConfig = field(default_factory=ProfileConfig)
    people: People = field(default_factory=People)
    bands: Bands = field(default_factory=Bands)
    rules: Mapping[str, RuleConfig] = field(default_factory=dict)
    ignores: IgnoreConfig = field(default_factory=IgnoreConfig)
    incidents: IncidentConfig = field(default_factory=IncidentConfig)
    provenance: ProvenanceConfig = field(default_factory=ProvenanceConfig)
    paths: Paths = field(default_factory=Paths)
    tiers: Mapping[str, Condition] = field(default_factory=dict)
    zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    borders: Mapping[str, Border] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    requirements: Annotated[tuple[Required, ...], msgspec.Meta(max_length=500)] = ()
    pace: Pace = field(default_factory=Pace)
    override: Override | None = None
    grants: Grants | None = None
    ledger: LedgerConfig = field(default_factory=LedgerConfig)


def load(
    read: Callable[[str], bytes | None],
    *,
    path: Path | None = None,
    revision: str | None = None,
) -> tuple[Config, PolicyStamp]:
    """The policy and the stamp that names it; without a policy the built-in one, stamped with path None.

    Args:
        read: The content of a path in the base tree, None where there is none.
        path: A local file to use instead (``--policy``).
        revision: The base revision, for the stamp.

    Raises:
        UsageError: the policy cannot be read or has problems; the message lists every one with its line.
    """
    if path is not None:
        return _decoded(_read_local(path), str(path), None)
    data = read(POLICY_PATH)
    if data is not None:
        return _decoded(data, POLICY_PATH, revision)
    misnamed = f"{POLICY_PATH.removesuffix('.yml')}.yaml"
    if read(misnamed) is not None:
        raise UsageError(f"{misnamed} is not read", f"rename it to {POLICY_PATH}")
    content = msgspec.json.encode(Config(), order="sorted")
    return Config(), PolicyStamp(path=None, revision=None, sha256=hashlib.sha256(content).hexdigest())


def _decoded(data: bytes, where: str, revision: str | None) -> tuple[Config, PolicyStamp]:
    document = parse(data, where)
    if document.value is None:  # nothing but comments: a template that nobody has filled in yet
        document = replace(document, value={})
    refuse(_problems(document), where)
    stamp = PolicyStamp(path=where, revision=revision, sha256=hashlib.sha256(data).hexdigest())
    return msgspec.convert(document.value, Config), stamp


def _problems(document: Document) -> Iterator[Problem]:
    """What is wrong with the text and the types; once those are right, what contradicts itself."""
    found = [*document.problems, *mismatches(document, Config), *_contradictions(document)]
    yield from found
    if not found:
        settings = msgspec.convert(document.value, Config)
        stated = settings.tiers, settings.requirements, settings.pace, settings.zones
        yield from contradictions(document, *stated)
        yield from unknown_zones(document, settings.borders, settings.zones)


def _read_local(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read the policy {path}: {error.strerror}", "check the path") from error


def _contradictions(document: Document) -> Iterator[Problem]:
    """What types cannot say: bands in order, one person an address. Which rules there are, the registry knows."""
    bands = _mapping(document.value, "bands")
    review, senior = bands.get("review", Bands().review), bands.get("senior", Bands().senior)
    if isinstance(review, int) and isinstance(senior, int) and senior < review:
        yield document.problem(("bands",), f"bands.senior ({senior}) is below bands.review ({review})")
    for label, target in _mapping(document.value, "profile", "routes").items():
        path, colons, qualname = str(target).partition("::")
        if isinstance(target, str) and not (path and colons and qualname):
            text = f"{quote(target)} is no function: name it as path::qualname (shop/web.py::orders)"
            yield document.problem(("profile", "routes", label), text)
    owner: dict[str, str] = {}
    for name, addresses in _mapping(document.value, "people", "aliases").items():
        for address in [name, *(addresses if isinstance(addresses, list) else ())]:
            first = owner.setdefault(str(address).strip().casefold(), name)
            if first != name:
                text = f"{quote(str(address))} is an alias of both {quote(first)} and {quote(name)}"
                yield document.problem(("people", "aliases", name), text)


def _mapping(value: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
