"""``gate profile fetch``: the runtime profile from what already keeps the data."""

from pathlib import Path
from typing import Annotated

import typer

from gatecli.cli.profile_summary import print_summary
from gatecli.errors import UsageError

FETCH_EPILOG = """\b
Engines: clickhouse, prometheus, pyroscope, sentry, url. What they keep is added up there.
The token is taken from GATE_PROFILE_TOKEN, with GATE_PROFILE_USER for a user and password.

\b
Examples:
  gate profile fetch clickhouse https://clickhouse.internal:8443 --service shop --table otel.otel_traces
  gate profile fetch prometheus http://prometheus:9090 --window 24h
  gate profile fetch pyroscope http://pyroscope:4040 --service shop
  gate profile fetch sentry https://sentry.io --organization shop --project 42
  gate profile fetch url https://artifacts.internal/shop/latest.pprof
  gate profile fetch                      what profile.fetch in .gate/policy.yml lists
"""


def fetch(
    engine: Annotated[str | None, typer.Argument(metavar="ENGINE", help="Default: those of the policy.")] = None,
    url: Annotated[str | None, typer.Argument(metavar="URL", help="Where it answers.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: .gate/profile.json.gz.")
    ] = None,
    window: Annotated[str, typer.Option(metavar="TIME", help="How far back, such as 7d, 3h, 15m, 90s.")] = "7d",
    service: Annotated[str | None, typer.Option(metavar="NAME", help="Only what is of this service.")] = None,
    table: Annotated[str, typer.Option(metavar="NAME", help="ClickHouse: the table of spans.")] = "otel_traces",
    query: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PROMQL", help="Prometheus: calls, errors, edges, p50, p95, p99; repeatable."),
    ] = None,
    type: Annotated[str | None, typer.Option(metavar="TYPE", help="Pyroscope: the kind of profile.")] = None,
    tenant: Annotated[str | None, typer.Option(metavar="ID", help="Pyroscope: the organisation.")] = None,
    organization: Annotated[str | None, typer.Option(metavar="NAME", help="Sentry: the organisation.")] = None,
    project: Annotated[str | None, typer.Option(metavar="ID", help="Sentry: the project.")] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, max=3600, help="For each answer.")] = 120,
    map: Annotated[
        list[str] | None,
        typer.Option(metavar="PREFIX=DIR", help="A recorded folder is this folder of the repository; repeatable."),
    ] = None,
    revision: Annotated[
        str | None, typer.Option(metavar="REVISION", help="The commit that ran; default: what the engine says.")
    ] = None,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="Where it ran, such as production.")] = None,
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
) -> None:
    """Make the profile from what already keeps the data: it is added up there, and only the sums are fetched."""
    from gatecli import pipeline
    from gatecli.config import Engine, FetchConfig
    from gatecli.config.document import did_you_mean
    from gatecli.runtime.profile import save

    sources: tuple[FetchConfig, ...] = ()
    if engine is not None:
        known = [one.value for one in Engine]
        if engine not in known:
            hint = f"there are {', '.join(known)}{did_you_mean(engine, known)}"
            raise UsageError(f"{engine!r} is no engine", hint)
        if url is None:
            raise UsageError(f"where is {engine}?", f"gate profile fetch {engine} URL")
        kind = {"type": type} if type else {}
        sources = (
            FetchConfig(
                engine=Engine(engine),
                url=url,
                window=window,
                service=service,
                table=table,
                queries=dict(_query(text) for text in query or ()),
                tenant=tenant,
                organization=organization,
                project=project,
                timeout_s=timeout,
                **kind,
            ),
        )
    profile = pipeline.fetch_profile(
        sources,
        directory=repo,
        maps=tuple(prefix_and_folder(text) for text in map or ()),
        revision=revision,
        environment=environment,
    )
    target = output or pipeline.default_profile(repo)
    save(profile, target)
    print_summary(profile, target)


def _query(text: str) -> tuple[str, str]:
    name, sign, query = text.partition("=")
    if not sign or not query.strip():
        raise UsageError(f"--query {text[:60]!r} is not NAME=PROMQL", "such as --query 'calls=sum by (module, …) (…)'")
    return name.strip(), query.strip()


def prefix_and_folder(text: str) -> tuple[str, str]:
    """What ``--map`` says: a recorded prefix, and the folder of the repository that it is.

    Raises:
        UsageError: it says neither.
    """
    prefix, sign, folder = text.rpartition("=")
    if not sign or not prefix:
        raise UsageError(f"--map {text!r} is not PREFIX=DIR", "such as --map /app/src=src, or /app= for the root")
    return prefix, folder
