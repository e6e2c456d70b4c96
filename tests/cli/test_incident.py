"""gate incident, as a user types it, and what gate check says after."""

import json
from pathlib import Path

import pytest

from gatecli.cli.main import run
from tests.conftest import GitRepo

CODE = "def price(order):\n    return order.total\n\n\ndef tax(order):\n    return order.total * 0.2\n"
AGENT = "Round prices\n\nCo-Authored-By: Claude Opus 4.7 <noreply@anthropic.com>"


@pytest.fixture
def shop(repo: GitRepo) -> GitRepo:
    repo.commit({"shop/pricing.py": CODE, "shop/web.py": WEB}, "A shop")
    edited = CODE.replace("return order.total\n\n", "return round(order.total)\n\n")
    repo.commit({"shop/pricing.py": edited, "tests/test_pricing.py": "def test_price():\n    pass\n"}, AGENT)
    return repo


WEB = "from shop.pricing import price\n\n\ndef show(order):\n    return price(order)\n"


def gate(repo: GitRepo, *arguments: str) -> int:
    return run([*arguments, "--repo", str(repo.path)])


def add(repo: GitRepo, id: str = "INC-42", *more: str, cause: str = "HEAD", severity="SEV-1", day="2023-11-14") -> int:
    return gate(repo, "incident", "add", id, "--caused-by", cause, "--severity", severity, "--date", day, *more)


def judged(repo: GitRepo, capsys) -> dict:
    capsys.readouterr()
    gate(repo, "check", "main...HEAD", "--report", "json")
    return json.loads(capsys.readouterr().out)


def remember_and_branch(repo: GitRepo) -> None:
    add(repo, "INC-42", "--lesson", "round half\n to even")
    repo.commit({".gate/policy.yml": "incidents: {half_life_days: 3650}\n"}, "Remember")
    repo.git("switch", "--quiet", "--create", "edit")


def test_the_cause_tells_the_functions_and_who_wrote_them(shop, capsys):
    assert add(shop) == 0
    out = capsys.readouterr().out
    assert "INC-42 (sev1, 2023-11-14) is remembered" in out
    assert "written by claude (Claude Opus 4.7)" in out
    assert "came from shop/pricing.py::price\n" in out
    text = (shop.path / ".gate/incidents.yml").read_text()
    assert f"- {shop.head()}\n" in text
    assert "provenance: ai" in text


