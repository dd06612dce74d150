"""Listings end to end: real ccxt over HTTP against the sandbox, a master key that lists and what its fleet gains."""

from typing import Any

import pytest

from bfaudit import inventory
from bfaudit.model import Scanned, Source
from bfaudit.sandbox import Account, Fault, Key, Scenario
from bfaudit.scan.asking import Patience
from tests.scan.fleet import connection, scan_fleet, text_of

SLOW = Patience(request_seconds=5.0, connection_seconds=60.0, longest_pause=2.0)
RESTRICTED = ("203.0.113.10",)

# What the master's key needs to list, what a sub-account's key may have, and the flags and modes that it takes.
MASTERS: dict[str, dict[str, Any]] = {
    "mexc": {"master": ("SPOT_ACCOUNT_READ",), "sub": ("SPOT_ACCOUNT_READ", "SPOT_DEAL_WRITE")},
    "kucoin": {"master": ("General",), "sub": ("General", "Spot")},
    "binance": {"master": ("enableReading",), "sub": ("enableReading", "enableSpotAndMarginTrading")},
    "okx": {
        "master": ("read_only",),
        "sub": ("read_only", "trade"),
        "modes": {"okx": ("sub-keys-shown",)},
    },
    "bybit": {"master": ("Wallet.AccountTransfer",), "sub": ("Spot.SpotTrade",)},
    "bitget": {"master": ("stor", "chor"), "sub": ("stor", "stow")},
    "gate": {"master": ("account:r", "sub_accounts:r"), "sub": ("account:r", "spot")},
    "htx": {"master": ("readOnly",), "sub": ("readOnly", "trade")},
}  # fmt: skip
PAGE = {
    "mexc": 200,
    "kucoin": 100,
    "binance": 200,
    "okx": 100,
    "bybit": 100,
    "bitget": 100,
    "htx": 100,
}
UNIFIED = {"master": ("uta_mgt",), "sub": ("uta_trade",), "flags": {"unified": True}}


def _fleet(exchange: str, *, subs: int = 0, faults: tuple[Fault, ...] = (), **given: Any) -> Scenario:  # fmt: skip
    """A master with two keys of a sub-account, one of them declared, and more empty sub-accounts."""
    given = {**MASTERS.get(exchange, {}), **given}
    flags = given.get("flags", {})
    own = Key(name="one", env="ONE", permissions=given["master"], ips=RESTRICTED)
    first = Key(name="bot", env="TWO", label="bot", permissions=given["sub"], ips=RESTRICTED)
    rogue = Key(name="rogue", label="rogue", permissions=given["sub"])
    return Scenario(
        accounts=(
            Account(exchange=exchange, keys=(own,), flags=flags),
            Account(exchange=exchange, name="desk", parent="main", flags=flags, keys=(first, rogue)),
            *(Account(exchange=exchange, name=f"sub{n}", parent="main", flags=flags) for n in range(subs)),
        ),
        faults=faults,
        modes=given.get("modes", {}),
    )  # fmt: skip


def _scan(exchange: str, played: Scenario) -> tuple[Scanned, Scanned, Any]:
    fleet = [
        connection(exchange, requires=("read",), inventory=True),
        connection(exchange, env="TWO", name="bot"),
    ]
    seen = scan_fleet(played, fleet, rate_limits=False, patience=SLOW)
    return *seen.snapshot.connections, seen


def _undeclared(master: Scanned, bot: Scanned) -> tuple[str, ...] | None:
    return inventory.undeclared(master, frozenset({master.fingerprint, bot.fingerprint}))


@pytest.mark.parametrize("exchange", [*MASTERS, "bitget unified"])
def test_an_undeclared_key_is_found(exchange):
    """Of two keys of a sub-account, the one that no manifest declares is named, and the other one is recognised."""
    name, _, kind = exchange.partition(" ")
    master, bot, seen = _scan(name, _fleet(name, **(UNIFIED if kind else {})))
    listing = master.inventory

    assert listing is not None
    assert listing.incomplete is None
    assert bot.fingerprint in {key.fingerprint for key in listing.keys}
    (named,) = _undeclared(master, bot)
    assert "rogue" in named
    rogue = next(key for key in listing.keys if key.label == "rogue")
    assert rogue.facts.known["network.ip_restricted"].value is False
    assert seen.environment["TWO_KEY"] not in text_of(seen.snapshot)


def test_binance_tells_the_ip_list_to_the_master_only():
    """A sub-account's key gains its IP list, its name and its rank from the master's listing."""
    _master, bot, _seen = _scan("binance", _fleet("binance"))
    fact = bot.facts.known["network.ip_allowlist"]

    assert (RESTRICTED, Source.INVENTORY) == (fact.value, fact.source)
    assert "GET /sapi/v1/sub-account/subAccountApi/ipRestriction" == fact.request
    assert "bot" == bot.facts.known["key.label"].value
    assert bot.facts.known["account_facts.is_master"].value is False
    assert "network.ip_allowlist" not in bot.facts.unknown
    assert Source.INTROSPECTION == bot.facts.known["permissions.trade"].source


