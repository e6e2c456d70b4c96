"""gate policy, signoff, freeze, unfreeze and audit, as a user types them; attacks with a real repository."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from gatecli.cli.main import run
from gatecli.config.schema import schema
from tests.conftest import GitRepo

PUBLISHED = Path(__file__).parents[2] / "docs" / "policy.schema.json"
CODE = "def price(order):\n    return order.total\n"
POLICY = """\
version: 1
people: {seniors: [ravi@shop.example]}
requirements:
  - name: two people
    requires: [{count: 2}]
"""


@pytest.fixture
def shop(repo: GitRepo) -> GitRepo:
    repo.commit({"shop/pricing.py": CODE, ".gate/policy.yml": POLICY}, "A shop")
    repo.git("switch", "--quiet", "--create", "edit")
    repo.commit({"shop/pricing.py": CODE.replace("total", "sum")}, "Edit")
    return repo


def gate(repo: GitRepo, *arguments: str) -> int:
    return run([*arguments, "--repo", str(repo.path)])


def test_signoff_shows_the_tree_and_exits_with_the_verdict(shop, capsys):
    assert gate(shop, "signoff", "main...HEAD") == 3
    out = capsys.readouterr().out
    assert out.startswith("review: 0 of ")
    assert "✘ two people" in out
    assert "gh pr review --approve" in out


def test_the_same_tree_in_json_and_markdown(shop, capsys):
    gate(shop, "signoff", "main...HEAD", "--report", "json")
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "gate-signoff/1"
    assert [one["text"] for one in answer["tree"]][-1] == "two people"
    assert answer["tree"][-1]["needs"][0]["text"] == "2 humans"
    gate(shop, "signoff", "main...HEAD", "--report", "markdown")
    assert "- ✘ **two people**" in capsys.readouterr().out


def test_simulate_supposes_approvals_and_decides_nothing(shop, capsys):
    assert gate(shop, "policy", "simulate", "main...HEAD", "--approve", "tom", "--approve", "ines") == 0
    assert "✔ two people" in capsys.readouterr().out
    assert gate(shop, "signoff", "main...HEAD") == 3


def test_explain_says_why_a_requirement_does_not_apply(shop, capsys, tmp_path):
    other = tmp_path / "other.yml"
    other.write_text("requirements: [{name: docs, if: {paths: [docs/]}, requires: [{}]}, {name: rest}]")
    assert gate(shop, "policy", "explain", "main...HEAD", "--policy", str(other)) == 0
    assert "· docs (not applicable)\n      not: paths docs/" in capsys.readouterr().out


def test_init_writes_a_policy_that_is_valid_and_only_once(repo, capsys):
    repo.commit({"a.py": CODE}, "A")
    assert gate(repo, "policy", "init") == 0
    assert gate(repo, "policy", "validate") == 0
    assert "valid: mode advise, 2 requirements" in capsys.readouterr().out
    assert gate(repo, "policy", "init") == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("requirements: [{name: a, if: {rules: [tabel-dropped]}}]", "no rule is called 'tabel-dropped'"),
        ("tiers: {a: {tier: a}}", "defined by itself"),
        ("requirments: []", "did you mean 'requirements'"),
    ],
)
def test_validate_names_mistakes(repo, capsys, text, said):
    repo.commit({".gate/policy.yml": text}, "A")
    assert gate(repo, "policy", "validate") == 2
    assert said in capsys.readouterr().err


def test_the_published_schema_is_current():
    assert PUBLISHED.read_text(encoding="utf-8") == schema()


def test_the_schema_takes_what_is_read_and_no_other_key():
    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    validator.check_schema(validator.schema)
    validator.validate(yaml.safe_load(POLICY))
    assert not validator.is_valid({"requirments": []})
    assert not validator.is_valid({"requirements": [{"name": "a", "if": {"path": ["x"]}}]})


def test_freeze_and_unfreeze(shop, capsys):
    """A freeze holds once it is on the base."""
    shop.git("switch", "--quiet", "main")
    assert gate(shop, "freeze", "--scope", "shop/", "--until", "3h", "--reason", "incident 42") == 0
    shop.git("add", "."), shop.git("commit", "-qm", "Freeze")
    shop.git("switch", "--quiet", "edit")
    assert gate(shop, "check", "main...HEAD") == 1
    assert "incident 42" in capsys.readouterr().out
    shop.git("switch", "--quiet", "main")
    assert gate(shop, "unfreeze", "--scope", "pay/") == 2
    assert gate(shop, "unfreeze", "--scope", "shop/") == 0
    shop.git("add", "."), shop.git("commit", "-qm", "Thaw")
    shop.git("switch", "--quiet", "edit")
    assert gate(shop, "check", "main...HEAD") == 3


def test_a_freeze_that_is_over_already_is_refused(shop):
    assert gate(shop, "freeze", "--until", "2020-01-01T00:00Z", "--reason", "x") == 2
    assert gate(shop, "freeze", "--until", "whenever", "--reason", "x") == 2


def test_decisions_are_recorded_and_tampering_is_said(shop, capsys, tmp_path):
    log = tmp_path / "decisions.jsonl"
    for _ in range(2):
        assert gate(shop, "check", "main...HEAD", "--ledger", str(log)) == 3
    assert run(["audit", "verify", "--ledger", str(log)]) == 0
    assert "2 decisions, whole" in capsys.readouterr().out
    log.write_text(log.read_text().replace('"review"', '"pass"', 1))
    assert run(["audit", "verify", "--ledger", str(log)]) == 4
    assert gate(shop, "check", "main...HEAD", "--ledger", str(log)) == 4


# --------------------------------------------------------------------------- attacks


def test_attack_a_change_that_loosens_the_policy_is_judged_by_the_old_one(shop):
    shop.commit({".gate/policy.yml": "version: 1\nmode: 'off'\nfail_on: never\n"}, "Loosen")
    assert gate(shop, "check", "main...HEAD") == 1  # and what guards the repository is a senior's to change


def test_attack_a_change_that_brings_the_end_of_its_own_freeze(shop):
    shop.git("switch", "--quiet", "main")
    gate(shop, "freeze", "--until", "3h", "--reason", "incident 42")
    shop.git("add", "."), shop.git("commit", "-qm", "Freeze")
    shop.git("switch", "--quiet", "edit")
    shop.commit({".gate/freeze.yml": "freezes: []\n"}, "Thaw")
    assert gate(shop, "check", "main...HEAD") == 1


def test_attack_a_change_that_empties_the_tiers_of_the_base(shop):
    shop.commit({".gate/policy.yml": "requirements: [{name: all of it}]\n"}, "Floor only")
    assert gate(shop, "signoff", "main...HEAD") == 1


@pytest.mark.parametrize(
    "path",
    [".gate/policy.yml", ".gate/freeze.yml", ".gate/allowed_signers", ".gate/rules/x.yml", ".gate/weights.yml",
     "CODEOWNERS", ".github/workflows/ci.yml", "AGENTS.md", "CLAUDE.md"],
)  # fmt: skip
def test_attack_what_guards_the_repository_never_changes_without_a_human(shop, path):
    shop.git("switch", "--quiet", "--create", "guards", "main")
    shop.commit({path: "# nothing\n"}, "Guards")
    assert gate(shop, "check", "main...HEAD") in (1, 3)


@pytest.mark.parametrize("mode", ["off", "shadow", "advise"])
def test_a_policy_that_does_not_enforce_exits_0(repo, mode):
    repo.commit({"shop/pricing.py": CODE, ".gate/policy.yml": f"mode: '{mode}'\n{POLICY}"}, "A shop")
    repo.git("switch", "--quiet", "--create", "edit")
    repo.commit({"shop/pricing.py": CODE.replace("total", "sum")}, "Edit")
    assert gate(repo, "check", "main...HEAD") == 0
