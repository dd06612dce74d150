"""Adapters against recorded replies: one YAML file per case, one table of refusals per exchange."""

from datetime import datetime

import pytest

from bfaudit.exchanges import known
from bfaudit.facts import spec_of
from bfaudit.model import Reason
from tests.exchanges.recorded import cases, error_rows, reply, run


@pytest.mark.parametrize(("name", "case"), cases(), ids=[name for name, _ in cases()])
def test_recorded_reply(name, case):
    """What an adapter learns from recorded replies is what the case expects, and nothing is left unsaid."""
    adapter = known()[case.get("exchange", name.split("/")[0])]
    ask, facts, answer = run(adapter, case)
    expected = case["expect"]

    if "status" in expected:
        assert (expected["status"], expected.get("reason")) == (answer.status, answer.reason), (
            answer
        )
    if "detail" in expected:
        assert expected["detail"] in answer.detail
    if "requests" in expected:
        assert expected["requests"] == ask.asked
    for word, grant in expected.get("permissions", {}).items():
        assert grant == facts.grant(word), word
    for path, value in expected.get("facts", {}).items():
        found = facts.known[path].value
        assert value == _plain(found), path
    for path in expected.get("unknown", []):
        assert facts.unknown[path], path
        assert path not in facts.known
    assert all(spec_of(path) for path in (*facts.known, *facts.unknown))


def _plain(value):
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


ROWS = error_rows()


@pytest.mark.parametrize(
    ("exchange", "row"),
    ROWS,
    ids=[f"{name}-{number}-{row['reason']}" for number, (name, row) in enumerate(ROWS)],
)
def test_refusal(exchange, row):
    """Every row of an error table has its reason, by the exchange's own code and message."""
    adapter = known()[row.get("exchange", exchange)]
    labels = {read.label: read for read in adapter.reads}
    read = labels[row.get("label", adapter.reads[0].label)]
    verdict = reply(adapter, read, row).verdict

    assert verdict is not None
    assert Reason(row["reason"]) == verdict.reason, verdict
    assert verdict.say
    assert row.get("seen_ip") == verdict.seen_ip


# Adapters that are rows of one table share their code, and so their recordings.
FOLDERS = {
    "generic" if adapter.support == "status-only" else adapter.id for adapter in known().values()
}


@pytest.mark.parametrize("exchange", sorted(FOLDERS))
def test_every_adapter_has_the_cases_that_matter(exchange):
    """Trade-only, everything, restricted, and the refusals: an adapter without recordings is not finished."""
    names = {name.split("/")[1] for name, _ in cases() if name.startswith(f"{exchange}/")}

    assert names >= {"trade-only", "everything", "restricted"}
    assert len([row for name, row in ROWS if name == exchange]) >= 8
