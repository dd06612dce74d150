"""Binance as the sandbox plays it."""

import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

ALL = ("enableReading", "enableSpotAndMarginTrading", "enableFutures")
INFO = "sapiGetAccountApiRestrictions"
FUTURES = "fapiPrivateV2GetAccount"


def test_key_info_has_the_documented_fields(ask, one_key):
    """apiRestrictions has one boolean per right, and whether addresses are restricted."""
    with Sandbox(one_key("binance", permissions=ALL, ips=("203.0.113.10",))) as box:
        seen = ask(box, "binance", INFO)

        assert (seen.http, seen.error) == (200, None)
        assert isinstance(seen.body.pop("createTime"), int)
        assert seen.body == {
            "ipRestrict": True,
            "enableReading": True,
            "enableWithdrawals": False,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": True,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
            "enableSpotAndMarginTrading": True,
            "enablePortfolioMarginTrading": False,
        }


def test_trading_right_expires(ask, one_key):
    """A key does not expire, its right to trade does; an older field told when."""
    scenario = one_key("binance", permissions=ALL, state="expired", modes=("trading-expiry",))
    with Sandbox(scenario) as box:
        body = ask(box, "binance", INFO).body

        assert (body["enableReading"], body["enableSpotAndMarginTrading"]) == (True, False)
        assert isinstance(body["tradingAuthorityExpirationTime"], int)


@pytest.mark.parametrize(
    "call",
    [
        "publicGetTime",
        "publicGetPing",
        "fapiPublicGetTime",
        "sapiGetAccountInfo",
        "sapiGetAccountStatus",
        "sapiGetAccountApiTradingStatus",
        "privateGetAccount",
        "privateGetOpenOrders",
        "fapiPrivateV2GetAccount",
        "fapiPrivateGetOpenOrders",
        "sapiGetSubAccountList",
    ],
)
def test_reads_answer(ask, one_key, call):
    """Every read that ccxt signs is understood and answered."""
    with Sandbox(one_key("binance", permissions=ALL)) as box:
        seen = ask(box, "binance", call)

        assert (seen.http, seen.error) == (200, None)


@pytest.mark.parametrize(
    ("key", "http", "code"),
    [
        ({"wrong_secret": True}, 400, -1022),
        ({"wrong_key": True}, 401, -2008),
        ({"state": "deleted"}, 401, -2008),
        ({"state": "frozen"}, 401, -2015),
        ({"ips": ("198.51.100.20",)}, 401, -2015),
        ({"permissions": ()}, 401, -2015),
        ({"permissions": (), "modes": ("sapi-400",)}, 400, -2015),
    ],
)
def test_refusals(ask, one_key, key, http, code):
    """Each wrong key is refused by its documented code and HTTP status; -2015 has three causes."""
    with Sandbox(one_key("binance", **{"permissions": ALL, **key})) as box:
        seen = ask(box, "binance", INFO)

        assert (http, code) == (seen.http, seen.code)


def test_futures_name_the_address(ask, one_key):
    """Futures add the caller's address to -2015, and have a code for a locked key."""
    with Sandbox(one_key("binance", permissions=("enableReading",))) as box:
        seen = ask(box, "binance", FUTURES)

        assert (seen.http, seen.code) == (401, -2015)
        assert seen.body["msg"].endswith(", request ip: 203.0.113.10")
    with Sandbox(one_key("binance", permissions=ALL, state="frozen")) as box:
        assert ask(box, "binance", FUTURES).code == -2017


def test_malformed_key(ask, one_key):
    """A key of another form is told apart from an unknown one."""
    with Sandbox(one_key("binance", permissions=ALL)) as box:
        seen = ask(
            box,
            "binance",
            INFO,
            change=lambda client: setattr(client, "apiKey", "nonsense"),
        )

        assert (seen.http, seen.code) == (401, -2014)


