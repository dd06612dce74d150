"""Listings against recorded replies, and against anything at all: what a master key sees of the others."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bfaudit.exchanges import known
from bfaudit.exchanges.base import NOTHING, Adapter, Context, Listing, Reply
from bfaudit.exchanges.judging import judge
from bfaudit.exchanges.listing import MOST_SUBS
from bfaudit.exchanges.listing.pages import MOST_PAGES, by_number, inside
from bfaudit.facts import spec_of
from bfaudit.model import Source
from bfaudit.scan.answer import read as read_body
from tests.exchanges.recorded import FOLDER, NOW, OWN_KEY, RecordedAsk, parsed, reply
from tests.exchanges.test_total import (
    EDGES,
    JSON,
    SETTINGS,
    TYPES,
    _encoded,
    _places,
    _put,
)

CASES = {
    f"{path.parent.name}/{path.stem}": parsed(path)
    for path in sorted(FOLDER.glob("*/inventory-*.yaml"))
}
LISTING = sorted({adapter.id for adapter in known().values() if adapter.lists})


def _is_own(text: str) -> bool:
    head, _, tail = text.partition("*")
    return OWN_KEY == text or bool(head and "*" in text and OWN_KEY.startswith(head) and OWN_KEY.endswith(tail.strip("*")))  # fmt: skip


CONTEXT = Context(now=NOW, own_key=_is_own, secret_kind="hmac")


def _read_before(adapter: Adapter, replies: Mapping[str, Any]) -> dict[str, Reply]:
    """The replies to the adapter's own reads, which came before the listing."""
    return {
        read.label: reply(adapter, read, replies[read.label])
        for read in adapter.reads
        if read.label in replies
    }


def _run(adapter: Adapter, case: Mapping[str, Any]) -> tuple[RecordedAsk, Listing]:
    ask = RecordedAsk(adapter, case["replies"])
    asyncio.run(adapter.lists.fetch(ask))
    return ask, adapter.lists.parse(
        {**_read_before(adapter, case["replies"]), **ask.replies}, CONTEXT
    )


@pytest.mark.parametrize("name", CASES)
def test_recorded_listing(name):
    """What a listing shows is what the case expects, key by key; each fact says that the listing is its source."""
    case = CASES[name]
    ask, listing = _run(known()[name.split("/")[0]], case)
    expected = case["expect"]

    if "requests" in expected:
        assert expected["requests"] == ask.asked
    if expected.get("incomplete") is None:
        assert listing.incomplete is None
    else:
        assert expected["incomplete"] in (listing.incomplete or "")
    assert [one["key"] for one in expected["keys"]] == [one.key for one in listing.keys]
    for wanted, one in zip(expected["keys"], listing.keys, strict=True):
        assert wanted["owner"] == one.owner
        assert wanted.get("label") == one.label
        assert wanted.get("uid") == one.uid
        shown = {path: _plain(fact.value) for path, fact in one.facts.known.items()}
        assert wanted["facts"].items() <= shown.items(), shown
        assert not set(wanted.get("silent", ())) & shown.keys(), shown
        assert {Source.INVENTORY} >= {fact.source for fact in one.facts.known.values()}


def _plain(value):
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("exchange", LISTING)
def test_every_listing_has_cases(exchange):
    """A listing without recordings is not finished: one that is whole, and one that is not."""
    mine = [case for name, case in CASES.items() if name.startswith(f"{exchange}/")]

    assert {bool(case["expect"].get("incomplete")) for case in mine} == {True, False}


def _check(listing: Listing) -> None:
    for one in listing.keys:
        assert one.key
        assert one.owner
        assert one.request
        for path, fact in one.facts.known.items():
            assert isinstance(fact.value, TYPES[spec_of(path).kind]), (path, fact.value)
    assert listing.incomplete is None or len(listing.incomplete) < 2000


def _reply(adapter: Adapter, read: Any, body: Any, status: int = 200) -> Reply:
    raw = read_body(status, body if isinstance(body, bytes) else _encoded(body), {})
    made = Reply(read=read, http=raw.http, form=raw.form, body=raw.body)
    return replace(made, verdict=judge(adapter, made))


class AnyAsk:
    """Answers every read with the next of some bodies, forever."""

    key, wants_uid = OWN_KEY, False

    def __init__(self, adapter: Adapter, bodies: list[Any]) -> None:
        self.adapter, self.bodies, self.replies = adapter, bodies, {}

    async def __call__(self, read, params=NOTHING, *, label=None):
        body = self.bodies[len(self.replies) % len(self.bodies)]
        assert len(self.replies) < 9_000, "no end"
        self.replies[label or read.label] = made = _reply(self.adapter, read, body)
        return made


