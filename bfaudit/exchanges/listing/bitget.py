"""Bitget: a main account's key with sub-account (classic) or uta_mgt (unified) lists sub-accounts' keys, not its own.

https://www.bitget.com/api-doc/common/vsubaccount/Get-Virtual-Subaccount-ApiKey-List
"""

from bfaudit.exchanges.base import Ask, Context, Listing, Lists, Read, Replies
from bfaudit.exchanges.listing import Learn, Owner, Row, Walk, because, fetch, parse
from bfaudit.exchanges.listing.pages import (
    MOST_KEY_PAGES,
    Pages,
    account_number,
    by_cursor,
    inside,
    plain,
)
from bfaudit.model import Json, Reason

SUBS = Read(
    label="sub-accounts",
    path="GET /api/v2/user/virtual-subaccount-list",
    call="privateUserGetV2UserVirtualSubaccountList",
    pool="sub-accounts",
    needs="Sub-account",
    expects=("data.subAccountList",),
)
KEYS = Read(
    label="sub-keys",
    path="GET /api/v2/user/virtual-subaccount-apikey-list",
    call="privateUserGetV2UserVirtualSubaccountApikeyList",
    pool="sub-accounts",
    needs="Sub-account",
    expects=("data.[]",),
)
UNIFIED_SUBS = Read(
    label="unified-sub-accounts",
    path="GET /api/v3/user/sub-list",
    call="privateUtaGetV3UserSubList",
    pool="sub-accounts",
    needs="UTA management",
    expects=("data.list", "data.items"),
)
UNIFIED_KEYS = Read(
    label="unified-sub-keys",
    path="GET /api/v3/user/sub-api-list",
    call="privateUtaGetV3UserSubApiList",
    pool="sub-accounts",
    needs="UTA management",
    expects=("data.list", "data.items"),
)
SIZE = 100


def _rows(body: Json) -> Json:
    """SDKs disagree on the name of the list."""
    data = inside("data")(body)
    return data.get("list", data.get("items")) if isinstance(data, dict) else None


def _cursor(body: Json) -> Json:
    """`hasNext` may say that the cursor leads nowhere."""
    data = inside("data")(body)
    return data.get("cursor") if isinstance(data, dict) and data.get("hasNext") is not False else None  # fmt: skip


def _end(body: Json) -> Json:
    """`endId` of a full page; every page has one."""
    rows = inside("data", "subAccountList")(body)
    return inside("data", "endId")(body) if isinstance(rows, list) and len(rows) >= SIZE else None


def _owner(row: Row) -> Owner | None:
    uid = account_number(row.get("subAccountUid"))
    name = plain(row.get("subAccountName"))
    return Owner({"subAccountUid": uid}, name or uid, uid) if uid else None


def _unified_owner(row: Row) -> Owner | None:
    uid = account_number(row.get("subUid"))
    return Owner({"subUid": uid}, plain(row.get("username")) or uid, uid) if uid else None


def of(classic: Learn, unified: Learn) -> Lists:
    """The listing, with the adapter's two readings of a key: unified first, and where that is refused, classic."""
    covers = "the keys of (virtual) sub-accounts, not the main account's own"
    old = Walk(
        covers=covers,
        name="classic-list",
        subs=Pages(
            read=SUBS,
            rows=inside("data", "subAccountList"),
            next=by_cursor(_end, "idLessThan", limit=SIZE),
        ),
        owner=_owner,
        skip=lambda row: row.get("status") == "del",
        keys=Pages(read=KEYS, rows=inside("data")),
        key="subAccountApiKey",
        label="label",
        learn=classic,
    )
    new = Walk(
        covers=covers,
        subs=Pages(read=UNIFIED_SUBS, rows=_rows, next=by_cursor(_cursor, "cursor", limit=SIZE)),
        owner=_unified_owner,
        keys=Pages(
            read=UNIFIED_KEYS,
            rows=_rows,
            next=by_cursor(_cursor, "cursor", limit=SIZE),
            most=MOST_KEY_PAGES,
        ),
        key="apiKey",
        label="note",
        learn=unified,
    )

    async def ask_either(ask: Ask) -> None:
        first = (await fetch(ask, new))[f"{new.name}:subs:1"]
        if first.refused(Reason.ACCOUNT_RESTRICTED, Reason.MISSING_PERMISSION):
            await fetch(ask, old)

    def parse_either(replies: Replies, context: Context) -> Listing:
        first, second = replies.get(f"{new.name}:subs:1"), replies.get(f"{old.name}:subs:1")
        if second is None:
            return parse(replies, context, new)
        listing = parse(replies, context, old)
        if second.ok or first is None or first.refused(Reason.ACCOUNT_RESTRICTED):
            return listing
        why = (parse(replies, context, new).incomplete, listing.incomplete)
        return Listing(listing.keys, because([reason for reason in why if reason]))

    return Lists(
        reads=(UNIFIED_SUBS, UNIFIED_KEYS, SUBS, KEYS),
        covers=covers,
        fetch=ask_either,
        parse=parse_either,
    )