@pytest.mark.parametrize("offset", [20_000, -20_000])
def test_clock_skew(ask, one_key, offset):
    """A clock that is too far off is refused."""
    other = {"clock_offset_ms": {"binance": offset}}
    with Sandbox(one_key("binance", permissions=ALL, other=other)) as box:
        seen = ask(box, "binance", INFO)

        assert (seen.http, seen.code, seen.error) == (400, -1021, "InvalidNonce")


def test_corrected_clock_is_accepted(ask, one_key):
    """A caller that asks for the exchange's time first is accepted."""
    other = {"clock_offset_ms": {"binance": 20_000}}
    with Sandbox(one_key("binance", permissions=ALL, other=other)) as box:
        time = ask(box, "binance", "publicGetTime").body["serverTime"]
        seen = ask(
            box,
            "binance",
            INFO,
            change=lambda client: client.options.update(
                timeDifference=client.milliseconds() - time
            ),
        )

        assert seen.http == 200


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_asymmetric_keys(ask, one_key, kind):
    """Ed25519 and RSA signatures are verified, and told from those of another key."""
    with Sandbox(one_key("binance", permissions=ALL, type=kind)) as box:
        assert "PRIVATE KEY" in box.environment["K_SECRET"]
        assert ask(box, "binance", INFO).http == 200
        assert box.requests[0].verified
    with Sandbox(one_key("binance", permissions=ALL, type=kind, wrong_secret=True)) as box:
        assert ask(box, "binance", INFO).code == -1022


def test_parameters_of_the_signature_are_mandatory(ask, one_key):
    """An unsigned request is told what it lacks."""

    def unsigned(client):
        sign = client.sign

        def strip(*args):
            request = sign(*args)
            request["url"] = request["url"].partition("&signature=")[0]
            return request

        client.sign = strip

    with Sandbox(one_key("binance", permissions=ALL)) as box:
        seen = ask(box, "binance", INFO, change=unsigned)

        assert (seen.http, seen.code) == (400, -1102)
        assert "'signature'" in seen.body["msg"]


def test_suspended_account_is_readable(ask, one_key):
    """A suspended account tells so by its status, not by refusing reads."""
    with Sandbox(one_key("binance", permissions=ALL, account={"frozen": True})) as box:
        assert ask(box, "binance", "sapiGetAccountApiTradingStatus").body["data"]["isLocked"]
        assert ask(box, "binance", "sapiGetAccountStatus").body == {"data": "Locked"}


def test_sub_account_inventory(ask):
    """A master lists its sub-accounts, their keys, and the addresses of these."""
    sub = Account(
        exchange="binance",
        name="a+b",
        parent="main",
        keys=(Key(name="s", label="bot", permissions=ALL, ips=("192.0.2.1",), env="S"),),
    )
    master = Account(exchange="binance", keys=(Key(name="k", permissions=ALL, env="K"),))
    api_key = ("sub-account/subAccountApi", ("sapi",))
    email = "a%2Bb@example.com"  # ccxt does not encode these parameters
    with Sandbox(Scenario(accounts=(master, sub))) as box:
        listed = ask(box, "binance", "sapiGetSubAccountList").body["subAccounts"]
        keys = ask(box, "binance", api_key, {"email": email}).body
        named = {"email": email, "subAccountApiKey": box.environment["S_KEY"]}
        fence = ask(box, "binance", "sapiGetSubAccountSubAccountApiIpRestriction", named).body
        there = {"X-Sandbox-From": "192.0.2.1"}
        refused = ask(box, "binance", "sapiGetSubAccountList", prefix="S", headers=there)

        assert [each["email"] for each in listed] == ["a+b@example.com"]
        assert (
            keys["total"],
            keys["rows"][0]["apiName"],
            keys["rows"][0]["canTrade"],
        ) == (1, "bot", True)
        assert (fence["ipRestrict"], fence["ipList"]) == ("true", ["192.0.2.1"])
        assert (refused.http, refused.code) == (401, -1002)