def test_list_and_show_say_what_is_known(shop, capsys):
    gate(shop, "incident", "list")
    assert "no incident is remembered" in capsys.readouterr().out
    add(shop, "OLD", day="2020-01-02", severity="low")
    add(shop, "NEW", "--function", "shop/web.py::show", "--url", "https://wiki.shop.example/new")
    capsys.readouterr()
    assert gate(shop, "incident", "list") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("NEW  sev1  2023-11-14 (")
    assert first.endswith("claude (Claude Opus 4.7)  shop/web.py::show")
    assert second.startswith("OLD  sev4  2020-01-02 (")
    assert gate(shop, "incident", "show", "NEW", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "gate-incidents/1"
    assert answer["incidents"][0]["functions"] == ["shop/web.py::show"]
    assert gate(shop, "incident", "show", "NWE") == 2
    assert "did you mean NEW?" in capsys.readouterr().err


def test_touching_the_function_again_names_the_incident(shop, capsys):
    remember_and_branch(shop)
    shop.commit({"shop/pricing.py": CODE.replace("order.total\n\n", "int(order.total)\n\n")}, "Edit")
    report = judged(shop, capsys)
    (one,) = report["incidents"]
    assert (one["id"], one["closeness"], one["lesson"]) == ("INC-42", "same", "round half to even")
    assert one["agents"] == [{"tool": "claude", "model": "Claude Opus 4.7"}]
    assert report["functions"][0]["history"]["incidents"] == ["INC-42"]
    (given,) = [one for one in report["score"]["contributions"] if one["rule"] == "incident-memory"]
    assert given["text"].startswith("incident INC-42 (sev1, 2023-11-14) came from price; lesson: round half")
    gate(shop, "check", "main...HEAD")
    assert "INC-42" in capsys.readouterr().out


def test_the_record_of_decisions_names_the_incidents(shop, capsys, tmp_path):
    remember_and_branch(shop)
    shop.commit({"shop/pricing.py": CODE.replace("order.total\n\n", "int(order.total)\n\n")}, "Edit")
    ledger = tmp_path / "decisions.jsonl"
    gate(shop, "check", "main...HEAD", "--ledger", str(ledger))
    assert json.loads(ledger.read_text())["incidents"] == ["INC-42"]
    capsys.readouterr()
    assert run(["audit", "log", "--ledger", str(ledger)]) == 0
    assert "after INC-42" in capsys.readouterr().out


def test_a_neighbour_is_brought_to_mind_from_both_sides(shop, capsys):
    remember_and_branch(shop)
    shop.commit({"shop/web.py": WEB.replace("price(order)", "str(price(order))")}, "Edit the caller")
    (one,) = judged(shop, capsys)["incidents"]
    assert (one["closeness"], one["functions"]) == ("neighbour", ["shop/web.py::show"])
    shop.git("switch", "--quiet", "main")
    text = (shop.path / ".gate/incidents.yml").read_text().replace("shop/pricing.py::price", "shop/web.py::show")
    shop.commit({".gate/incidents.yml": text}, "It was the other one")
    shop.git("switch", "--quiet", "--create", "callee")
    shop.commit({"shop/pricing.py": CODE.replace("order.total\n\n", "int(order.total)\n\n")}, "Edit the callee")
    (one,) = judged(shop, capsys)["incidents"]
    assert (one["closeness"], one["functions"]) == ("neighbour", ["shop/pricing.py::price"])


def test_gate_context_says_what_went_wrong_before_anybody_edits(shop, capsys):
    remember_and_branch(shop)
    capsys.readouterr()
    assert gate(shop, "context", "shop/pricing.py") == 0
    assert "  incidents: INC-42 (sev1, 2023-11-14): round half to even\n" in capsys.readouterr().out
    assert gate(shop, "context", "shop/web.py::show", "--json") == 0
    card = json.loads(capsys.readouterr().out)["functions"][0]
    assert card["incidents"] == ["INC-42 (sev1, 2023-11-14, one call away): round half to even"]


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "README.md", "shop", "broken.py", "gone.py"])
def test_a_memory_of_what_is_no_function_here_does_no_harm(shop, capsys, path):
    text = f"incidents: [{{id: A, date: 2023-01-01, severity: sev1, caused_by: [abcdef1], functions: ['{path}::f']}}]\n"
    shop.commit({".gate/incidents.yml": text, "broken.py": "def ((((\n", "README.md": "f\n"}, "Remember")
    shop.git("switch", "--quiet", "--create", "edit")
    shop.commit({"shop/pricing.py": CODE.replace("order.total\n\n", "int(order.total)\n\n")}, "Edit")
    assert judged(shop, capsys)["incidents"] == []


def test_another_function_brings_nothing_to_mind(shop, capsys):
    remember_and_branch(shop)
    head = (shop.path / "shop/pricing.py").read_text()
    shop.commit({"shop/pricing.py": head.replace("0.2", "0.19")}, "Edit")
    assert judged(shop, capsys)["incidents"] == []


def test_a_renamed_function_is_known_by_its_lines(shop, capsys):
    remember_and_branch(shop)
    shop.git("switch", "--quiet", "main")
    head = (shop.path / "shop/pricing.py").read_text()
    shop.commit({"shop/pricing.py": head.replace("def price", "def cost")}, "Rename")
    shop.git("switch", "--quiet", "--create", "later")
    shop.commit({"shop/pricing.py": head.replace("def price", "def cost").replace("round", "int")}, "Edit")
    (one,) = judged(shop, capsys)["incidents"]
    assert one["functions"] == ["shop/pricing.py::cost"]


