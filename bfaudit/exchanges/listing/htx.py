"""HTX: Read of a master account lists its own keys, its sub-users, and theirs.

https://www.htx.com/en-us/opend/newApiPages/?id=7ec52c92-7773-11ed-9966-0242ac110003
"""

from bfaudit.exchanges.base import Lists, Read
from bfaudit.exchanges.listing import Learn, Owner, Walk, lists
from bfaudit.exchanges.listing.pages import Pages, account_number, by_cursor, inside
from bfaudit.model import Json


def _owner(uid: Json) -> Owner | None:
    found = account_number(uid)
    return Owner({"uid": found}, found, found) if found else None


def of(uid: Read, subs: Read, keys: Read, learn: Learn) -> Lists:
    """The listing, with the adapter's reads and its reading of a key."""
    return lists(
        Walk(
            covers="the account's own keys and those of its sub-users",
            own=uid,
            own_owner=lambda body: _owner(inside("data")(body)),
            subs=Pages(read=subs, rows=inside("data"), next=by_cursor(inside("nextId"), "fromId")),
            owner=lambda row: _owner(row.get("uid")),
            # Without `accessKey`, every key of the uid is shown.
            keys=Pages(read=keys, rows=inside("data")),
            key="accessKey",
            label="note",
            learn=learn,
        )
    )
