"""OKX as the sandbox plays it."""

import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

READ = ("read_only",)


@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("publicGetPublicTime", {}),
        ("privateGetAccountConfig", {}),
        ("privateGetAccountBalance", {}),
        ("privateGetTradeOrdersPending", {"instType": "SPOT", "instId": "a b/c"}),
        ("privateGetUsersSubaccountList", {"limit": 100}),
    ],
)
def test_reads_answer(ask, one_key, call, params):
    """Every read that ccxt signs is understood and answered, encoded queries too."""
    with Sandbox(one_key("okx", permissions=READ)) as box:
        seen = ask(box, "okx", call, params)

        assert (200, None, "0") == (seen.http, seen.error, seen.code)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("OK-ACCESS-SIGN", "", "50106"),
        ("OK-ACCESS-TIMESTAMP", "today", "50102"),
        ("OK-ACCESS-TIMESTAMP", "2026-11-22T06:42:55", "50102"),
        ("OK-ACCESS-KEY", "k", "50111"),
    ],
)
def test_headers_are_checked(ask, one_key, name, value, code):
    """An empty, malformed or wrong header has the code of its own."""

    def spoil(client):
        sign = client.sign

        def signed(*args):
            request = sign(*args)
            request["headers"][name] = value
            return request

        client.sign = signed

    with Sandbox(one_key("okx", permissions=READ)) as box:
        assert code == ask(box, "okx", "privateGetAccountConfig", change=spoil).code


def test_a_suspended_account_and_an_unknown_path(ask, one_key):
    """A blocked user and a path that does not exist are told apart."""
    with Sandbox(one_key("okx", permissions=READ, account={"frozen": True})) as box:
        assert "50007" == ask(box, "okx", "privateGetAccountConfig").code
        assert 404 == ask(box, "okx", "privateGetAccountPositions").http


def test_sub_account_inventory(ask):
    """A main account lists its sub-accounts and their keys, masked."""
    sub = Account(exchange="okx", name="sub1", parent="main", keys=(Key(name="s", label="s"),))
    master = Account(exchange="okx", keys=(Key(name="k", permissions=READ, env="K"),))
    with Sandbox(Scenario(accounts=(master, sub))) as box:
        listed = ask(box, "okx", "privateGetUsersSubaccountList").body["data"]
        keys = ask(box, "okx", "privateGetUsersSubaccountApikey", {"subAcct": "sub1"}).body["data"]
        none = ask(box, "okx", "privateGetUsersSubaccountApikey", {"subAcct": "nobody"})

        assert ["sub1"] == [each["subAcct"] for each in listed]
        assert [("******", "s")] == [(each["apiKey"], each["label"]) for each in keys]
        assert "59510" == none.code