def test_a_function_of_a_file_that_was_moved_is_followed(shop, capsys):
    remember_and_branch(shop)
    shop.git("switch", "--quiet", "main")
    head = (shop.path / "shop/pricing.py").read_text()
    shop.commit({"shop/pricing.py": None, "shop/prices.py": head}, "Move")
    shop.git("switch", "--quiet", "--create", "later")
    shop.commit({"shop/prices.py": head.replace("round", "int")}, "Edit")
    (one,) = judged(shop, capsys)["incidents"]
    assert one["functions"] == ["shop/prices.py::price"]


def test_a_stale_branch_does_not_forget(shop, capsys):
    shop.git("switch", "--quiet", "--create", "stale")
    shop.commit({"shop/pricing.py": CODE.replace("order.total\n\n", "int(order.total)\n\n")}, "Edit")
    shop.git("switch", "--quiet", "main")
    add(shop)
    shop.commit({}, "Remember")
    shop.git("switch", "--quiet", "stale")
    assert [one["id"] for one in judged(shop, capsys)["incidents"]] == ["INC-42"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["INC 1", "--caused-by", "HEAD", "--severity", "1", "--date", "2023-01-01"], 2, "at `$.id`"),
        (["A", "--caused-by", "nowhere", "--severity", "1", "--date", "2023-01-01"], 2, "unknown revision: nowhere"),
        (["A", "--caused-by", "HEAD", "--severity", "bad", "--date", "2023-01-01"], 2, "'bad' is no severity"),
        (["A", "--caused-by", "HEAD", "--severity", "1", "--date", "yesterday"], 2, "'yesterday' is no day"),
        (["A", "--caused-by", "HEAD", "--severity", "1", "--date", "2999-01-01"], 2, "is in the future"),
        (["A", "--severity", "1", "--date", "2023-01-01"], 2, "--caused-by"),
        (
            ["A", "--caused-by", "HEAD", "--severity", "1", "--date", "2023-01-01", "--function", "price"],
            2,
            "'price' is no function",
        ),
        (
            ["A", "--caused-by", "HEAD", "--severity", "1", "--date", "2023-01-01", "--url", "javascript:x"],
            2,
            "at `$.url`",
        ),
    ],
)
def test_what_cannot_be_remembered_is_said_and_nothing_is_written(shop, capsys, arguments, code, said):
    assert gate(shop, "incident", "add", *arguments) == code
    assert said in capsys.readouterr().err
    assert not (shop.path / ".gate/incidents.yml").exists()


def test_a_cause_without_functions_wants_them_named(shop, capsys):
    shop.commit({"README.md": "a shop\n"}, "Say what it is")
    assert add(shop) == 2
    assert "changed no function outside of tests" in capsys.readouterr().err
    assert add(shop, "INC-42", "--function", "shop/pricing.py::price") == 0


def test_a_cause_that_did_much_asks_to_shorten_the_list(shop, capsys):
    body = "".join(f"def f{number}():\n    return {number}\n\n" for number in range(12))
    shop.commit({"shop/many.py": body}, "Add many")
    assert add(shop, "A") == 0
    assert " functions: take those without a part in it off the list" in capsys.readouterr().out
    assert add(shop, "B", "--function", "shop/many.py::f1") == 0
    assert "off the list" not in capsys.readouterr().out


def test_a_merge_is_what_it_merged_and_a_first_commit_all_that_there_was(shop, capsys):
    shop.git("switch", "--quiet", "--create", "side", "HEAD~1")
    shop.commit({"shop/tax.py": "def rate():\n    return 0.2\n"}, "A rate")
    shop.git("switch", "--quiet", "main")
    shop.git("merge", "--quiet", "--no-ff", "--message", "Merge side", "side")
    assert add(shop, "A") == 0
    assert "came from shop/tax.py::rate" in capsys.readouterr().out
    assert add(shop, "B", cause="HEAD~2") == 0
    assert "- shop/web.py::show\n" in (shop.path / ".gate/incidents.yml").read_text()