@pytest.mark.parametrize("exchange", LISTING)
def test_anything_at_all(exchange):
    """Fetching ends and parsing is total, whatever comes; what is not documented makes a listing incomplete."""
    adapter = known()[exchange]

    @given(st.lists(JSON | st.binary(max_size=20), min_size=1, max_size=4))
    @SETTINGS
    def check(bodies):
        ask = AnyAsk(adapter, bodies)
        asyncio.run(adapter.lists.fetch(ask))
        own = {read.label: _reply(adapter, read, bodies[0]) for read in adapter.reads}
        _check(adapter.lists.parse({**own, **ask.replies}, CONTEXT))
        _check(adapter.lists.parse(ask.replies, CONTEXT))

    check()
    assert adapter.lists.parse({}, CONTEXT).incomplete
    assert not adapter.lists.parse({}, CONTEXT).keys


def _spoilt(case: Mapping[str, Any]) -> list[tuple[str, tuple[Any, ...]]]:
    return [
        (label, place)
        for label, given in case["replies"].items()
        if "json" in given
        for place in _places(given["json"])
    ]


@pytest.mark.parametrize("name", CASES)
def test_every_field_with_every_edge(name):
    """Each field of the recorded replies in turn holds each value at the edge of its type."""
    case, adapter = CASES[name], known()[name.split("/")[0]]
    for label, place in _spoilt(case):
        for edge in (None, True, [], {}, [None], *EDGES):
            body = _put(case["replies"][label]["json"], place, edge)
            _check(_run(adapter, {"replies": {**case["replies"], label: {"json": body}}})[1])


@pytest.mark.parametrize("name", CASES)
def test_each_reply_refused(name):
    """Without any one of its replies a listing never claims to be whole, and never shows a key more."""
    case, adapter = CASES[name], known()[name.split("/")[0]]
    whole = _run(adapter, case)[1]
    used = set(_run(adapter, case)[0].asked) or {read.label for read in adapter.lists.reads}
    for label in used & case["replies"].keys():
        fewer = {**case["replies"], label: {"http": 503, "body": "<html>"}}
        listing = _run(adapter, {"replies": fewer})[1]

        assert listing.incomplete, label
        assert {one.key for one in listing.keys} <= {one.key for one in whole.keys}


def test_an_endless_list_ends():
    """A cursor that never ends, or a page that comes again, is not followed for ever."""
    adapter = known()["bybit"]

    class Endless(AnyAsk):
        async def __call__(self, read, params=NOTHING, *, label=None):
            at = len(self.replies)
            members = [{"uid": str(at * 1000 + n), "username": "x"} for n in range(100)]
            body = {"retCode": 0, "result": {"subMembers": members, "nextCursor": f"c{at}"}}
            if "keys" in label:
                body = {"retCode": 0, "result": {"result": [], "nextPageCursor": ""}}
            self.replies[label] = made = _reply(self.adapter, read, body)
            return made

    ask = Endless(adapter, [])
    asyncio.run(adapter.lists.fetch(ask))
    listing = adapter.lists.parse(ask.replies, CONTEXT)

    assert MOST_PAGES + MOST_SUBS == len(ask.replies)
    assert "more than 100 pages" in listing.incomplete
    assert "more than 2000 sub-accounts" in listing.incomplete


def test_names_that_would_change_a_request_are_not_asked_for():
    """A path or query is never made of what an exchange made up."""
    replies = {
        "gate": {"keys": {"json": []}, "list:subs:1": {"json": [{"user_id": "1/../../withdrawals", "login_name": "x"}]}},
        "binance": {"list:subs:1": {"json": {"subAccounts": [{"email": "a@b&email=c", "subUserId": "1&x"}]}}},
        "kucoin": {"list:subs:1": {"json": {"code": "200000", "data": {"totalPage": 1, "items": [{"subName": "a b&c"}]}}}},
    }  # fmt: skip
    for exchange, recorded in replies.items():
        ask, listing = _run(known()[exchange], {"replies": recorded})

        assert ["list:subs:1"] == ask.asked
        assert "does not know" in listing.incomplete


def test_pages_that_are_shorter_than_asked_for_are_not_the_last():
    """A list is whole when it has as many rows as its answers tell of, whatever a page holds."""
    following = by_number(inside("rows"), 100, total=inside("total"))
    page = {"rows": [{}] * 50, "total": 120}

    assert following(2, page) is not None
    assert following(3, page) is not None
    assert following(4, page) is None
    assert following(2, {"rows": [{}] * 50, "total": 50}) is None
    assert following(2, {"rows": [], "total": 120}) is None
    assert following(2, {"rows": [{}] * 50, "total": "many"}) is None
