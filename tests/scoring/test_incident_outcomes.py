"""Incidents that somebody wrote down are outcomes of the back-test, from the day on which they were known."""

from pathlib import Path

from gatecli.config.incident_edit import with_incidents
from gatecli.hindsight import replay_past
from gatecli.model import Incident, IncidentSeverity
from gatecli.scoring.past import Head
from tests.conftest import GitRepo
from tests.test_incidents import incident


def replayed(repo: GitRepo, *found: Incident, folder: Path):
    repo.commit({".gate/incidents.yml": with_incidents(None, found)}, "Remember", env=at(8))
    return replay_past(repo.path, folder=folder)


def at(day: int) -> dict[str, str]:
    stamp = f"2023-11-{day:02} 12:00:00 +0000"
    return {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}


def test_a_cause_is_bad_from_the_first_change_after_the_incident(repo: GitRepo, tmp_path: Path) -> None:
    code = "def price():\n    return {}\n"
    shas = [repo.commit({"shop.py": code.format(day)}, f"Step {day}", env=at(day)) for day in range(1, 8)]
    told = incident(caused_by=(shas[1][:9],), day=incident().day.replace(2023, 11, 3), severity=IncidentSeverity.SEV1)
    unknown = incident("INC-43", caused_by=("f" * 40,))
    past = replayed(repo, told, unknown, folder=tmp_path)
    assert past.shas == tuple(shas)
    # Of the 3rd, so it was known when the change of the 4th (the fourth) was made, not to that of the 3rd itself.
    assert past.known_at[Head.REGRESSION].tolist() == [-1, 3, -1, -1, -1, -1, -1]
    assert past.known_at[Head.REVERT].tolist() == [-1] * 7


def test_an_incident_after_the_last_change_is_known_at_its_end(repo: GitRepo, tmp_path: Path) -> None:
    shas = [repo.commit({"shop.py": f"x = {day}\n"}, f"Step {day}", env=at(day)) for day in range(1, 4)]
    past = replayed(repo, incident(caused_by=(shas[0],), day=incident().day.replace(2023, 11, 20)), folder=tmp_path)
    assert past.known_at[Head.ANY].tolist()[0] == 3
