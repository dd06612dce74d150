"""Binance: a master account's key lists sub-accounts, their keys, and the IP list of each; not the master's own.

https://developers.binance.com/docs/sub_account/api-management
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bfaudit.exchanges.base import Context, Lists, Read
from bfaudit.exchanges.listing import More, Owner, Row, Walk, lists
from bfaudit.exchanges.listing.pages import MOST_KEY_PAGES, Pages, account_number, by_number, inside
from bfaudit.exchanges.values import any_of, bound_to, text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Json

SUBS = Read(
    label="sub-accounts",
    path="GET /sapi/v1/sub-account/list",
    call="sapiGetSubAccountList",
    pool="sapi",
    needs="Enable Reading",
    expects=("subAccounts",),
)
KEYS = Read(
    label="sub-keys",
    path="GET /sapi/v1/sub-account/subAccountApi",
    # ccxt 4.5.90 does not have it: the endpoint is of July 2026.
    call=("sub-account/subAccountApi", ("sapi",)),
    weight=3000,
    pool="sub-keys",
    needs="Enable Reading",
    expects=("rows", "list"),
)
ADDRESSES = Read(
    label="sub-key-addresses",
    path="GET /sapi/v1/sub-account/subAccountApi/ipRestriction",
    call="sapiGetSubAccountSubAccountApiIpRestriction",
    weight=3000,
    pool="sub-keys",
    needs="Enable Reading",
    expects=("ipRestrict",),
)
SIZE = 100
SWITCHES = {
    "margin": ("canMarginLoanRepay",),
    "options": ("canVanillaOptions",),
    "transfer": ("canUniversalTransfer",),
}
# The listing has no switch for FIX and for portfolio margin: that these are off does not say that none trades.
PARTLY = {"trade": "canTrade", "futures": "canFuturesTrade"}


def _keys(body: Json) -> Json:
    """`rows`, which was `list` until July 2026."""
    return body.get("rows", body.get("list")) if isinstance(body, dict) else None


def _email(value: Json) -> str | None:
    """An address as it must stand in the query: ccxt does not encode it."""
    text = text_or_none(value)
    return quote(text, safe="@") if text and "@" in text and len(text) < 200 else None


def _owner(row: Row) -> Owner | None:
    email = _email(row.get("email"))
    # NOTE: whether `subUserId` is the uid that the sub-account's own keys see is not documented.
    return (
        Owner({"email": email}, str(row["email"]), None)
        if email and account_number(row.get("subUserId"))
        else None
    )


def _asks(owner: Owner, row: Row) -> Mapping[str, Any] | None:
    key = text_or_none(row.get("apikey"))
    return {**owner.ask, "subAccountApiKey": key} if key and key.isascii() and key.isalnum() else None  # fmt: skip


def _learn(facts: FactsBuilder, row: dict[str, Json], _context: Context) -> None:
    for word, names in SWITCHES.items():
        granted = any_of(row.get(name) for name in names)
        if granted is not None:
            facts.grant(word, granted)
    for word, name in PARTLY.items():
        if row.get(name) is True:
            facts.grant(word, granted=True)
    if isinstance(row.get("apiName"), str):
        facts.know("key.label", text_or_none(row["apiName"]))


def _addresses(facts: FactsBuilder, body: dict[str, Json], request: str) -> None:
    """`ipRestrict` is a text here; a list that is not in force binds nothing."""
    restricted = {"true": True, "false": False, True: True, False: False}.get(_flag(body))
    if restricted is None:
        return
    facts.know("network.ip_restricted", restricted, request=request)
    listed = bound_to(body.get("ipList")) if restricted else ()
    if listed or not restricted:
        facts.know("network.ip_allowlist", listed, request=request)


def _flag(body: dict[str, Json]) -> str | bool | None:
    flag = body.get("ipRestrict")
    return flag if isinstance(flag, str | bool) else None


LISTS: Lists = lists(
    Walk(
        covers="the keys of sub-accounts, not the master account's own",
        subs=Pages(read=SUBS, rows=inside("subAccounts"), next=by_number(inside("subAccounts"), 200)),
        owner=_owner,
        keys=Pages(read=KEYS, rows=_keys, next=by_number(_keys, SIZE, limit="size", total=inside("total")), most=MOST_KEY_PAGES),
        key="apikey",
        label="apiName",
        learn=_learn,
        more=More(ADDRESSES, _asks, _addresses),
    )
)  # fmt: skip
