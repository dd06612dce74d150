"""KuCoin as the sandbox plays it."""

import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

ALL = ("General", "Spot", "Futures")
INFO = "privateGetUserApiKey"


def test_key_info_has_the_documented_fields(ask, one_key):
    """user/api-key tells label, tokens, addresses, time, account and whether it is a master."""
    scenario = one_key("kucoin", permissions=ALL, ips=("203.0.113.10",), account={"uid": 165111215})
    with Sandbox(scenario) as box:
        seen = ask(box, "kucoin", INFO)

        assert (seen.http, seen.error, seen.code) == (200, None, "200000")
        assert isinstance(seen.body["data"].pop("createdAt"), int)
        assert {
            "remark": "label",
            "apiKey": box.environment["K_KEY"],
            "apiVersion": 3,
            "permission": "General,Spot,Futures",
            "ipWhitelist": "203.0.113.10",
            "uid": 165111215,
            "isMaster": True,
        } == seen.body["data"]


def test_key_info_variants(ask):
    """Masked octets, a missing whitelist and the fields of November 2025 can be had."""
    modes = {"kucoin": ("masked-ips", "no-ip-field", "revision-2025-11")}
    keys = (
        Key(name="a", permissions=ALL, ips=("203.0.113.10", "203.0.113.11"), env="A"),
        Key(name="b", permissions=ALL, env="B", expires_in_days=30),
    )
    accounts = (
        Account(exchange="kucoin", uid=7),
        Account(exchange="kucoin", name="sub1", parent="main", keys=keys),
    )
    with Sandbox(Scenario(accounts=accounts, modes=modes)) as box:
        a = ask(box, "kucoin", INFO, prefix="A").body["data"]
        b = ask(box, "kucoin", INFO, prefix="B").body["data"]

        assert a["ipWhitelist"] == "203.**.10,203.**.11"
        assert (
            a["expiredAt"],
            a["parentUid"],
            a["isMaster"],
            a["subName"],
        ) == (None, 7, False, "sub1")
        assert "ipWhitelist" not in b
        assert isinstance(b["expiredAt"], int)


@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("publicGetTimestamp", {}),
        ("futuresPublicGetTimestamp", {}),
        ("utaGetUserMyIp", {}),
        (("user/api-key", ("utaPrivate",)), {}),
        ("privateGetUserInfo", {}),
        ("privateGetAccounts", {"type": "trade"}),
        ("privateGetOrders", {"status": "active"}),
        ("privateGetHfOrdersActive", {"symbol": "BTC-USDT"}),
        ("privateGetSubUser", {"currentPage": 1, "pageSize": 10}),
        ("futuresPrivateGetAccountOverview", {"currency": "USDT"}),
        ("futuresPrivateGetOrders", {"status": "active"}),
    ],
)
def test_reads_answer(ask, one_key, call, params):
    """Every read that ccxt signs is understood and answered, spot and futures under one base."""
    with Sandbox(one_key("kucoin", permissions=ALL)) as box:
        seen = ask(box, "kucoin", call, params)

        assert (seen.http, seen.error, seen.code) == (200, None, "200000")


@pytest.mark.parametrize(
    ("key", "http", "code"),
    [
        ({"wrong_secret": True}, 401, "400005"),
        ({"wrong_secret": True, "modes": ("passphrase-first",)}, 401, "400004"),
        ({"wrong_passphrase": True}, 401, "400004"),
        ({"wrong_key": True}, 401, "400003"),
        ({"state": "deleted"}, 401, "400003"),
        ({"state": "expired"}, 401, "400003"),
        ({"state": "frozen"}, 401, "400003"),
        ({"ips": ("198.51.100.20",)}, 403, "400006"),
        ({"permissions": ("Spot",)}, 403, "400007"),
    ],
)
def test_refusals(ask, one_key, key, http, code):
    """Each wrong key is refused by its documented code and HTTP status."""
    with Sandbox(one_key("kucoin", **{"permissions": ALL, **key})) as box:
        seen = ask(box, "kucoin", INFO)

        assert (http, code, "AuthenticationError") == (seen.http, seen.code, seen.error)


def test_records_tell_a_verified_signature(ask, one_key):
    """A wrong passphrase comes with a right signature, a wrong secret does not."""
    with Sandbox(one_key("kucoin", permissions=ALL, wrong_passphrase=True)) as box:
        ask(box, "kucoin", INFO)

        assert [record.verified for record in box.requests] == [True]
    with Sandbox(one_key("kucoin", permissions=ALL, wrong_secret=True)) as box:
        ask(box, "kucoin", INFO)

        assert [record.verified for record in box.requests] == [False]


def test_futures_want_their_own_permission(ask, one_key):
    """A key without Futures reads the key info and not the futures account."""
    with Sandbox(one_key("kucoin", permissions=("General",))) as box:
        info = ask(box, "kucoin", INFO)
        futures = ask(box, "kucoin", "futuresPrivateGetAccountOverview")

        assert (info.code, futures.code) == ("200000", "400007")


def test_clock_skew(ask, one_key):
    """More than five seconds either way is refused."""
    for offset in (6000, -6000):
        other = {"clock_offset_ms": {"kucoin": offset}}
        with Sandbox(one_key("kucoin", permissions=ALL, other=other)) as box:
            seen = ask(box, "kucoin", INFO)

            assert (seen.http, seen.code, seen.error) == (400, "400002", "InvalidNonce")


def test_suspended_account(ask, one_key):
    """A suspended account is told as such."""
    with Sandbox(one_key("kucoin", permissions=ALL, account={"frozen": True})) as box:
        assert (
            (seen := ask(box, "kucoin", INFO)).code,
            seen.error,
        ) == ("411100", "AccountSuspended")


def test_sub_account_inventory(ask):
    """A master lists its sub-accounts by pages, and their keys."""
    subs = tuple(
        Account(exchange="kucoin", name=f"sub{n}", parent="main", keys=(Key(name=f"s{n}"),))
        for n in range(3)
    )
    master = Account(exchange="kucoin", keys=(Key(name="k", permissions=ALL, env="K"),))
    with Sandbox(Scenario(accounts=(master, *subs))) as box:
        listed = ask(box, "kucoin", "privateGetSubUser", {"currentPage": 2, "pageSize": 2}).body
        keys = ask(box, "kucoin", "privateGetSubApiKey", {"subName": "sub1"}).body
        none = ask(box, "kucoin", "privateGetSubApiKey", {"subName": "nobody"})

        assert (
            listed["data"]["totalNum"],
            listed["data"]["totalPage"],
            [each["subName"] for each in listed["data"]["items"]],
        ) == (3, 2, ["sub2"])
        assert (keys["data"][0]["isMaster"], keys["data"][0]["subName"]) == (False, "sub1")
        assert none.code == "400100"


def test_plain_passphrase_of_version_one(ask, one_key):
    """A request of key version 1 carries the passphrase as it is."""

    def downgrade(client):
        sign = client.sign

        def signed(*args):
            request = sign(*args)
            request["headers"]["KC-API-KEY-VERSION"] = "1"
            request["headers"]["KC-API-PASSPHRASE"] = client.password
            return request

        client.sign = signed

    with Sandbox(one_key("kucoin", permissions=ALL)) as box:
        assert ask(box, "kucoin", INFO, change=downgrade).code == "200000"
