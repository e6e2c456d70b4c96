"""What governs a change: policy, rules, keys and earlier decisions, all as the newest base has them."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gatecli import config
from gatecli.config import Config
from gatecli.errors import UsageError
from gatecli.model import Memory, PolicyStamp
from gatecli.pipeline.request import Request
from gatecli.sources.source import Source
from gatecli.sources.trees import Governing

if TYPE_CHECKING:
    from gatecli.ledger.audit import Log
    from gatecli.rules.spec import Rule
    from gatecli.sources.signatures import Keys


CUSTOM_RULES = ".gate/rules/"


MAILMAP = ".mailmap"


def read_policy(origin: Source, request: Request) -> tuple[Config, PolicyStamp]:
    """The repository's policy, see ``read_policies``."""
    settings, _, stamp = read_policies(origin, request)
    return settings, stamp


def read_policies(origin: Source, request: Request) -> tuple[Config, Config | None, PolicyStamp]:
    """The policy of the newest base, the organisation's, and the stamp of both, with what the command line says."""
    from gatecli.config import layers

    change = origin.change
    settings, stamp = config.load(origin.governing.read, path=request.policy, revision=change.base or change.merge_base)
    if request.organisation is None:
        return layers.tightened(settings, request.mode, request.fail_on, loosely=True), None, stamp
    organisation, above = config.load(lambda _: None, path=request.organisation)
    both = layers.overlaid(settings, organisation)
    sha256 = hashlib.sha256(f"{above.sha256} {stamp.sha256}".encode()).hexdigest()
    return (
        layers.tightened(both.repository, request.mode, request.fail_on, loosely=False),
        layers.tightened(both.organisation, request.mode, request.fail_on, loosely=False),
        replace(stamp, sha256=sha256, organisation=above.path),
    )


def read_rules(origin: Source, settings: Config, organisation: Config | None) -> "tuple[Rule, ...]":
    """The rules, as strict as the stricter policy has them."""
    from gatecli.rules import registry

    custom = _custom_rules(origin.governing)
    checks = registry.load(custom, settings.rules, examples=False)
    if organisation is None:
        return checks
    return registry.strictest(checks, registry.load(custom, organisation.rules, examples=False))


def guarded_files(*policies: Config | None) -> frozenset[str]:
    """The files that policies name for what they judge by: who may sign, who no longer may, and how production runs."""
    named = [one for one in policies if one is not None]
    return frozenset(path for one in named for path in (one.people.keys, one.people.revoked_keys, one.profile.path))


def _custom_rules(base: Governing) -> dict[str, bytes]:
    """The repository's own rules, from the newest base."""
    paths = [path for path in base.paths() if path.startswith(CUSTOM_RULES) and path.endswith((".yml", ".yaml"))]
    return {path: content for path in paths if (content := base.read(path)) is not None}


def read_keys(origin: Source, settings: Config) -> "Keys":
    """The keys that may sign, and those that no longer may, by the newest base."""
    from gatecli.sources.signatures import Keys

    people, governing = settings.people, origin.governing
    return Keys(allowed=governing.read(people.keys) or b"", revoked=governing.read(people.revoked_keys))


def read_memory(origin: Source, request: Request, settings: Config, log: "Log | None") -> Memory | None:
    """What is recorded of earlier decisions, believed where it is signed as the policy wants."""
    from gatecli.ledger import audit, seal

    if request.ledger is None or log is None:
        return None
    memory = audit.memory(log, origin.change.digest)
    if not settings.ledger.signed_by or memory.problem is not None:
        return memory
    unsigned = seal.problem(
        request.ledger, log, read_keys(origin, settings), settings.ledger.signed_by, now=request.now
    )
    return replace(memory, problem=unsigned)


def validate_policy(folder: Path, path: Path) -> Config:
    """Read a policy, the rules it names, and the freezes of a folder as they are on disk.

    Raises:
        UsageError: one of them has problems.
    """
    from gatecli.config import freeze
    from gatecli.policy import conditions
    from gatecli.rules import registry
    from gatecli.sources.trees import DirectoryTree

    settings, _ = config.load(lambda _: None, path=path)
    tree = DirectoryTree(folder)
    checks = registry.load(_custom_rules(Governing(tree)), settings.rules)
    freeze.read_freezes(tree.read)
    known = frozenset(name for check in checks for name in (check.id, check.code))
    if unknown := conditions.unknown_rules(settings, known):
        raise UsageError(f"{path}: no rule is called {unknown[0]!r}", "gate rules list names them")
    return settings
