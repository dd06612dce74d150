"""BingX: Read of a main account lists its own keys, its sub-accounts, and theirs; every key is masked.

https://bingx-api.github.io/docs-v3/#/en/Account%20and%20Wallet/Sub-account%20Management/
"""

from msgspec.structs import replace

from bfaudit.exchanges.base import Context, Listing, Lists, Read, Replies
from bfaudit.exchanges.listing import Learn, Owner, Row, Walk, lists, others
from bfaudit.exchanges.listing.pages import Pages, account_number, by_number, inside, plain
from bfaudit.model import Json

SIZE = 100


def _subs(body: Json) -> Json:
    """`result`, which another official page calls `subAccountList`."""
    data = inside("data")(body)
    return data.get("result", data.get("subAccountList")) if isinstance(data, dict) else None


def _keys(body: Json) -> Json:
    data = inside("data")(body)
    return data.get("apiInfos", data.get("apiKeyList")) if isinstance(data, dict) else None


def _owner(row: Row) -> Owner | None:
    uid = account_number(row.get("subUid", row.get("uid")))
    return Owner({"uid": uid}, plain(row.get("subAccountString")) or uid, uid) if uid else None


def _self(body: Json) -> Owner | None:
    uid = account_number(inside("data", "uid")(body))
    return Owner({"uid": uid}, uid, uid) if uid else None


def of(uid: Read, subs: Read, keys: Read, learn: Learn) -> Lists:
    """The listing, with the adapter's reads and its reading of a key."""
    found = lists(
        Walk(
            covers="the account's own keys and those of its sub-accounts",
            own=uid,
            own_owner=_self,
            subs=Pages(
                read=subs, rows=_subs, next=by_number(_subs, SIZE, total=inside("data", "total"))
            ),
            owner=_owner,
            keys=Pages(read=keys, rows=_keys),
            key="apiKey",
            label="note",
            learn=learn,
        )
    )

    def parse(replies: Replies, context: Context) -> Listing:
        listing = found.parse(replies, context)
        return replace(listing, keys=others(listing.keys, context))

    return replace(found, parse=parse)
