"""How a master key's listing is walked: pages of sub-accounts, then pages of each one's keys. One file per exchange.

`fetch` and `parse` walk the same way: `fetch` asks page after page, `parse` follows the labels of the replies.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from bfaudit.exchanges.base import (
    NOTHING,
    Ask,
    Context,
    Listed,
    Listing,
    Lists,
    Read,
    Replies,
    Reply,
)
from bfaudit.exchanges.listing.pages import STRANGE, Pages, Params, seen, unasked
from bfaudit.exchanges.values import text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason, Source

MOST_SUBS = 2_000

# A refusal that is about one sub-account, or passes; any other would be given for the next one too.
GO_ON = (Reason.ACCOUNT_RESTRICTED, Reason.UNEXPECTED_ANSWER, Reason.SERVER_ERROR)

Row = Mapping[str, Json]
Learn = Callable[[FactsBuilder, dict[str, Json], Context], None]
"""Puts what the row of a key tells into facts."""


class Owner(NamedTuple):
    """The account whose keys are asked for."""

    ask: Params
    """How the exchange is asked for it."""
    name: str
    uid: str | None = None


class More(NamedTuple):
    """A read for each key, beside the list."""

    read: Read
    ask: Callable[[Owner, Row], Params | None]
    """Its parameters; None where the row has not the documented form."""
    learn: Callable[[FactsBuilder, dict[str, Json], str], None]
    """Puts what its body tells into facts, with the request as evidence."""


class Walk(Struct, frozen=True, kw_only=True):
    """How one exchange lists sub-accounts and their keys."""

    covers: str
    name: str = "list"
    """What the labels of its replies begin with."""
    subs: Pages
    owner: Callable[[Row], Owner | None]
    """The sub-account of a row; None where it has not the documented form."""
    skip: Callable[[Row], bool] = lambda _row: False
    """Whether a sub-account has no keys that work, such as a deleted one."""
    keys: Pages
    key: str
    """The field of a row that holds the key."""
    label: str
    learn: Learn
    own: Read | None = None
    """The read that names the calling account, where its own keys are listed too."""
    own_owner: Callable[[Json], Owner | None] = lambda _body: None
    more: More | None = None


def lists(walk: Walk) -> Lists:
    """The listing of an exchange."""
    reads = (walk.own, walk.subs.read, walk.keys.read, walk.more and walk.more.read)

    async def send(ask: Ask) -> None:
        await fetch(ask, walk)

    return Lists(
        reads=tuple(read for read in reads if read),
        covers=walk.covers,
        fetch=send,
        parse=lambda replies, context: parse(replies, context, walk),
    )


async def fetch(ask: Ask, walk: Walk) -> Replies:
    """Every page of sub-accounts, and every page of each one's keys. What came back, by its label."""
    got: dict[str, Reply] = {}

    async def send(read: Read, params: Params, label: str) -> Reply:
        got[label] = await ask(read, params, label=label)
        return got[label]

    if walk.own and not (await send(walk.own, NOTHING, f"{walk.name}:own")).ok:
        return got
    await _pages(send, walk.subs, f"{walk.name}:subs", NOTHING)
    for name, owner in _owners(got, walk):
        label = f"{walk.name}:keys:{name}"
        last = await _pages(send, walk.keys, label, owner.ask)
        if walk.more:
            for place, row in enumerate(seen(got, walk.keys, label).rows):
                params = walk.more.ask(owner, row) if isinstance(row, dict) else None
                if params is not None:
                    last = await send(walk.more.read, params, f"{walk.name}:more:{name}:{place}")
        if not last.ok and not last.refused(*GO_ON):
            break
    return got


async def _pages(
    send: Callable[[Read, Params, str], Awaitable[Reply]], pages: Pages, name: str, fixed: Params
) -> Reply:
    got: dict[str, Reply] = {}
    while True:
        place = len(got) + 1
        before = got[f"{name}:{place - 1}"].body if got else None
        params = pages.next(place, before) or NOTHING
        label = f"{name}:{place}"
        got[label] = await send(pages.read, {**fixed, **params}, label)
        if place >= pages.most or seen(got, pages, name).why != unasked(pages):
            return got[label]


