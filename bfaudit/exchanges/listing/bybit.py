"""Bybit: a master account's key lists sub-accounts and their keys; no key lists the master's own.

https://bybit-exchange.github.io/docs/v5/user/list-sub-apikeys
"""

from bfaudit.exchanges.base import Lists, Read
from bfaudit.exchanges.listing import Learn, Owner, Row, Walk, lists
from bfaudit.exchanges.listing.pages import (
    MOST_KEY_PAGES,
    Pages,
    account_number,
    by_cursor,
    inside,
    plain,
)

SUBS = Read(
    label="sub-accounts",
    path="GET /v5/user/submembers",
    call="privateGetV5UserSubmembers",
    pool="sub-accounts",
    needs="AccountTransfer, SubMemberTransfer or Withdraw",
    expects=("result.subMembers",),
)
KEYS = Read(
    label="sub-keys",
    path="GET /v5/user/sub-apikeys",
    call="privateGetV5UserSubApikeys",
    pool="sub-keys",
    expects=("result.result",),
)


def _owner(row: Row) -> Owner | None:
    uid, name = account_number(row.get("uid")), plain(row.get("username"))
    return Owner({"subMemberId": uid}, name or uid, uid) if uid else None


def of(learn: Learn) -> Lists:
    """The listing, with the adapter's reading of a key."""
    return lists(
        Walk(
            covers="the keys of sub-accounts, not the master account's own",
            subs=Pages(
                read=SUBS,
                rows=inside("result", "subMembers"),
                next=by_cursor(inside("result", "nextCursor"), "nextCursor", pageSize=100),
            ),
            owner=_owner,
            keys=Pages(
                read=KEYS,
                rows=inside("result", "result"),
                next=by_cursor(inside("result", "nextPageCursor"), "cursor", limit=20),
                most=MOST_KEY_PAGES,
            ),
            key="apiKey",
            label="note",
            learn=learn,
        )
    )
