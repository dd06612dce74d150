"""Gate: a main account's key lists the account's own keys (masked), and with `sub_accounts` those of sub-accounts.

https://www.gate.com/docs/developers/apiv4/en/#list-all-api-key-pairs-of-the-sub-account
"""

from msgspec.structs import replace

from bfaudit.exchanges.base import Context, Listed, Listing, Lists, Read, Replies
from bfaudit.exchanges.listing import Learn, Owner, Row, Walk, because, lists, others, told
from bfaudit.exchanges.listing.pages import STRANGE, Pages, account_number, plain
from bfaudit.exchanges.values import text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Json, Source

KEYS = Read(
    label="sub-keys",
    path="GET /api/v4/sub_accounts/{user_id}/keys",
    call="privateSubAccountsGetSubAccountsUserIdKeys",
    pool="sub_accounts",
    needs="sub_accounts",
    expects=("[]",),
)


def _owner(row: Row) -> Owner | None:
    uid = account_number(row.get("user_id"))
    return Owner({"user_id": uid}, plain(row.get("login_name")) or uid, uid) if uid else None


def _list(body: Json) -> Json:
    return body


def of(own: Read, subs: Read, learn: Learn) -> Lists:
    """The listing, with the adapter's reads and its reading of a key; its own keys it has read before."""
    found = lists(
        Walk(
            covers="the main account's own keys, masked, and the keys of sub-accounts",
            subs=Pages(read=subs, rows=_list),
            owner=_owner,
            keys=Pages(read=KEYS, rows=_list),
            key="key",
            label="name",
            learn=learn,
        )
    )

    def parse(replies: Replies, context: Context) -> Listing:
        listing = found.parse(replies, context)
        mine, why = _own(replies, context, own, learn)
        reasons = [reason for reason in (why, listing.incomplete) if reason]
        return Listing((*others(mine, context), *listing.keys), because(reasons))

    return replace(found, parse=parse)


def _own(
    replies: Replies, context: Context, read: Read, learn: Learn
) -> tuple[tuple[Listed, ...], str | None]:
    """The main account's keys, out of the reply that `fetch` has asked for."""
    reply = replies.get(read.label)
    if reply is None or reply.verdict:
        say = reply.verdict.say if reply and reply.verdict else "not asked"
        return (), f"{read.path}: {say}"
    rows = reply.body if isinstance(reply.body, list) else [reply.body]
    keys: list[Listed] = []
    for row in rows:
        key = text_or_none(row.get("key")) if isinstance(row, dict) else None
        if key is None:
            return tuple(keys), f"{read.path}: {STRANGE}"
        uid = account_number(row.get("user_id"))
        facts = FactsBuilder(read.path, Source.INVENTORY)
        learn(facts, row, context)
        if uid:
            facts.know("account_facts.uid", uid)
        keys.append(
            Listed(
                key=key,
                owner=uid or "main account",
                uid=uid,
                label=text_or_none(row.get("name")),
                request=read.path,
                facts=told(facts),
            )
        )
    return tuple(keys), None
