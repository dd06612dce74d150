"""Gate as the sandbox plays it."""

import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

ALL = ("account", "spot", "futures", "delivery", "options", "unified", "wallet", "sub_accounts")


@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("publicSpotGetTime", {}),
        ("privateAccountGetMainKeys", {}),
        ("privateAccountGetDetail", {}),
        ("privateSpotGetAccounts", {"currency": "a b"}),
        ("privateSpotGetOpenOrders", {"page": 1, "limit": 10}),
        ("privateFuturesGetSettleAccounts", {"settle": "usdt"}),
        ("privateFuturesGetSettleOrders", {"settle": "usdt", "status": "open"}),
        ("privateDeliveryGetSettleAccounts", {"settle": "usdt"}),
        ("privateOptionsGetAccounts", {}),
        ("privateUnifiedGetAccounts", {}),
        ("privateWalletGetTotalBalance", {}),
        ("privateSubAccountsGetSubAccounts", {}),
    ],
)
def test_reads_answer(ask, one_key, call, params):
    """Every read that ccxt signs is understood and answered, encoded queries too."""
    with Sandbox(one_key("gate", permissions=ALL)) as box:
        seen = ask(box, "gate", call, params)

        assert (200, None) == (seen.http, seen.error)


def test_the_list_of_keys_is_masked(ask, one_key):
    """Twelve characters and five stars; a list, or one object as in the schema."""
    with Sandbox(one_key("gate", permissions=ALL)) as box:
        (entry,) = ask(box, "gate", "privateAccountGetMainKeys").body

        assert box.environment["K_KEY"][:12] + "*****" == entry["key"]
    with Sandbox(one_key("gate", permissions=ALL, modes=("object",))) as box:
        assert "perms" in ask(box, "gate", "privateAccountGetMainKeys").body


def test_missing_group_and_missing_account(ask, one_key):
    """A missing group is named; an account that was never opened is another matter."""
    account = {"flags": {"without": ["delivery"]}}
    with Sandbox(one_key("gate", permissions=("delivery",), account=account)) as box:
        spot = ask(box, "gate", "privateSpotGetAccounts")
        delivery = ask(box, "gate", "privateDeliveryGetSettleAccounts", {"settle": "usdt"})

        assert "does not have spot permission" in spot.body["message"]
        assert "USER_NOT_FOUND" == delivery.body["label"]


def test_a_timestamp_that_is_no_number(ask, one_key):
    """Seconds are expected."""

    def spoil(client):
        sign = client.sign

        def signed(*args):
            request = sign(*args)
            request["headers"]["Timestamp"] = "now"
            return request

        client.sign = signed

    with Sandbox(one_key("gate", permissions=ALL)) as box:
        seen = ask(box, "gate", "privateAccountGetDetail", change=spoil)

        assert "REQUEST_EXPIRED" == seen.body["label"]


def test_suspended_account(ask, one_key):
    """A locked account is told as such."""
    with Sandbox(one_key("gate", permissions=ALL, account={"frozen": True})) as box:
        assert "ACCOUNT_LOCKED" == ask(box, "gate", "privateAccountGetDetail").body["label"]


def test_sub_account_inventory(ask):
    """A main account lists its sub-accounts and their keys; nobody else does."""
    key = Key(name="s", permissions=("spot:r",), env="S")
    sub = Account(exchange="gate", name="sub1", uid="77", parent="main", keys=(key,))
    stranger = Account(exchange="gate", name="x", keys=(Key(name="x", permissions=ALL, env="X"),))
    master = Account(exchange="gate", keys=(Key(name="k", permissions=ALL, env="K"),))
    call = "privateSubAccountsGetSubAccountsUserIdKeys"
    with Sandbox(Scenario(accounts=(master, sub, stranger))) as box:
        listed = ask(box, "gate", "privateSubAccountsGetSubAccounts").body
        (entry,) = ask(box, "gate", call, {"user_id": "77"}).body
        refused = [
            ask(box, "gate", call, {"user_id": uid}, prefix=prefix).body["label"]
            for uid, prefix in (("1", "K"), ("77", "X"), ("77", "S"))
        ]

        assert [77] == [each["user_id"] for each in listed]
        assert [{"name": "spot", "read_only": True}] == entry["perms"]
        assert box.environment["S_KEY"] == entry["key"]
        assert ["NOT_FOUND", "SUB_ACCOUNT_NOT_FOUND", "FORBIDDEN"] == refused
