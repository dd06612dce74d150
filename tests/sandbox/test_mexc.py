"""MEXC as the sandbox plays it."""

import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

SPOT = ("SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_WITHDRAW_READ", "SPOT_TRANSFER_READ")
CONTRACT = ("CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ")
INFO = "spotPrivateGetApiKeyInfo"


def _own(box, **more):
    return {"accessKey": box.environment["K_KEY"], **more}


def test_key_info_has_the_documented_fields(ask, one_key):
    """apiKeyInfo tells label, tokens, validity in days, addresses and status."""
    scenario = one_key("mexc", permissions=SPOT, ips=("203.0.113.10", "10.0.0.0/8"))
    with Sandbox(scenario) as box:
        seen = ask(box, "mexc", INFO, _own(box))

        assert (seen.http, seen.error) == (200, None)
        created = seen.body.pop("createTime")
        assert created.endswith("+00:00")
        assert {
            "note": "label",
            "accessKey": box.environment["K_KEY"],
            "permissions": ",".join(SPOT),
            "remainingValidity": -999,
            "ipWhiteList": "203.0.113.10,10.0.0.0/8",
            "status": "VALID",
        } == seen.body
        assert box.requests[0] == ("mexc", "GET", "/api/v3/apiKeyInfo", "k", 200, True)


def test_key_info_variants(ask, one_key):
    """The published example differs from what the venue sends: both can be had."""
    modes = {"modes": {"mexc": ("create-time-epoch", "apikey-field")}}
    scenario = one_key("mexc", permissions=SPOT, expires_in_days=61, other=modes)
    with Sandbox(scenario) as box:
        seen = ask(box, "mexc", INFO, _own(box))

        assert isinstance(seen.body["createTime"], int)
        assert box.environment["K_KEY"] == seen.body["apikey"]
        assert seen.body["remainingValidity"] == 61


@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("spotPublicGetTime", {}),
        ("spotPublicGetPing", {}),
        ("spotPrivateGetUid", {}),
        ("spotPrivateGetAccount", {}),
        ("spotPrivateGetKycStatus", {}),
        ("spotPrivateGetSelfSymbols", {}),
        ("spotPrivateGetOpenOrders", {"symbol": "BTCUSDT"}),
        ("spotPrivateGetCapitalWithdrawHistory", {}),
        (
            "spotPrivateGetCapitalTransfer",
            {"fromAccountType": "SPOT", "toAccountType": "FUTURES"},
        ),
        ("spotPrivateGetSubAccountList", {"limit": 200}),
        ("contractPublicGetPing", {}),
        ("contractPrivateGetAccountAssets", {}),
        ("contractPrivateGetOrderListOpenOrders", {"page_size": 20, "page_num": 1}),
    ],
)
def test_reads_answer(ask, one_key, call, params):
    """Every read that ccxt signs is understood and answered."""
    with Sandbox(one_key("mexc", permissions=SPOT + CONTRACT)) as box:
        seen = ask(box, "mexc", call, params)

        assert (seen.http, seen.error) == (200, None)


def test_account_flags_are_bait(ask, one_key):
    """The account may withdraw; that says nothing about the key."""
    with Sandbox(one_key("mexc", permissions=SPOT, account={"flags": {"canTrade": False}})) as box:
        body = ask(box, "mexc", "spotPrivateGetAccount").body

        assert (body["canWithdraw"], body["canTrade"]) == (True, False)


@pytest.mark.parametrize(
    ("key", "http", "code"),
    [
        ({"wrong_secret": True}, 400, 700002),
        ({"wrong_key": True}, 400, 10072),
        ({"state": "deleted"}, 400, 10072),
        ({"state": "frozen"}, 400, 10072),
        ({"state": "expired"}, 400, 700002),
        ({"expires_in_days": -0.5}, 400, 700002),
        ({"ips": ("198.51.100.0/24",)}, 400, 700006),
        ({"permissions": CONTRACT}, 400, 700007),
    ],
)
def test_spot_refusals(ask, one_key, key, http, code):
    """Each wrong key is refused by its documented code."""
    with Sandbox(one_key("mexc", **{"permissions": SPOT, **key})) as box:
        seen = ask(box, "mexc", "spotPrivateGetAccount")

        assert (http, code) == (seen.http, seen.code)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ({"wrong_secret": True}, 602),
        ({"state": "expired"}, 402),
        ({"ips": ("198.51.100.0/24",)}, 406),
        ({"permissions": SPOT}, 701),
    ],
)
def test_contract_refusals(ask, one_key, key, code):
    """The contract side has codes of its own, with HTTP 200."""
    with Sandbox(one_key("mexc", **{"permissions": CONTRACT, **key})) as box:
        seen = ask(box, "mexc", "contractPrivateGetAccountAssets")

        assert (200, False, code) == (seen.http, seen.body["success"], seen.code)


