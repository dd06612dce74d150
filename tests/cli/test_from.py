"""`--from` wherever keys are judged: with exceptions, with a baseline, in rounds; what is not told stays unknown."""

import json
import sys

import pytest

from bfaudit.sandbox import Fault, Sandbox
from tests.cli.harness import bfaudit, entry, key, manifest, redirected, scenario

ONE = entry("KuCoin Spot One", "kucoin", "ONE")
TWO = entry("KuCoin Spot Two", "kucoin", "TWO")
ELSEWHERE = ["--from", "198.51.100.7"]
HERE = ["--from", "203.0.113.10"]
EXCEPTIONS = """\
apiVersion: bfaudit/v1
kind: Exceptions
limits: {days: {high: 3650}}
exceptions:
  - id: EXC-7
    rules: [egress-allowed]
    select: {connection: KuCoin Spot One}
    type: risk-accepted
    reason: the new host gets its entry on deployment day
    ticket: SEC-7
    requested_by: alice
    approved_by: [bob]
    created: 2026-01-01
    expires: 2035-12-01
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A clean connection, scanned once, and an exception for it."""
    folder = tmp_path_factory.mktemp("from")
    (folder / "exceptions.yaml").write_text(EXCEPTIONS, "utf-8")
    path = manifest(folder, ONE)
    with Sandbox(scenario(key("ONE"))) as box:
        ran = bfaudit("scan", path, "-o", folder / "snapshot.json", *redirected(box), **box.environment)  # fmt: skip

    assert 0 == ran.code, ran.err
    return folder


def check(folder, *options):
    return bfaudit("check", folder / "snapshot.json", "--format", "json", *options)


def rules(ran, outcome="fail"):
    return [row["rule"] for row in ran.json["results"] if row["outcome"] == outcome]


class TestExceptions:
    """An exception from the rule of `--from` is like any other."""

    def test_it_is_applied(self, folder):
        """The finding stays, marked, and is no reason to end with 1."""
        ran = check(folder, *ELSEWHERE, "--exceptions", folder / "exceptions.yaml")
        (found,) = (row for row in ran.json["results"] if row["outcome"] == "fail")

        assert 0 == ran.code, ran.err
        assert ("egress-allowed", "EXC-7") == (found["rule"], found["exception"])
        assert 1 == check(folder, *ELSEWHERE).code

    def test_it_is_told_where_nothing_needs_it(self, folder):
        """The host is on the list by now."""
        ran = check(folder, *HERE, "--exceptions", folder / "exceptions.yaml")

        assert ["exception-ineffective"] == rules(ran)

    def test_a_run_without_from_says_nothing_of_it(self, folder):
        """The nightly audit has the same file, and asks for no host."""
        ran = check(folder, "--exceptions", folder / "exceptions.yaml")

        assert (0, []) == (ran.code, rules(ran))

    def test_it_expires(self, folder, tmp_path):
        """As any."""
        late = tmp_path / "late.yaml"
        late.write_text(EXCEPTIONS.replace("2035-12-01", "2026-02-01"), "utf-8")
        ran = check(folder, *ELSEWHERE, "--exceptions", late)

        assert 1 == ran.code
        assert {"egress-allowed", "exception-expired"} == set(rules(ran))

    def test_it_is_valid(self, folder):
        """`validate` knows the rule though no policy has it."""
        line = [folder / "fleet.yaml", "--policy", "baseline"]
        ran = bfaudit("validate", *line, "--exceptions", folder / "exceptions.yaml")

        assert 0 == ran.code, ran.err


def test_a_baseline_takes_it(folder, tmp_path):
    """Known as any finding, and pruned only where it was asked for."""
    known, place = tmp_path / "known.json", folder / "snapshot.json"
    made = bfaudit("baseline", "create", place, "-o", known, *ELSEWHERE)
    listed = [row["rule"] for row in json.loads(known.read_text("utf-8"))["findings"]]
    unasked = bfaudit("baseline", "prune", known, place)
    checked = check(folder, *ELSEWHERE, "--baseline", known)
    gone = bfaudit("baseline", "prune", known, place, *HERE)

    assert 0 == made.code, made.err
    assert ["egress-allowed"] == listed
    assert "0 gone" in unasked.err
    assert 0 == checked.code
    assert "1 gone" in gone.err


@pytest.mark.parametrize(
    ("hosts", "faults", "expected"),
    [
        (HERE, (), 0),
        (ELSEWHERE, (), 1),
        (HERE, (Fault(kind="maintenance", path="*api-key*"),), 4),
    ],
)
def test_watch_asks_for_the_selected(tmp_path, hosts, faults, expected):
    """Only for the connections that it is about; a list that is not told is no pass."""
    (tmp_path / "hook.py").write_text("import sys; open(sys.argv[1], 'w').write(sys.stdin.read())")
    hook = f"exec:{sys.executable} {tmp_path / 'hook.py'} {tmp_path / 'told.json'}"
    path = manifest(tmp_path, ONE, TWO)
    line = ["watch", path, "--rounds", "1", "--only", "* One", "--on-finding", hook, *hosts]
    with Sandbox(scenario(key("ONE"), key("TWO"), faults=faults)) as box:
        ran = bfaudit(*line, "--fail-on", "egress-allowed", *redirected(box), **box.environment)
        asked = {request.key for request in box.requests} - {None}

    assert expected == ran.code, ran.err
    assert {"one"} == asked
    told = tmp_path / "told.json"
    found = {each["rule"] for each in json.loads(told.read_text())["new"]} if told.exists() else {}
    assert ("egress-allowed" in found) is (expected == 1)


def test_watch_refuses_what_is_no_address(tmp_path):
    """Before the first round."""
    ran = bfaudit("watch", manifest(tmp_path, ONE), "--rounds", "1", "--from", "tokyo-1")

    assert 2 == ran.code
    assert "is no address" in ran.err


def test_watch_tells_no_finding_of_a_baseline(tmp_path):
    """What is known is neither new nor a reason to end with 1."""
    path = manifest(tmp_path, ONE)
    state, known = tmp_path / "state.json", tmp_path / "known.json"
    with Sandbox(scenario(key("ONE"))) as box:
        place = tmp_path / "snapshot.json"
        bfaudit("scan", path, "-o", place, *redirected(box), **box.environment)
        bfaudit("baseline", "create", place, "-o", known, *ELSEWHERE)
        line = ["watch", path, "--rounds", "1", "--state", state, "--baseline", known, *ELSEWHERE]
        ran = bfaudit(*line, *redirected(box), **box.environment)

    assert 0 == ran.code, ran.err
    assert [] == json.loads(state.read_text())["open"]
