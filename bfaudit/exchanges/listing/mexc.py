"""MEXC: a master account's key lists sub-accounts and their keys; no key lists the master's own.

https://www.mexc.com/api-docs/spot-v3/subaccount-endpoints
"""

from bfaudit.exchanges.base import Lists, Read
from bfaudit.exchanges.listing import Learn, Owner, Row, Walk, lists
from bfaudit.exchanges.listing.pages import Pages, by_number, inside, plain
from bfaudit.model import Json

SUBS = Read(
    label="sub-accounts",
    path="GET /api/v3/sub-account/list",
    call="spotPrivateGetSubAccountList",
    needs="SPOT_ACCOUNT_READ",
    expects=("subAccounts",),
)
KEYS = Read(
    label="sub-keys",
    path="GET /api/v3/sub-account/apiKey",
    call="spotPrivateGetSubAccountApiKey",
    needs="SPOT_ACCOUNT_READ",
    # NOTE: the list of keys has this name.
    expects=("subAccount",),
)
_rows = inside("subAccounts")


def _owner(row: Row) -> Owner | None:
    name = plain(row.get("subAccount"))
    return Owner({"subAccount": name}, name, _uid(row.get("uid"))) if name else None


def _uid(value: Json) -> str | None:
    found = plain(value)
    return found if found and found.isdigit() else None


def of(learn: Learn) -> Lists:
    """The listing, with the adapter's reading of a key."""
    return lists(
        Walk(
            covers="the keys of sub-accounts, not the master account's own",
            subs=Pages(read=SUBS, rows=_rows, next=by_number(_rows, 200)),
            owner=_owner,
            keys=Pages(read=KEYS, rows=inside("subAccount")),
            key="apiKey",
            label="note",
            learn=learn,
        )
    )