def test_contract_tells_order_reads_apart(ask, one_key):
    """703 is for trades, 701 for the account; an unknown key is 401."""
    with Sandbox(one_key("mexc", permissions=("CONTRACT_ACCOUNT_READ",))) as box:
        orders = ask(box, "mexc", "contractPrivateGetOrderListOpenOrders")
        assets = ask(box, "mexc", "contractPrivateGetAccountAssets")

        assert (orders.code, assets.code) == (703, 0)
    with Sandbox(one_key("mexc", wrong_key=True)) as box:
        seen = ask(box, "mexc", "contractPrivateGetAccountAssets")

        assert (seen.http, seen.code) == (401, 401)


def test_blocked_address_is_named(ask, one_key):
    """The refusal tells the address that the exchange saw, which the request may set."""
    with Sandbox(one_key("mexc", permissions=SPOT, ips=("203.0.113.10",))) as box:
        here = ask(box, "mexc", "spotPrivateGetAccount")
        there = ask(box, "mexc", "spotPrivateGetAccount", headers={"X-Sandbox-From": "192.0.2.7"})

        assert here.http == 200
        assert there.body["msg"] == "IP [192.0.2.7] not in the ip white list"


def test_frozen_key_is_described(ask, one_key):
    """Introspection still answers for a frozen key, and says so."""
    with Sandbox(one_key("mexc", permissions=SPOT, state="frozen")) as box:
        assert ask(box, "mexc", INFO, _own(box)).body["status"] == "FROZEN"


def test_key_info_wants_a_known_key(ask, one_key):
    """The parameter is mandatory and must be a key of this account."""
    with Sandbox(one_key("mexc", permissions=SPOT)) as box:
        assert ask(box, "mexc", INFO).code == 730707
        assert ask(box, "mexc", INFO, {"accessKey": "another"}).code == 730706


def test_clock_skew(ask, one_key):
    """A clock that is too far off is refused, on both sides."""
    for offset in (20_000, -20_000):
        other = {"clock_offset_ms": {"mexc": offset}}
        with Sandbox(one_key("mexc", permissions=SPOT + CONTRACT, other=other)) as box:
            spot = ask(box, "mexc", "spotPrivateGetAccount")
            contract = ask(box, "mexc", "contractPrivateGetAccountAssets")

            assert (spot.http, spot.code, contract.code) == (400, 700003, 513)


def test_receive_window_is_bounded(ask, one_key):
    """A window of more than a minute is refused."""
    with Sandbox(one_key("mexc", permissions=SPOT)) as box:
        seen = ask(
            box,
            "mexc",
            "spotPrivateGetAccount",
            change=lambda client: client.options.update(recvWindow=60_001),
        )

        assert seen.code == 700005


def test_malformed_key(ask, one_key):
    """A key of another form is told apart from an unknown one."""
    with Sandbox(one_key("mexc", permissions=SPOT)) as box:
        seen = ask(
            box,
            "mexc",
            "spotPrivateGetAccount",
            change=lambda client: setattr(client, "apiKey", "nonsense"),
        )

        assert seen.code == 700001


def test_changing_the_whitelist_is_refused(ask, one_key):
    """POST apiKeyInfo widens a whitelist at MEXC; here it is refused and recorded."""
    with Sandbox(one_key("mexc", permissions=SPOT)) as box:
        seen = ask(box, "mexc", "spotPrivatePostApiKeyInfo")

        assert seen.http == 405
        assert (
            box.requests[0].method,
            box.requests[0].path,
            box.requests[0].status,
        ) == ("POST", "/api/v3/apiKeyInfo", 405)


def test_suspended_account(ask, one_key):
    """A suspended account is told as such."""
    with Sandbox(one_key("mexc", permissions=SPOT, account={"frozen": True})) as box:
        assert ask(box, "mexc", "spotPrivateGetAccount").code == 60005


def test_sub_account_inventory(ask):
    """A master lists its sub-accounts by pages, and their keys in full."""
    subs = tuple(
        Account(exchange="mexc", name=f"sub{n}", parent="main", keys=(Key(name=f"s{n}"),))
        for n in range(3)
    )
    master = Account(exchange="mexc", keys=(Key(name="k", permissions=SPOT, env="K"),))
    with Sandbox(Scenario(accounts=(master, *subs))) as box:
        listed = ask(box, "mexc", "spotPrivateGetSubAccountList", {"page": 2, "limit": 2}).body
        keys = ask(box, "mexc", "spotPrivateGetSubAccountApiKey", {"subAccount": "sub1"}).body
        none = ask(box, "mexc", "spotPrivateGetSubAccountApiKey", {"subAccount": "nobody"})

        assert [each["subAccount"] for each in listed["subAccounts"]] == ["sub2"]
        assert list(keys["subAccount"][0]) == ["note", "apiKey", "permissions", "ip", "creatTime"]
        assert none.code == 140001
