"""One dangerous key at each of the fourteen exchanges: it may withdraw where a key can, from any address."""

from typing import Any

from bfaudit.exchanges import known
from bfaudit.model import Connection
from bfaudit.sandbox import Account, Key, Scenario
from tests.scan.fleet import connection

FOURTEEN = tuple(
    sorted(name for name, one in known().items() if name == one.id and one.support == "full")
)

HELD: dict[str, tuple[str, ...]] = {
    "binance": ("enableReading", "enableSpotAndMarginTrading", "enableWithdrawals"),
    "bingx": ("1", "2", "5"),
    "bitfinex": ("account:read", "orders:read", "wallets:read", "orders:write", "withdraw:write"),
    "bitget": ("uta_mgt", "uta_trade", "withdraw"),
    "blofin": ("READ", "TRADE", "TRANSFER"),
    "bybit": ("Spot.SpotTrade", "Wallet.Withdraw"),
    "coinbase": ("view", "trade", "transfer"),
    "deribit": ("account:read_write", "trade:read_write", "wallet:read_write"),
    "gate": ("account:r", "spot", "withdrawal"),
    "htx": ("readOnly", "trade", "withdraw"),
    "kraken": ("query-funds", "query-open-trades", "modify-trades", "withdraw-funds"),
    "kucoin": ("General", "Spot", "Transfer"),
    "mexc": ("SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE", "SPOT_WITHDRAW_WRITE"),
    "okx": ("read_only", "trade", "withdraw"),
}
"""Permissions by the exchange's own words."""
FLAGS = {"bitget": {"unified": True}}
"""What their accounts are."""
ODD: dict[str, dict[str, Any]] = {
    "coinbase": {"type": "ed25519"},
    "gate": {"modes": ("withdraw-listed",)},
}


def key_of(exchange: str) -> Key:
    """The key, under the environment prefix of the exchange's name."""
    name = exchange.upper()
    given = {"age_days": 400, "label": "old", **ODD.get(exchange, {})}
    return Key(name=exchange, env=name, permissions=HELD[exchange], **given)


def fourteen_scenario(**fields: Any) -> Scenario:
    """One account with one key at each exchange."""
    accounts = tuple(
        Account(exchange=each, keys=(key_of(each),), flags=FLAGS.get(each, {})) for each in FOURTEEN
    )
    return Scenario(accounts=accounts, **fields)


def fourteen_connections(**fields: Any) -> list[Connection]:
    """A connection for each of the keys."""
    given = {"servers": ("203.0.113.10",), "account": "main", "strategy": "one", **fields}
    return [connection(each, each.upper(), **given) for each in FOURTEEN]
