"""Coinbase as the sandbox plays it."""

import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

TRADES = ("view", "trade")
INFO = "v3PrivateGetBrokerageKeyPermissions"

each_kind = pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])


@each_kind
@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("v2PublicGetTime", {}),
        ("v3PublicGetBrokerageTime", {}),
        (INFO, {}),
        ("v3PrivateGetBrokerageAccounts", {"limit": 1}),
        ("v3PrivateGetBrokeragePortfolios", {}),
        ("v3PrivateGetBrokerageOrdersHistoricalBatch", {"limit": 1}),
    ],
)
def test_reads_answer(ask, one_key, kind, call, params):
    """Every read that ccxt signs is understood and answered, by ES256 and by EdDSA."""
    with Sandbox(one_key("coinbase", permissions=TRADES, type=kind)) as box:
        seen = ask(box, "coinbase", call, params)

        assert (200, None) == (seen.http, seen.error)


def test_the_answer_has_the_documented_fields(ask, one_key):
    """Three booleans and a portfolio."""
    scenario = one_key("coinbase", permissions=TRADES, account={"uid": "a-portfolio"})
    with Sandbox(scenario) as box:
        assert {
            "can_view": True,
            "can_trade": True,
            "can_transfer": False,
            "portfolio_uuid": "a-portfolio",
            "portfolio_type": "DEFAULT",
        } == ask(box, "coinbase", INFO).body


def test_portfolios_are_sub_accounts(ask):
    """A key sees its own portfolio and those under it."""
    main = Account(exchange="coinbase", keys=(Key(name="k", permissions=TRADES, env="K"),))
    sub = Account(exchange="coinbase", name="bots", parent="main")
    with Sandbox(Scenario(accounts=(main, sub))) as box:
        listed = ask(box, "coinbase", "v3PrivateGetBrokeragePortfolios").body["portfolios"]

        assert ["DEFAULT", "CONSUMER"] == [each["type"] for each in listed]


@pytest.mark.parametrize(
    "key",
    [
        {"wrong_key": True},
        {"wrong_secret": True},
        {"wrong_secret": True, "type": "ecdsa"},
        {"state": "deleted"},
        {"state": "expired"},
        {"state": "frozen"},
        {"ips": ("198.51.100.0/24",)},
    ],
)
def test_refusals_are_all_alike(ask, one_key, key):
    """401 and one word, whatever the cause."""
    with Sandbox(one_key("coinbase", **{"permissions": TRADES, **key})) as box:
        seen = ask(box, "coinbase", INFO)

        assert (401, "Unauthorized\n") == (seen.http, seen.body)


def test_missing_scope_and_suspended_account(ask, one_key):
    """Both are 403; the details tell."""
    with Sandbox(one_key("coinbase", permissions=("trade",))) as box:
        seen = ask(box, "coinbase", "v3PrivateGetBrokerageAccounts")

        assert (403, "Missing required scopes") == (seen.http, seen.body["error_details"])
    with Sandbox(one_key("coinbase", permissions=TRADES, account={"frozen": True})) as box:
        seen = ask(box, "coinbase", INFO)

        assert "User does not have the correct permissions" == seen.body["error_details"]


def test_a_token_is_for_one_request(ask, one_key):
    """The token names method, path and key, and is signed by the algorithm of that key."""

    def tamper(**claims):
        def change(client):
            make = client.jwt
            client.jwt = lambda request, *rest: make({**request, **claims}, *rest)

        return change

    def another_algorithm(client):
        make = client.jwt
        client.jwt = lambda request, secret, algorithm, is_rsa, opts: make(
            request, secret, algorithm, is_rsa, {**opts, "alg": "EdDSA", "kid": "another"}
        )

    def unsigned(client):
        make = client.jwt
        client.jwt = lambda *given: make(*given).rpartition(".")[0] + ".AAAA"

    def not_a_token(client):
        client.jwt = lambda *_given: "nonsense"

    changes = (
        tamper(uris=["GET api.coinbase.com/api/v3/brokerage/accounts"]),
        tamper(uris="GET"),
        tamper(iss="someone"),
        tamper(exp=9_999_999_999),
        tamper(nbf="now"),
        tamper(sub=["a"]),
        another_algorithm,
        unsigned,
        not_a_token,
    )
    with Sandbox(one_key("coinbase", permissions=TRADES)) as box:
        for change in changes:
            assert 401 == ask(box, "coinbase", INFO, change=change).http
        assert 200 == ask(box, "coinbase", INFO).http


def test_clock_and_unknown_paths(ask, one_key):
    """Two minutes and no more; without a token there is no answer."""
    other = {"clock_offset_ms": {"coinbase": 300_000}}
    with Sandbox(one_key("coinbase", permissions=TRADES, other=other)) as box:
        assert 401 == ask(box, "coinbase", INFO).http
        bare = ask(box, "coinbase", ("brokerage/key_permissions", ("v3", "public")), prefix=None)
        nowhere = ask(box, "coinbase", ("brokerage/nothing", ("v3", "public")), prefix=None)

        assert (401, 404) == (bare.http, nowhere.http)


def test_an_algorithm_of_another_key(ask, one_key):
    """A key for EdDSA takes no ES256 token."""
    with (
        Sandbox(one_key("coinbase", permissions=TRADES)) as box,
        Sandbox(one_key("coinbase", permissions=TRADES, type="ecdsa")) as another,
    ):
        pem = another.environment["K_SECRET"]
        seen = ask(box, "coinbase", INFO, change=lambda client: setattr(client, "secret", pem))

        assert 401 == seen.http
