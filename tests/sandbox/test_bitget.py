"""Bitget as the sandbox plays it."""

import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

CLASSIC = ("stor", "coor", "chor")
UNIFIED = {"flags": {"unified": True}}


@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("publicCommonGetV2PublicTime", {}),
        ("privateSpotGetV2SpotAccountInfo", {}),
        ("privateSpotGetV2SpotAccountAssets", {"coin": "a b"}),
        ("privateSpotGetV2SpotTradeUnfilledOrders", {"symbol": "BTCUSDT", "limit": 10}),
        ("privateMixGetV2MixAccountAccounts", {"productType": "USDT-FUTURES"}),
        ("privateMixGetV2MixOrderOrdersPending", {"productType": "USDT-FUTURES", "limit": 10}),
        ("privateUserGetV2UserVirtualSubaccountList", {}),
    ],
)
def test_classic_reads_answer(ask, one_key, call, params):
    """Every read that ccxt signs is understood and answered, encoded queries too."""
    with Sandbox(one_key("bitget", permissions=CLASSIC)) as box:
        seen = ask(box, "bitget", call, params)

        assert (200, None, "00000") == (seen.http, seen.error, seen.code)


def test_variants_of_the_address_list(ask, one_key):
    """Live clients have seen a list, and null."""
    for modes, ips, expected in (
        (("ips-list",), ("203.0.113.10",), ["203.0.113.10"]),
        (("ips-null",), (), None),
        ((), (), ""),
    ):
        with Sandbox(one_key("bitget", permissions=CLASSIC, ips=ips, modes=modes)) as box:
            body = ask(box, "bitget", "privateSpotGetV2SpotAccountInfo").body

            assert expected == body["data"]["ips"]


def test_missing_permission_is_named(ask, one_key):
    """The text says which permission is needed."""
    with Sandbox(one_key("bitget", permissions=("cpor",))) as box:
        seen = ask(box, "bitget", "privateSpotGetV2SpotAccountAssets")

        assert (400, "40014") == (seen.http, seen.code)
        assert "need spot order read" in seen.body["msg"]


def test_headers_and_paths_are_checked(ask, one_key):
    """An empty passphrase and an unknown path have codes of their own."""
    with Sandbox(one_key("bitget", permissions=CLASSIC)) as box:
        empty = ask(
            box,
            "bitget",
            "privateSpotGetV2SpotAccountInfo",
            change=lambda client: (
                setattr(client, "check_required_credentials", lambda: None)
                or setattr(client, "password", "")
            ),
        )
        nowhere = ask(box, "bitget", "privateSpotGetV2SpotAccountBills")

        assert ("40011", "40404") == (empty.code, nowhere.code)


@pytest.mark.parametrize(
    ("unified", "tokens", "calls", "name"),
    [
        (
            False,
            CLASSIC,
            (
                "privateUserGetV2UserVirtualSubaccountList",
                "privateUserGetV2UserVirtualSubaccountApikeyList",
            ),
            "subAccountUid",
        ),
        (
            True,
            ("uta_mgt",),
            ("privateUtaGetV3UserSubList", "privateUtaGetV3UserSubApiList"),
            "subUid",
        ),
    ],
)
def test_sub_account_inventory(ask, unified, tokens, calls, name):
    """A main account lists its sub-accounts and their keys, in either mode."""
    flags = {"unified": unified}
    sub = Account(
        exchange="bitget", name="sub1", uid="77", parent="main", keys=(Key(name="s"),), flags=flags
    )
    key = Key(name="k", permissions=tokens, env="K", modes=("items",))
    master = Account(exchange="bitget", keys=(key,), flags=flags)
    with Sandbox(Scenario(accounts=(master, sub))) as box:
        listed = ask(box, "bitget", calls[0]).body["data"]
        keys = ask(box, "bitget", calls[1], {name: "77"}).body["data"]
        none = ask(box, "bitget", calls[1], {name: "1"})

        assert "77" in str(listed)
        assert 1 == len(keys["items"] if unified else keys)
        assert "40068" == none.code