def _owners(replies: Replies, walk: Walk) -> Iterator[tuple[str, Owner]]:
    """The accounts whose keys are asked for, by the name that their replies have."""
    if walk.own and (reply := replies.get(f"{walk.name}:own")) and reply.ok:
        owner = walk.own_owner(reply.body)
        if owner is not None:
            yield "own", owner
    for place, row in enumerate(seen(replies, walk.subs, f"{walk.name}:subs").rows[:MOST_SUBS], 1):
        if isinstance(row, dict) and not walk.skip(row) and (owner := walk.owner(row)):
            yield str(place), owner


def parse(replies: Replies, context: Context, walk: Walk) -> Listing:
    """The keys that the replies show, and why they may not be all."""
    keys: list[Listed] = []
    why = list(_missing_subs(replies, walk))
    for name, owner in _owners(replies, walk):
        found = seen(replies, walk.keys, f"{walk.name}:keys:{name}")
        why += [found.why] if found.why else []
        for place, row in enumerate(found.rows):
            more = replies.get(f"{walk.name}:more:{name}:{place}")
            one = _listed(row, owner, context, walk, more, sub=name != "own")
            if one is None:
                why.append(f"{walk.keys.read.path}: {STRANGE}")
                continue
            if walk.more:
                why += _more(walk.more, more)
            keys.append(one)
    return Listing(tuple(keys), because(why))


def because(why: Sequence[str]) -> str | None:
    """Why a listing is not whole, each reason once, and no more than three."""
    different = list(dict.fromkeys(why))
    more = [f"and {len(different) - 3} more reasons"] if len(different) > 3 else []
    return "; ".join([*different[:3], *more]) or None


def _missing_subs(replies: Replies, walk: Walk) -> Iterator[str]:
    if walk.own:
        reply = replies.get(f"{walk.name}:own")
        if reply is None or reply.verdict:
            yield f"{walk.own.path}: {reply.verdict.say if reply and reply.verdict else 'not asked'}"
        elif walk.own_owner(reply.body) is None:
            yield f"{walk.own.path}: {STRANGE}"
    found = seen(replies, walk.subs, f"{walk.name}:subs")
    if found.why:
        yield found.why
    if len(found.rows) > MOST_SUBS:
        yield f"{walk.subs.read.path}: more than {MOST_SUBS} sub-accounts"
    for row in found.rows[:MOST_SUBS]:
        if not isinstance(row, dict) or (not walk.skip(row) and walk.owner(row) is None):
            yield f"{walk.subs.read.path}: {STRANGE}"


def _more(more: More, reply: Reply | None) -> list[str]:
    if reply is None:
        return [f"{more.read.path}: not asked for every key"]
    return [f"{more.read.path}: {reply.verdict.say}"] if reply.verdict else []


def _listed(
    row: Json, owner: Owner, context: Context, walk: Walk, more: Reply | None, *, sub: bool
) -> Listed | None:
    key = text_or_none(row.get(walk.key)) if isinstance(row, dict) else None
    if key is None:
        return None
    facts = FactsBuilder(walk.keys.read.path, Source.INVENTORY)
    walk.learn(facts, row, context)
    if walk.more and more is not None and more.ok and isinstance(more.body, dict):
        walk.more.learn(facts, more.body, walk.more.read.path)
    if owner.uid:
        facts.know("account_facts.uid", owner.uid)
    if sub:
        facts.know("account_facts.is_master", False)
    return Listed(
        key=key,
        owner=owner.name,
        uid=owner.uid,
        label=text_or_none(row.get(walk.label)),
        request=walk.keys.read.path,
        facts=told(facts),
    )


def told(facts: FactsBuilder) -> Facts:
    """What a listing tells; what it does not tell is no news of the key."""
    return Facts(facts.build({}, "-").known, {})


def others(keys: tuple[Listed, ...], context: Context) -> tuple[Listed, ...]:
    """The keys but the one that lists them, where that is masked and can be told from the others."""
    own = [one for one in keys if "*" in one.key and context.own_key(one.key)]
    return tuple(one for one in keys if one is not own[0]) if len(own) == 1 else keys
