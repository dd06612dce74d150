"""The exchanges that ccxt knows, that have been looked at, and that are not supported."""

from collections.abc import Mapping

_WALLET = (
    "a wallet signs there, and its reads are public: no harmless request proves that a key works"
)
_MORE = "it asks for credentials that bfaudit has no role for"
_SHARED = "it serves reads and orders by POST on one path: no request there is certain to be a read"
UNSUPPORTED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "hyperliquid",
            "derive",
            "dydx",
            "grvt",
            "lighter",
            "nado",
            "pacifica",
            "paradex",
            "aster",
        ),
        _WALLET,
    ),
    **dict.fromkeys(
        (
            "coinmate",
            "cryptomus",
            "extended",
            "hibachi",
            "modetrade",
            "woofipro",
            "ndax",
            "onetrading",
            "revolutx",
        ),
        _MORE,
    ),
    **dict.fromkeys(("indodax", "mercado", "zaif"), _SHARED),
}
"""Why some ids of ccxt are not in the table; the others have not been looked at."""
