"""OKX: a main account's key lists sub-accounts and their keys; no key lists the main account's own.

https://www.okx.com/docs-v5/en/#sub-account-rest-api-query-the-api-key-of-a-sub-account
"""

from collections.abc import Mapping
from typing import Any

from bfaudit.exchanges.base import Lists, Read
from bfaudit.exchanges.listing import Learn, Owner, Row, Walk, lists
from bfaudit.exchanges.listing.pages import Pages, account_number, inside, plain
from bfaudit.model import Json

SUBS = Read(
    label="sub-accounts",
    path="GET /api/v5/users/subaccount/list",
    call="privateGetUsersSubaccountList",
    pool="sub-accounts",
    needs="Read",
    expects=("data.[]",),
)
KEYS = Read(
    label="sub-keys",
    path="GET /api/v5/users/subaccount/apikey",
    call="privateGetUsersSubaccountApikey",
    pool="sub-keys",
    needs="Read",
    expects=("data.[]",),
)
SIZE = 100


def _next(number: int, before: Json) -> Mapping[str, Any] | None:
    """Newest first: a full page is followed by what was created before its last entry."""
    rows = inside("data")(before)
    if number == 1:
        return {"limit": SIZE}
    if not isinstance(rows, list) or len(rows) < SIZE:
        return None
    oldest = rows[-1].get("ts") if isinstance(rows[-1], dict) else None
    return {"limit": SIZE, "after": account_number(oldest) or ""}


def _owner(row: Row) -> Owner | None:
    name = plain(row.get("subAcct"))
    return Owner({"subAcct": name}, name, account_number(row.get("uid"))) if name else None


def of(learn: Learn) -> Lists:
    """The listing, with the adapter's reading of a key."""
    return lists(
        Walk(
            covers="the keys of sub-accounts, not the main account's own",
            subs=Pages(read=SUBS, rows=inside("data"), next=_next),
            owner=_owner,
            keys=Pages(read=KEYS, rows=inside("data")),
            key="apiKey",
            label="label",
            learn=learn,
        )
    )
