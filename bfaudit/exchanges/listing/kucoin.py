"""KuCoin: General of a master account lists sub-accounts and their keys; no key lists the master's own.

https://www.kucoin.com/docs-new/rest/account-info/sub-account/get-subaccount-apikey-list (api-3470136)
"""

from collections.abc import Mapping
from typing import Any

from bfaudit.exchanges.base import Lists, Read
from bfaudit.exchanges.listing import Learn, Owner, Row, Walk, lists
from bfaudit.exchanges.listing.pages import Pages, account_number, inside, plain
from bfaudit.model import Json

SUBS = Read(
    label="sub-accounts",
    path="GET /api/v2/sub/user",
    call="privateGetSubUser",
    weight=20,
    pool="management",
    needs="General",
    expects=("data.items",),
)
KEYS = Read(
    label="sub-keys",
    path="GET /api/v1/sub/api-key",
    call="privateGetSubApiKey",
    weight=20,
    pool="management",
    needs="General",
    expects=("data.[]",),
)
SIZE = 100


def _next(number: int, before: Json) -> Mapping[str, Any] | None:
    """KuCoin says how many pages there are."""
    total = inside("data", "totalPage")(before)
    known = isinstance(total, int) and not isinstance(total, bool)
    rows = inside("data", "items")(before)
    more = number <= total if known else isinstance(rows, list) and len(rows) >= SIZE
    return {"currentPage": number, "pageSize": SIZE} if number == 1 or more else None


def _owner(row: Row) -> Owner | None:
    name = plain(row.get("subName"))
    return Owner({"subName": name}, name, account_number(row.get("uid"))) if name else None


def of(learn: Learn) -> Lists:
    """The listing, with the adapter's reading of a key."""
    return lists(
        Walk(
            covers="the keys of sub-accounts but those of brokers, not the master account's own",
            subs=Pages(read=SUBS, rows=inside("data", "items"), next=_next),
            owner=_owner,
            keys=Pages(read=KEYS, rows=inside("data")),
            key="apiKey",
            label="remark",
            learn=learn,
        )
    )
