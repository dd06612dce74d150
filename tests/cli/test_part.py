"""A part of a fleet on the command line: the rest is not asked, and still counts."""

import pytest
from msgspec.structs import replace

from bfaudit.sandbox import Account, Key, Sandbox, Scenario
from tests.cli.harness import bfaudit, entry, key, manifest, redirected, scenario

ONE = entry("KuCoin Spot One", "kucoin", "ONE")
TWO = entry("KuCoin Spot Two", "kucoin", "TWO")
MASTER = entry("KuCoin Master", "kucoin", "ONE", requires="[read]").replace(
    "lifecycle: active", "lifecycle: active\n    inventory: true"
)
SHARED = scenario(replace(key("ONE"), env=("ONE", "TWO")))
APART = scenario(key("ONE"), key("TWO"))


def listed(*more):
    """A master key that lists the keys of a sub-account."""
    bot = replace(key("TWO"), label="bot")
    return Scenario(
        accounts=(
            Account(exchange="kucoin", keys=(key("ONE", ("General",)),)),
            Account(exchange="kucoin", name="desk", parent="main", keys=(bot, *more)),
        )
    )


ROGUE = Key(name="rogue", label="rogue", permissions=("General", "Spot"))


def audited(folder, played, *entries, options, without=()):
    """An audit, and the same by a scan and a check; their results by rule, and the keys that were asked."""
    path = manifest(folder, *entries)
    with Sandbox(played) as box:
        env = {name: value for name, value in box.environment.items() if name not in without}
        judging = ["--format", "json", "--policy", "baseline", "--policy", "inventory"]
        at_once = bfaudit("audit", path, *options, *judging, *redirected(box), **env)
        place = folder / "snapshot.json"
        bfaudit("scan", path, *options, "-o", place, *redirected(box), **env)
        asked = {request.key for request in box.requests} - {None}
        apart = bfaudit("check", place, *judging)
        text = place.read_text("utf-8")

    assert not [value for name, value in env.items() if name.endswith("_KEY") and value in text]
    assert at_once.code == apart.code, at_once.err + apart.err
    outcomes = [
        {row["rule"]: (row["outcome"], row["message"]) for row in ran.json["results"]}
        for ran in (at_once, apart)
    ]
    assert outcomes[0] == outcomes[1]
    return at_once.code, outcomes[0], asked


@pytest.mark.parametrize(
    ("played", "without", "expected"),
    [
        (APART, (), (0, "pass")),
        (SHARED, (), (1, "fail")),
        (APART, ("TWO_KEY",), (4, "unknown")),
        (APART, ("TWO_SECRET",), (0, "pass")),
    ],
)
def test_a_key_that_serves_another_connection(tmp_path, played, without, expected):
    """It is found though the other one is not asked; without its key nobody can tell, which is no pass."""
    options = ["--only", "KuCoin Spot One"]
    code, results, asked = audited(tmp_path, played, ONE, TWO, options=options, without=without)
    outcome, message = results["unique-key-per-strategy"]

    assert expected == (code, outcome), message
    assert {"one"} == asked
    assert ("KuCoin Spot Two" in message) is (outcome == "fail")


@pytest.mark.parametrize(
    ("played", "without", "expected", "named"),
    [
        (listed(), (), "pass", ""),
        (listed(ROGUE), (), "fail", "rogue"),
        (listed(), ("TWO_KEY",), "unknown", "whose key is not known here"),
    ],
)
def test_a_listed_key_of_another_connection_is_declared(tmp_path, played, without, expected, named):
    """It is no undeclared key because its connection was left out, and an undeclared one is still found."""
    options = ["--only", "KuCoin Master"]
    _, results, asked = audited(tmp_path, played, MASTER, TWO, options=options, without=without)
    outcome, message = results["no-undeclared-keys"]

    assert expected == outcome, message
    assert named in message
    assert "bot" not in message
    assert {"one"} == asked


def test_an_exception_of_the_rest_is_not_judged(tmp_path):
    """An exception that a connection needs which was left out is no finding on the selected one."""
    file = tmp_path / "exceptions.yaml"
    file.write_text(EXCEPTION, "utf-8")
    withdraws = key("TWO", ("General", "Spot", "Futures"))
    options = ["--exceptions", file, "--format", "json"]
    path = manifest(tmp_path, ONE, TWO)
    with Sandbox(scenario(key("ONE"), withdraws)) as box:
        ran = bfaudit("audit", path, "--only", "* One", *options, *redirected(box), **box.environment)  # fmt: skip
        alone = bfaudit("audit", manifest(tmp_path, ONE), *options, *redirected(box), **box.environment)  # fmt: skip

    assert [] == [
        row["rule"] for row in ran.json["results"] if row["rule"].startswith("exception-")
    ]
    assert ["exception-ineffective"] == [
        row["rule"] for row in alone.json["results"] if row["rule"].startswith("exception-")
    ]


EXCEPTION = """\
apiVersion: bfaudit/v1
kind: Exceptions
limits: {days: {high: 3650}}
exceptions:
  - id: EXC-1
    rules: [permissions-as-required, futures-only-if-needed]
    select: {exchange: kucoin}
    type: risk-accepted
    reason: the exchange ties futures to spot
    ticket: SEC-1
    requested_by: alice
    approved_by: [bob]
    created: 2026-01-01
    expires: 2035-12-01
"""


def test_a_report_of_a_part_drops_nothing_from_a_baseline(tmp_path):
    """`baseline prune` keeps what is known of connections that the audit was not about."""
    path = manifest(tmp_path, ONE, TWO)
    wide = key("TWO", ("General", "Spot", "Futures"))
    with Sandbox(scenario(key("ONE"), wide)) as box:
        known, part = tmp_path / "known.json", tmp_path / "part.json"
        snapshot = tmp_path / "snapshot.json"
        bfaudit("scan", path, "-o", snapshot, *redirected(box), **box.environment)
        bfaudit("baseline", "create", snapshot, "-o", known)
        line = ["audit", path, "--only", "* One", "--format", "json", "--output", part]
        bfaudit(*line, *redirected(box), **box.environment)
    before = known.read_text("utf-8")
    ran = bfaudit("baseline", "prune", known, part)

    assert 0 == ran.code, ran.err
    assert "0 gone" in ran.err
    assert before == known.read_text("utf-8")
    assert "KuCoin Spot Two" in before
