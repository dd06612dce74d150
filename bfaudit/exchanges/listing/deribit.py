"""Deribit: `list_api_keys`, which every scan reads, shows all keys of the account, but not those of sub-accounts."""

from bfaudit.exchanges.base import Ask, Context, Listed, Listing, Lists, Read, Replies
from bfaudit.exchanges.listing import Learn, because, told
from bfaudit.exchanges.listing.pages import STRANGE
from bfaudit.exchanges.values import text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Source


async def _fetch(_ask: Ask) -> None:
    """The adapter's own read is the list."""


def of(read: Read, learn: Learn) -> Lists:
    """The listing, with the adapter's read and its reading of a key. Rows hold secrets, which are not looked at."""

    def parse(replies: Replies, context: Context) -> Listing:
        reply, account = replies.get(read.label), replies.get("account")
        if reply is None or reply.verdict:
            say = reply.verdict.say if reply and reply.verdict else "not asked"
            return Listing((), f"{read.path}: {say}")
        rows = reply.body.get("result") if isinstance(reply.body, dict) else None
        told_of = account.body if account is not None and account.ok else None
        result = told_of.get("result") if isinstance(told_of, dict) else None
        uid = text_or_none(result.get("id")) if isinstance(result, dict) else None
        keys, why = [], [] if isinstance(rows, list) else [f"{read.path}: {STRANGE}"]
        for row in rows if isinstance(rows, list) else ():
            key = text_or_none(row.get("client_id")) if isinstance(row, dict) else None
            if key is None:
                why.append(f"{read.path}: {STRANGE}")
                continue
            facts = FactsBuilder(read.path, Source.INVENTORY)
            learn(facts, row, context)
            if uid:
                facts.know("account_facts.uid", uid)
            label = text_or_none(row.get("name"))
            keys.append(
                Listed(
                    key=key,
                    owner=uid or "this account",
                    uid=uid,
                    label=label,
                    request=read.path,
                    facts=told(facts),
                )
            )
        return Listing(tuple(keys), because(why))

    return Lists(
        reads=(read,),
        covers="the keys of the same account or sub-account",
        fetch=_fetch,
        parse=parse,
    )
