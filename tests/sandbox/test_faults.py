"""What goes wrong on purpose."""

import pytest

from bfaudit.sandbox import FAULT_KINDS, Fault, Sandbox

READS = {
    "mexc": ("spotPrivateGetAccount", ("SPOT_ACCOUNT_READ",)),
    "kucoin": ("privateGetUserApiKey", ("General",)),
    "binance": ("sapiGetAccountApiRestrictions", ("enableReading",)),
}
SEEN = {
    "rate-limit": (429, dict),
    "ban": (418, dict),
    "maintenance": (503, dict),
    "html-403": (403, str),
    "html-200": (200, str),
    "region-451": (451, dict),
    "slow": (200, dict),
    "reset": (None, type(None)),
    "truncated": (200, str),
    "empty": (200, str),
    "wrong-type": (200, dict),
    "server-error": (500, dict),
    "null-fields": (200, dict),
    "huge": (200, dict),
    "hostile-label": (200, dict),
}


@pytest.mark.parametrize("exchange", READS)
@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_each_kind(ask, one_key, exchange, kind):
    """Each fault shows as the HTTP status and form it stands for, on each exchange."""
    call, permissions = READS[exchange]
    fault = Fault(kind=kind, exchange=exchange, seconds=0.05)
    scenario = one_key(exchange, permissions=permissions, other={"faults": (fault,)})
    with Sandbox(scenario) as box:
        seen = ask(box, exchange, call)

        assert SEEN[kind] == (seen.http, type(seen.body))


def _faulty(one_key, **fault):
    return one_key("kucoin", permissions=("General",), other={"faults": (Fault(**fault),)})


def test_retry_after_is_told(ask, one_key):
    """Whole seconds, rounded up."""
    with Sandbox(_faulty(one_key, kind="rate-limit", seconds=1.5)) as box:
        assert ask(box, "kucoin", "privateGetUserApiKey").headers["Retry-After"] == "2"


def test_a_fault_may_strike_a_few_times_only(ask, one_key):
    """With `times`, later requests are answered."""
    with Sandbox(_faulty(one_key, kind="server-error", times=2)) as box:
        seen = [ask(box, "kucoin", "privateGetUserApiKey").http for _ in range(3)]

        assert seen == [500, 500, 200]


@pytest.mark.parametrize(
    "unmatched",
    [{"exchange": "mexc"}, {"path": "/api/v1/accounts"}, {"key": "another"}],
)
def test_a_fault_strikes_what_it_matches(ask, one_key, unmatched):
    """Exchange, path and key must all match."""
    with Sandbox(_faulty(one_key, kind="server-error", **unmatched)) as box:
        assert ask(box, "kucoin", "privateGetUserApiKey").http == 200
    matching = {"exchange": "kucoin", "path": "/api/v1/user/*", "key": "k"}
    with Sandbox(_faulty(one_key, kind="server-error", **matching)) as box:
        assert ask(box, "kucoin", "privateGetUserApiKey").http == 500


def test_a_reset_is_recorded_as_no_answer(ask, one_key):
    """The record of a closed connection has status 0."""
    with Sandbox(_faulty(one_key, kind="reset")) as box:
        ask(box, "kucoin", "privateGetUserApiKey")

        assert {0} == {record.status for record in box.requests}


def test_wrong_types_keep_the_envelope(ask, one_key):
    """A success by its code, with every value of another type; or a body as given."""
    with Sandbox(_faulty(one_key, kind="wrong-type")) as box:
        body = ask(box, "kucoin", "privateGetUserApiKey").body

        assert (
            body["code"],
            body["data"]["isMaster"],
            body["data"]["remark"],
        ) == ("200000", "true", {"value": "label"})
    with Sandbox(_faulty(one_key, kind="wrong-type", body=[1])) as box:
        assert ask(box, "kucoin", "privateGetUserApiKey").body == [1]


def test_hostile_labels(ask, one_key):
    """Labels become texts that try to break out of a report; nothing else changes."""
    with Sandbox(_faulty(one_key, kind="hostile-label")) as box:
        data = ask(box, "kucoin", "privateGetUserApiKey").body["data"]

        assert "<script>" in data["remark"]
        assert data["permission"] == "General"


def test_null_fields(ask, one_key):
    """Every value is null, the code stays."""
    with Sandbox(_faulty(one_key, kind="null-fields")) as box:
        body = ask(box, "kucoin", "privateGetUserApiKey").body

        assert body["code"] == "200000"
        assert {None} == set(body["data"].values())
