"""BingX as the sandbox plays it."""

import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

TRADES = ("1", "2")
INFO = "accountV1PrivateGetAccountApiPermissions"
KEYS = "accountV1PrivateGetApiKeyQuery"


@pytest.mark.parametrize(
    "call",
    [
        "swapV2PublicGetServerTime",
        INFO,
        "accountV1PrivateGetAccountApiRestrictions",
        "accountV1PrivateGetUid",
        "subAccountV1PrivateGetList",
        "spotV1PrivateGetAccountBalance",
        "spotV1PrivateGetTradeOpenOrders",
        "swapV2PrivateGetUserBalance",
        "swapV2PrivateGetTradeOpenOrders",
    ],
)
def test_reads_answer(ask, one_key, call):
    """Every read that ccxt signs is understood and answered."""
    with Sandbox(one_key("bingx", permissions=TRADES)) as box:
        seen = ask(box, "bingx", call)

        assert (200, None) == (seen.http, seen.error)


def test_the_record_is_bare(ask, one_key):
    """Codes, addresses and label, in no envelope, as every live client parses it."""
    with Sandbox(one_key("bingx", permissions=TRADES, ips=("203.0.113.10",))) as box:
        assert {
            "apiKey": "",
            "permissions": [1, 2],
            "ipAddresses": ["203.0.113.10"],
            "note": "label",
        } == ask(box, "bingx", INFO).body


def test_the_other_forms_of_the_record(ask, one_key):
    """Inside data, or as booleans, or with an empty address."""
    for mode, path, value in (
        ("data-wrapped", "permissions", [1, 2]),
        ("booleans", "enableWithdrawals", False),
    ):
        with Sandbox(one_key("bingx", permissions=TRADES, modes=(mode,))) as box:
            assert value == ask(box, "bingx", INFO).body["data"][path]
    with Sandbox(one_key("bingx", permissions=TRADES, modes=("empty-address",))) as box:
        assert [""] == ask(box, "bingx", INFO).body["ipAddresses"]
    with Sandbox(one_key("bingx", permissions=TRADES, modes=("old-restrictions",))) as box:
        body = ask(box, "bingx", "accountV1PrivateGetAccountApiRestrictions").body
        assert "enableReading" in body
        assert "enableWithdrawals" not in body


def test_inventory(ask):
    """A main account lists its sub-accounts, and keys of its own and of theirs, masked."""
    subs = tuple(
        Account(exchange="bingx", name=f"sub{n}", uid=100 + n, parent="main", keys=(Key(name=f"s{n}"),))
        for n in range(3)
    )  # fmt: skip
    own = (Key(name="k", permissions=TRADES, env="K"), Key(name="other"))
    with Sandbox(Scenario(accounts=(Account(exchange="bingx", uid=7, keys=own), *subs))) as box:
        listed = ask(box, "bingx", "subAccountV1PrivateGetList", {"page": 2, "limit": 2}).body
        mine = ask(box, "bingx", KEYS, {"uid": 7}).body["data"]["apiInfos"]
        one = ask(box, "bingx", KEYS, {"uid": 7, "apiKey": box.environment["K_KEY"]}).body
        theirs = ask(box, "bingx", KEYS, {"uid": 101}).body["data"]["apiInfos"]
        nobodys = ask(box, "bingx", KEYS, {"uid": 9})

        assert (["102"], 3) == (
            [each["subUid"] for each in listed["data"]["result"]],
            listed["data"]["total"],
        )
        assert (2, 1, 1) == (len(mine), len(one["data"]["apiInfos"]), len(theirs))
        assert box.environment["K_KEY"][:2] + "*******" == mine[0]["apiKey"][:9]
        assert 100403 == nobodys.code


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ({"wrong_key": True}, 100413),
        ({"state": "expired"}, 100413),
        ({"state": "frozen"}, 100413),
        ({"wrong_secret": True}, 100001),
        ({"ips": ("198.51.100.0/24",)}, 100419),
        ({"permissions": ("1",)}, 100004),
    ],
)
def test_refusals(ask, one_key, key, code):
    """Each wrong key is refused by its documented code, with HTTP 200."""
    with Sandbox(one_key("bingx", **{"permissions": TRADES, **key})) as box:
        seen = ask(box, "bingx", INFO)

        assert (200, code) == (seen.http, seen.code)


def test_unsigned_requests(ask, one_key):
    """Without a key, without a signature, with too long a window, from another time."""
    with Sandbox(one_key("bingx", permissions=TRADES)) as box:
        path = ("account/apiPermissions", ("account", "v1", "public"))
        keyless = ask(box, "bingx", path, prefix=None)
        unsigned = ask(
            box, "bingx", path, prefix=None, headers={"X-BX-APIKEY": box.environment["K_KEY"]}
        )
        window = ask(box, "bingx", INFO, {"recvWindow": 5001})
        nowhere = ask(box, "bingx", ("nothing", ("account", "v1", "public")), prefix=None)

        assert [100413, 100412, 100421, 100400] == [
            each.code for each in (keyless, unsigned, window, nowhere)
        ]
    other = {"clock_offset_ms": {"bingx": 20_000}}
    with Sandbox(one_key("bingx", permissions=TRADES, other=other)) as box:
        assert 100421 == ask(box, "bingx", INFO).code