def test_bitget_and_gate_tell_more_to_the_master():
    """Names on Bitget, the last use on Gate."""
    bitget = _scan("bitget", _fleet("bitget"))[1]
    gate = _scan("gate", _fleet("gate"))[1]

    assert ("bot", Source.INVENTORY) == (
        bitget.facts.known["key.label"].value,
        bitget.facts.known["key.label"].source,
    )
    assert Source.INVENTORY == gate.facts.known["key.last_used_at"].source


def test_gate_masks_the_keys_of_the_main_account():
    """The listing key itself is told from the others; another key of the main account stays unidentified."""
    played = _fleet("gate")
    (main, *rest) = played.accounts
    other = Key(name="other", label="other", permissions=("spot",))
    more = Account(exchange="gate", keys=(*main.keys, other))
    master, bot, _seen = _scan("gate", Scenario(accounts=(more, *rest)))

    assert ["other", "bot", "rogue"] == [key.label for key in master.inventory.keys]
    assert master.inventory.keys[0].fingerprint is None
    assert "rogue" in _undeclared(master, bot)[0]


def test_htx_lists_the_own_account():
    """An undeclared key of the master account itself is found too."""
    played = _fleet("htx")
    (main, *rest) = played.accounts
    other = Key(name="other", label="other", permissions=("readOnly", "withdraw"))
    more = Account(exchange="htx", keys=(*main.keys, other))
    master, bot, _seen = _scan("htx", Scenario(accounts=(more, *rest)))

    assert 2 == len(_undeclared(master, bot))
    listed = next(key for key in master.inventory.keys if key.label == "other")
    assert "granted" == listed.facts.known["permissions.withdraw"].value


@pytest.mark.parametrize("exchange", ["bingx", "okx"])
def test_masked_keys_cannot_be_told_apart(exchange):
    """Where every key is masked, whether each is declared stays unknown; the keys are seen all the same."""
    given = {"bingx": {"master": ("2",), "sub": ("1", "2")}, "okx": {"modes": {}}}[exchange]
    master, bot, _seen = _scan(exchange, _fleet(exchange, **given))

    assert ["bot", "rogue"] == [key.label for key in master.inventory.keys]
    assert master.inventory.incomplete is None
    assert _undeclared(master, bot) is None
    assert "masks" in inventory.why_unknown(master)


def test_deribit_lists_the_keys_of_the_account():
    """One read shows all keys of the account; no further request is made for the listing."""
    scopes = ("account:read", "trade:read_write")
    keys = (
        Key(name="one", env="ONE", permissions=scopes),
        Key(name="bot", env="TWO", permissions=scopes),
        Key(name="rogue", label="rogue", permissions=("wallet:read_write",)),
    )
    played = Scenario(accounts=(Account(exchange="deribit", keys=keys),))
    master, bot, seen = _scan("deribit", played)

    assert "rogue" in _undeclared(master, bot)[0]
    assert 3 == len(master.inventory.keys)
    assert 4 == len([one for one in seen.requests if one.key])


@pytest.mark.parametrize("exchange", PAGE)
def test_more_than_one_page(exchange):
    """Sub-accounts beyond the first page are asked for; nothing is said to be missing."""
    subs = PAGE[exchange] + 1
    master, bot, seen = _scan(exchange, _fleet(exchange, subs=subs))

    assert master.inventory.incomplete is None, master.inventory.incomplete
    assert 1 == len(_undeclared(master, bot))
    assert len(seen.requests) > subs


@pytest.mark.parametrize("exchange", ["bybit", "kucoin", "binance"])
def test_a_refused_page_makes_it_incomplete(exchange):
    """What was seen stays seen, and what was not is not taken for nothing."""
    path = {"bybit": "*sub-apikeys", "kucoin": "*sub/api-key", "binance": "*subAccountApi"}[exchange]  # fmt: skip
    fault = Fault(kind="server-error", path=path)
    master, bot, _seen = _scan(exchange, _fleet(exchange, faults=(fault,)))

    assert "a fault of its own" in master.inventory.incomplete
    assert _undeclared(master, bot) is None


@pytest.mark.parametrize(
    ("exchange", "master"),
    [
        ("gate", ("account:r",)),
        ("bitget", ("stor",)),
        ("bybit", ("Spot.SpotTrade",)),
    ],
)
def test_a_key_that_may_not_list(exchange, master):
    """The permission that it lacks makes the listing incomplete, not empty."""
    listing = _scan(exchange, _fleet(exchange, master=master))[0].inventory

    assert "the key lacks the permission" in listing.incomplete


def test_a_sub_accounts_key_that_shall_list():
    """An account without sub-accounts is no proof of anything."""
    played = Scenario(
        accounts=(
            Account(exchange="bingx"),
            Account(
                exchange="bingx",
                name="sub",
                parent="main",
                keys=(Key(name="one", env="ONE", permissions=("2",)),),
            ),
        )
    )
    seen = scan_fleet(played, [connection("bingx", requires=("read",), inventory=True)])

    assert "main accounts only" in seen.one.inventory.incomplete


def test_a_key_that_does_not_work_lists_nothing():
    """No listing is tried with a key that nothing answered."""
    fleet = _fleet("kucoin")
    fault = Fault(kind="maintenance", path="*user/api-key")
    seen = scan_fleet(
        Scenario(accounts=fleet.accounts, faults=(fault,)),
        [connection("kucoin", requires=("read",), inventory=True)],
    )

    assert seen.one.inventory is None
