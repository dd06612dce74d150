"""`rules`, `fields`, `policies` and `--framework`."""

import json

import pytest

from bfaudit import snapshot as snapshots
from bfaudit.egress import RULE
from bfaudit.exceptions import RULES
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.listing import shipped
from tests.cli.harness import bfaudit
from tests.evaluate.fleets import scanned, snapshot


def test_the_list_of_rules():
    """All of them, or some, with what an exchange can answer."""
    every = bfaudit("rules", "list", "--format", "json").json
    worst = bfaudit("rules", "list", "--pack", "strict", "--severity", "critical", "--exchange", "okx", "--format", "json").json  # fmt: skip

    assert [rule.rule.id for policy in shipped() for rule in policy.rules] == [one["id"] for one in every]  # fmt: skip
    assert {"no-withdraw", "withdraw-guardrails"} <= {one["id"] for one in worst}
    assert {"critical"} == {one["severity"] for one in worst}
    assert all(["okx"] == list(one["answers"]) for one in worst)
    assert "no-withdraw" in bfaudit("rules", "list").out
    assert "okx answers" in bfaudit("rules", "list", "--exchange", "okx", "--format", "markdown").out  # fmt: skip


def test_one_rule_explained():
    """What, why, evidence, who, fix, controls with titles, cases, and how to override it."""
    out = bfaudit("rules", "show", "symbol-scope", "--format", "markdown").out

    for words in ("CyberNews", "key.symbols", "no: ", "Binance", "**Fix.**", "AC-6 Least Privilege", "* unknown: not told", "reason: why", "trade-drain"):  # fmt: skip
        assert words.lower() in out.lower(), words
    assert "Symbol" in bfaudit("rules", "show", "symbol-scope").out.title()
    assert "key.symbols" in bfaudit("rules", "show", "symbol-scope", "--format", "json").json["facts"]  # fmt: skip


@pytest.mark.parametrize("name", [RULE.id, *RULES])
def test_the_rules_that_no_policy_has(name):
    """A finding says `bfaudit rules show ID`, and that works for each."""
    ran = bfaudit("rules", "show", name)

    assert 0 == ran.code, ran.err
    assert "Fix." in ran.out


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("show", "no-withdrw"), 'did you mean "no-withdraw"?'),
        (("list", "--pack", "strickt"), 'did you mean "strict"?'),
        (("list", "--exchange", "okxx"), 'did you mean "okx"?'),
    ],
)
def test_what_is_not_there(arguments, hint):
    """Ends with 2 and a hint."""
    ran = bfaudit("rules", *arguments)

    assert (2, True) == (ran.code, hint in ran.err)


def test_fields_and_policies():
    """Both in every format."""
    fields = bfaudit("fields", "--format", "json").json
    policies = bfaudit("policies", "list", "--format", "json").json

    assert list(FIELDS) == [one["name"] for one in fields["fields"]]
    assert {"cidr_contains", "cidr_size", "is_private", "age", "wildcard", "is_masked"} <= {one["name"] for one in fields["functions"]}  # fmt: skip
    assert {"baseline", "strict", "trade-drain", "lifecycle", "segregation", "governance"} <= {one["id"] for one in policies["policies"]}  # fmt: skip
    assert "key.can.withdraw" in bfaudit("fields").out
    assert "soc2" in bfaudit("policies", "list").out
    assert "| `soc2` |" in bfaudit("policies", "list", "--format", "markdown").out


def test_an_audit_by_control(tmp_path):
    """`--framework` takes the place of text, Markdown, HTML and JSON; exit codes stay."""
    path = tmp_path / "snapshot.json"
    path.write_bytes(snapshots.encode(snapshot(scanned(known={"permissions.withdraw": "granted"}))))
    more = ("--format", "json", "--output", tmp_path / "c.json", "--format", "html", "--output", tmp_path / "c.html")  # fmt: skip

    text = bfaudit("check", path, "--framework", "soc2")
    both = bfaudit("check", path, "--framework", "soc2", *more)
    wrong = bfaudit("check", path, "--framework", "sox2")

    assert (1, True) == (text.code, "CC6.3" in text.out)
    assert 1 == both.code
    assert "bfaudit-compliance/1" == json.loads((tmp_path / "c.json").read_text())["schema"]
    assert "Sign-off" in (tmp_path / "c.html").read_text()
    assert (2, True) == (wrong.code, 'did you mean "soc2"?' in wrong.err)
