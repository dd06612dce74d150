"""HTX as the sandbox plays it."""

import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

TRADES = ("readOnly", "trade")
KEYS = "spotPrivateGetV2UserApiKey"


def _fleet():
    subs = tuple(
        Account(exchange="htx", name=f"sub{n}", uid=100 + n, parent="main", frozen=n == 1,
                keys=(Key(name=f"s{n}", permissions=TRADES),))
        for n in range(102)
    )  # fmt: skip
    master = Account(
        exchange="htx",
        uid=7,
        keys=(Key(name="k", permissions=TRADES, env="K"), Key(name="old", state="expired")),
    )
    asking = Account(exchange="htx", name="x", parent="main", keys=(Key(name="x", permissions=TRADES, env="X"),))  # fmt: skip
    return Scenario(accounts=(master, *subs, asking))


@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("spotPublicGetV1CommonTimestamp", {}),
        ("spotPublicGetV2MarketStatus", {}),
        ("contractPublicGetApiV1Timestamp", {}),
        ("spotPrivateGetV2UserUid", {}),
        ("v2PrivateGetUserUid", {}),
        ("spotPrivateGetV2AccountWithdrawAddress", {"currency": "usdt"}),
        ("spotPrivateGetV2AccountAssetValuation", {"accountType": "spot"}),
        ("spotPrivateGetV1AccountAccounts", {}),
        ("spotPrivateGetV1OrderOpenOrders", {}),
        ("contractPrivateGetV5AccountBalance", {}),
        ("contractPrivateGetV5TradeOrderOpens", {}),
    ],
)
def test_reads_answer(ask, one_key, call, params):
    """Every read that ccxt signs is understood and answered, each for the host that it is signed for."""
    with Sandbox(one_key("htx", permissions=TRADES)) as box:
        seen = ask(box, "htx", call, params)

        assert (200, None) == (seen.http, seen.error)
        assert "ok" == seen.body.get("status", "ok")


def test_the_record_has_the_documented_fields(ask, one_key):
    """Permissions and addresses are comma-separated texts; -1 is for ever."""
    scenario = one_key(
        "htx", permissions=TRADES, ips=("1.1.1.1", "10.0.0.0/8"), account={"uid": 7}, other={"seen_as": "1.1.1.1"}
    )  # fmt: skip
    with Sandbox(scenario) as box:
        (record,) = ask(box, "htx", KEYS, {"uid": "7"}).body["data"]

        assert record.pop("createTime") == record.pop("updateTime")
        assert {
            "accessKey": box.environment["K_KEY"],
            "status": "normal",
            "note": "label",
            "permission": "readOnly,trade",
            "ipAddresses": "1.1.1.1,10.0.0.0/8",
            "validDays": -1,
        } == record


def test_no_address_may_be_told_by_no_field(ask, one_key):
    """The Chinese page calls the field optional."""
    scenario = one_key("htx", permissions=TRADES, modes=("no-ip-field",), account={"uid": 7})
    with Sandbox(scenario) as box:
        assert "ipAddresses" not in ask(box, "htx", KEYS, {"uid": "7"}).body["data"][0]


def test_inventory(ask):
    """A master sees its own keys, expired ones too, its sub-users by pages of 100, and their keys."""
    with Sandbox(_fleet()) as box:
        own = ask(box, "htx", KEYS, {"uid": "7"}).body["data"]
        first = ask(box, "htx", "spotPrivateGetV2SubUserUserList").body
        rest = ask(box, "htx", "spotPrivateGetV2SubUserUserList", {"fromId": first["nextId"]}).body
        theirs = ask(box, "htx", KEYS, {"uid": "105"}).body["data"]

        assert ["normal", "expired"] == [each["status"] for each in own]
        assert (100, "lock") == (len(first["data"]), first["data"][1]["userState"])
        assert 3 == len(rest["data"])
        assert 1 == len(theirs)


def test_sub_users_see_themselves_only(ask):
    """A sub-user may list neither its siblings nor their keys, nor withdrawal addresses."""
    with Sandbox(_fleet()) as box:
        for call, params in (
            ("spotPrivateGetV2SubUserUserList", {}),
            (KEYS, {"uid": "7"}),
            ("spotPrivateGetV2AccountWithdrawAddress", {"currency": "usdt"}),
        ):
            assert 1002 == ask(box, "htx", call, params, prefix="X").code


@pytest.mark.parametrize(
    "call", [KEYS, "spotPrivateGetV2AccountWithdrawAddress", "spotPrivateGetV2AccountAssetValuation"]
)  # fmt: skip
def test_mandatory_parameters(ask, one_key, call):
    """A parameter that is not there is 2002, with HTTP 200."""
    with Sandbox(one_key("htx", permissions=TRADES)) as box:
        seen = ask(box, "htx", call)

        assert (200, 2002) == (seen.http, seen.code)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ({"wrong_key": True}, "Incorrect Access key"),
        ({"state": "frozen"}, "Incorrect Access key"),
        ({"wrong_secret": True}, "Verification failure"),
        ({"state": "expired"}, "API key has expired"),
        ({"ips": ("198.51.100.0/24",)}, "Incorrect IP address [IP地址错误]:203.0.113.10"),
        ({"permissions": ("trade",)}, "API key has no permission"),
    ],
)
def test_spot_refusals(ask, one_key, key, text):
    """One code for all; the text tells."""
    with Sandbox(one_key("htx", **{"permissions": TRADES, **key})) as box:
        seen = ask(box, "htx", "spotPrivateGetV2UserUid")

        assert (200, "api-signature-not-valid") == (seen.http, seen.body["err-code"])
        assert text in seen.body["err-msg"]


def test_contract_refusals(ask, one_key):
    """v5 has a code and a message; a locked account is told there."""
    with Sandbox(one_key("htx", permissions=TRADES, account={"frozen": True})) as box:
        seen = ask(box, "htx", "contractPrivateGetV5AccountBalance")

        assert (401, "Account locked") == (seen.code, seen.body["message"])


def test_unsigned_and_badly_dated_requests(ask, one_key):
    """Without a signature there is no login; a date of another form is refused."""
    with Sandbox(one_key("htx", permissions=TRADES)) as box:
        bare = ask(box, "htx", ("v2/user/uid", ("spot", "public")), prefix=None)
        odd = ask(
            box,
            "htx",
            "spotPrivateGetV2UserUid",
            change=lambda client: setattr(client, "ymdhms", lambda *_: "soon"),
        )
        nowhere = ask(box, "htx", ("v2/nothing", ("spot", "public")), prefix=None)

        assert "login-required" == bare.body["err-code"]
        assert "submission time" in odd.body["err-msg"]
        assert "bad-request" == nowhere.body["err-code"]
