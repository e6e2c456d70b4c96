"""How long code owners and a thousand reviews take: ``python -m tests.bench.sign_off`` prints the best of five runs.

Processor time of this process: it does not depend on what else the machine does."""

import json
import random
import time
from collections.abc import Callable

from gatecli.config import Config, People, load
from gatecli.model import Approval, Binding, Counted
from gatecli.policy.approvals import Submitted, counted
from gatecli.policy.owners import read_owners
from gatecli.policy.requirements import sign_off
from gatecli.provenance.identity import directory
from tests.policy.test_approvals import CASE, NOW, answers, review
from tests.policy.test_requirements import LOW

LINES, FILES, REVIEWS, REQUIREMENTS = 5_000, 1_000, 1_000, 200
WORDS = ("api", "web", "core", "billing", "search", "infra", "docs", "tests", "models", "views", "jobs", "lib")
ENDINGS = ("py", "js", "ts", "go", "sql", "md", "yml")


def code_owners(pick: random.Random) -> bytes:
    """A large file as they grow: mostly folders, then files, endings, and patterns that have to be tried."""

    def folder() -> str:
        return "/".join(f"{pick.choice(WORDS)}{pick.randrange(30)}" for _ in range(pick.randint(1, 4)))

    kinds: tuple[Callable[[], str], ...] = (
        lambda: f"/{folder()}/",
        lambda: f"/{folder()}/",
        lambda: f"/{folder()}/x{pick.randrange(50)}.{pick.choice(ENDINGS)}",
        lambda: f"*.{pick.choice(ENDINGS)}{pick.randrange(40)}",
        lambda: f"/{folder()}/*.{pick.choice(ENDINGS)}",
        lambda: f"/{folder()}/**/{pick.choice(WORDS)}*/",
        lambda: f"**/{pick.choice(WORDS)}{pick.randrange(200)}/",
        lambda: f"test_*_{pick.choice(WORDS)}{pick.randrange(20)}.py",
    )
    return "".join(f"{pick.choice(kinds)()} @org/team-{pick.randrange(90)}\n" for _ in range(LINES)).encode()


def paths(pick: random.Random) -> list[str]:
    return [
        "/".join(f"{pick.choice(WORDS)}{pick.randrange(30)}" for _ in range(pick.randint(1, 6)))
        + f"/x{pick.randrange(50)}.{pick.choice(ENDINGS)}"
        for _ in range(FILES)
    ]


def best_of_five(run: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        started = time.process_time()
        run()
        times.append(1_000 * (time.process_time() - started))
    return min(times)


def main() -> None:
    pick = random.Random(6)
    data, touched = code_owners(pick), paths(pick)

    def owned() -> int:
        owners = read_owners({"CODEOWNERS": data}.get)
        assert owners is not None
        return sum(owners.of(path) is not None for path in touched)

    print(
        f"code owners: {LINES:,} lines, {FILES:,} files, {owned():,} owned: {best_of_five(owned):.1f} ms with reading"
    )
    by_one = Config(people=People(seniors=("ravi",)))
    known = directory(by_one.people)
    reviews = [review(f"user{number % 700}", at=f"2026-11-20T{number % 24:02}:00:00Z") for number in range(REVIEWS)]
    given = answers(
        *reviews, collaborators=[{"login": f"user{number}", "permissions": {"push": True}} for number in range(700)]
    )
    assert len(json.loads(given)["reviews"]) == REVIEWS

    def count() -> int:
        return len(counted(CASE, (), known, by_one, submitted=Submitted(answers=given), policy="p", now=NOW).approvals)

    print(f"reviews: {REVIEWS:,} read and weighed, {count():,} count: {best_of_five(count):.1f} ms")

    config = policy(pick)
    said = Counted(
        approvals=tuple(
            Approval(person=f"user{number}", at=NOW - 60, source="github review", binding=Binding.DIFF)
            for number in range(REVIEWS)
        )
    )

    def evaluated() -> int:
        return len(sign_off(CASE, (), LOW, config, now=NOW, reviewed=said).tree)

    print(f"requirements: {evaluated():,} against {REVIEWS:,} approvals: {best_of_five(evaluated):.1f} ms")


def policy(pick: random.Random) -> Config:
    """Two hundred requirements of two asks each, all of which apply."""

    def ask() -> str:
        kinds = (
            "{count: %d}",
            "{role: senior, count: %d}",
            "{any: [{role: senior}, {count: %d}]}",
            "{among: [user%d]}",
        )
        return pick.choice(kinds) % pick.randrange(1, 90)

    listed = "".join(
        f"  - {{name: r{number}, if: {{any: [{{paths: [shop/]}}, {{lines: 1}}]}}, requires: [{ask()}, {ask()}]}}\n"
        for number in range(REQUIREMENTS)
    )
    return load({".gate/policy.yml": f"people: {{seniors: [user7]}}\nrequirements:\n{listed}".encode()}.get)[0]


if __name__ == "__main__":
    main()
