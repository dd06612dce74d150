"""Bybit as the sandbox plays it."""

import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

ALL = ("Spot.SpotTrade", "ContractTrade.Order", "Wallet.AccountTransfer", "Wallet.Withdraw")


@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("publicGetV5MarketTime", {}),
        ("privateGetV5UserQueryApi", {}),
        ("privateGetV5UserQuerySubMembers", {}),
        ("privateGetV5AssetWithdrawQueryAddress", {"coin": "USDT"}),
        ("privateGetV5AccountWalletBalance", {"accountType": "UNIFIED"}),
        ("privateGetV5OrderRealtime", {"category": "spot"}),
        ("privateGetV5OrderRealtime", {"settleCoin": "USDT", "category": "linear"}),
    ],
)
def test_reads_answer(ask, one_key, call, params):
    """Every read that ccxt signs is understood and answered, whatever the order of its query."""
    with Sandbox(one_key("bybit", permissions=ALL)) as box:
        seen = ask(box, "bybit", call, params)

        assert (200, None, 0) == (seen.http, seen.error, seen.body["retCode"])


@pytest.mark.parametrize(
    ("call", "params", "code"),
    [
        ("privateGetV5AssetWithdrawQueryAddress", {}, 10005),
        ("privateGetV5UserQuerySubMembers", {}, 10005),
        ("privateGetV5OrderRealtime", {"category": "linear"}, 10005),
        ("privateGetV5AccountInfo", {}, 10017),
    ],
)
def test_permissions_are_asked_for(ask, one_key, call, params, code):
    """A key for spot gets no further."""
    with Sandbox(one_key("bybit", permissions=ALL[:1])) as box:
        assert code == ask(box, "bybit", call, params).body["retCode"]


def test_european_wording(ask, one_key):
    """Bybit EU tells a missing permission in words that name three causes."""
    with Sandbox(one_key("bybit", permissions=ALL[:1], modes=("eu-wording",))) as box:
        seen = ask(box, "bybit", "privateGetV5UserQuerySubMembers")

        assert "Invalid API-key, IP, or permissions" in seen.body["retMsg"]


def test_without_headers_there_is_no_body(ask, one_key):
    """A request that is not signed is answered by HTTP 401 and nothing."""

    def strip(client):
        client.sign = lambda path, *_args: {
            "url": f"{client.urls['api']['private']}/{path}",
            "method": "GET",
            "body": None,
            "headers": {},
        }

    with Sandbox(one_key("bybit", permissions=ALL)) as box:
        seen = ask(box, "bybit", "privateGetV5UserQueryApi", change=strip)

        assert (401, "") == (seen.http, seen.body)


def test_sub_account_inventory(ask):
    """A master lists its sub-accounts and, page by page, their keys."""
    keys = tuple(Key(name=f"s{n}", ips=("203.0.113.10",) if n else ()) for n in range(3))
    sub = Account(exchange="bybit", name="sub1", uid="77", parent="main", keys=keys)
    master = Account(exchange="bybit", keys=(Key(name="k", permissions=ALL, env="K"),))
    with Sandbox(Scenario(accounts=(master, sub))) as box:
        listed = ask(box, "bybit", "privateGetV5UserQuerySubMembers").body["result"]["subMembers"]
        call = "privateGetV5UserSubApikeys"
        first = ask(box, "bybit", call, {"subMemberId": "77", "limit": 2}).body["result"]
        cursor = {"subMemberId": "77", "limit": 2, "cursor": first["nextPageCursor"]}
        second = ask(box, "bybit", call, cursor).body["result"]
        none = ask(box, "bybit", call, {"subMemberId": "1"})

        assert ["77"] == [each["uid"] for each in listed]
        assert [3, 1] == [each["status"] for each in first["result"]]
        assert (1, "") == (len(second["result"]), second["nextPageCursor"])
        assert first["result"][0]["readOnly"] is False
        assert 10001 == none.body["retCode"]