def test_the_end_of_a_shallow_clone_is_not_taken_for_a_first_commit(shop, tmp_path, capsys):
    shop.commit({"shop/pricing.py": CODE}, "Back")
    shop.git("clone", "--quiet", "--depth", "1", f"file://{shop.path}", str(tmp_path / "shallow"))
    shallow = GitRepo(tmp_path / "shallow")
    assert add(shallow) == 4
    assert "this clone is shallow, and ends there" in capsys.readouterr().err


def test_a_broken_memory_stops_the_run(shop, capsys):
    shop.commit({".gate/incidents.yml": "incidents: [{id: A}]\n"}, "Broken")
    assert gate(shop, "check", "HEAD~1..HEAD") in (0, 1, 3), "it is not on the base yet"
    shop.commit({"shop/pricing.py": CODE}, "Edit")
    capsys.readouterr()
    assert gate(shop, "check", "HEAD~1..HEAD") == 2
    assert ".gate/incidents.yml:1: incidents.0 has no date" in capsys.readouterr().err
    assert add(shop) == 2


def test_what_is_written_is_found_from_a_folder_inside(shop):
    folder = shop.path / "shop"
    command = ["incident", "add", "A", "--caused-by", "HEAD", "--severity", "1", "--date", "2023-01-01"]
    assert run([*command, "--repo", str(folder)]) == 0
    assert Path(shop.path, ".gate/incidents.yml").is_file()


RAVI = {"GIT_AUTHOR_NAME": "Ravi", "GIT_AUTHOR_EMAIL": "ravi@old.example"}
FIXED = CODE.replace("order.total\n\n", "order.total or 0\n\n")


def edited_after(repo: GitRepo, capsys) -> tuple[dict, str]:
    """The incident as it is recalled by an edit of its function, and the evidence of the best candidate."""
    repo.commit({".gate/policy.yml": "requirements: [{name: somebody, requires: [{}]}]\n"}, "Ask somebody")
    repo.git("switch", "--quiet", "--create", "edit")
    head = (repo.path / "shop/pricing.py").read_text()
    repo.commit({"shop/pricing.py": head.replace("def price(order):\n", "def price(order):\n    # none\n    pass\n")})
    report = judged(repo, capsys)
    (one,) = report["incidents"]
    return one, {each["person"]: each["evidence"] for each in report["signoff"]["candidates"]}


def test_who_reverted_the_cause_has_handled_the_incident(shop, capsys):
    cause = shop.head()
    message = f'Revert "Round prices"\n\nThis reverts commit {cause}.'
    fix = shop.commit({"shop/pricing.py": FIXED, ".mailmap": "Ravi K <ravi@shop.example> <ravi@old.example>\n"},
                      message, env=RAVI)  # fmt: skip
    assert add(shop, cause=cause) == 0
    assert f"ended by {fix[:12]}\n" in capsys.readouterr().out
    assert f"fixed_by:\n    - {fix}\n" in (shop.path / ".gate/incidents.yml").read_text()
    shop.commit({"setup.cfg": ""}, "Remember")
    one, candidates = edited_after(shop, capsys)
    assert one["handled_by"] == ["Ravi"]
    assert candidates["Ravi K"].endswith("; handled INC-42 (2023-11-14) in price")
    assert "repair" not in candidates["Ravi K"], "it is told once"


def test_a_repair_after_the_incident_was_written_down_is_found(shop, capsys):
    cause = shop.head()
    add(shop, cause=cause)
    fix = f"Prices may be none\n\nFixes: {cause[:12]}"
    shop.commit({"shop/pricing.py": FIXED}, fix, env=RAVI)
    one, candidates = edited_after(shop, capsys)
    assert one["handled_by"] == ["Ravi"]
    assert "handled INC-42" in candidates["Ravi"]


def test_of_a_merge_those_who_wrote_it_repaired_and_not_who_pressed_the_button(shop, capsys):
    cause = shop.head()
    shop.git("switch", "--quiet", "--create", "fix")
    shop.commit({"shop/pricing.py": FIXED}, "Prices may be none", env=RAVI)
    shop.git("switch", "--quiet", "main")
    shop.git("merge", "--quiet", "--no-ff", "--message", "Merge fix", "fix")
    assert add(shop, "INC-42", "--fixed-by", "HEAD", "--handled-by", " mei ", cause=cause) == 0
    assert gate(shop, "incident", "show", "INC-42") == 0
    assert "handled by: mei" in capsys.readouterr().out
    shop.commit({"setup.cfg": ""}, "Remember")
    one, _ = edited_after(shop, capsys)
    assert one["handled_by"] == ["Ravi", "mei"]


def test_who_caused_it_has_not_handled_it_and_unknown_commits_do_no_harm(shop, capsys):
    author = shop.git("log", "-1", "--format=%ae").strip()
    assert add(shop, "INC-42", "--handled-by", author) == 0
    text = (shop.path / ".gate/incidents.yml").read_text()
    shop.commit({".gate/incidents.yml": f"{text}    fixed_by: [deadbee, {'a' * 40}]\n"}, "Remember")
    one, candidates = edited_after(shop, capsys)
    assert one["handled_by"] == []
    assert "handled" not in " ".join(candidates.values())


def test_a_repair_has_to_be_there(shop, capsys):
    assert add(shop, "INC-42", "--fixed-by", "nowhere") == 2
    assert "unknown revision: nowhere" in capsys.readouterr().err
    assert add(shop, "INC-42", "--handled-by", " ") == 2
    assert not (shop.path / ".gate").exists()


def test_rows_may_say_who_ended_it(shop, tmp_path, capsys):
    table = tmp_path / "incidents.csv"
    head = shop.head()
    table.write_text(
        "id,caused_by,severity,date,fixed by,handled by\n"
        f"A,{head},1,2023-01-01,,Ravi K; mei@shop.example;\nB,{head},1,2023-01-01,deadbeef,\n"
    )
    assert gate(shop, "incident", "import", str(table)) == 0
    assert "B is remembered without what fixed it: unknown revision: deadbeef" in capsys.readouterr().err
    text = (shop.path / ".gate/incidents.yml").read_text()
    assert "handled_by:\n    - Ravi K\n    - mei@shop.example\n" in text
    assert "fixed_by" not in text


def test_rows_are_remembered_once_and_what_is_not_at_hand_is_left_out(shop, tmp_path, capsys):
    table = tmp_path / "incidents.csv"
    head = shop.head()
    table.write_text(
        f"id,caused_by,severity,date\nA,{head[:9]},1,2023-01-01\nB,deadbeef,2,2023-01-01\nC,{head},3,2023-02-01\n"
        f"no id,{head},3,2023-02-01\n"
    )
    assert gate(shop, "incident", "import", str(table)) == 0
    said = capsys.readouterr()
    assert said.out.startswith("2 remembered; ")
    assert "B is left out: unknown revision: deadbeef" in said.err
    assert "no id is left out: incident no id cannot be written down" in said.err
    text = (shop.path / ".gate/incidents.yml").read_bytes()
    assert gate(shop, "incident", "import", str(table)) == 0
    assert capsys.readouterr().out.startswith("0 remembered, 2 passed over as known")
    assert (shop.path / ".gate/incidents.yml").read_bytes() == text


def test_import_wants_one_source(shop, capsys):
    assert gate(shop, "incident", "import") == 2
    assert gate(shop, "incident", "import", "missing.csv") == 2
    assert "cannot read missing.csv" in capsys.readouterr().err
    assert gate(shop, "incident", "import", "missing.csv", "--github") == 2
