"""Lists that come page by page: what to ask for next, and what the pages show. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from bfaudit.exchanges.base import NOTHING, Read, Replies
from bfaudit.exchanges.values import text_or_none
from bfaudit.model import Json

MOST_PAGES = 100
MOST_KEY_PAGES = 20
"""Of one account's keys: exchanges allow some dozens of keys."""
STRANGE = "an answer of a form that its documentation does not know"

Params = Mapping[str, Any]
Next = Callable[[int, Json], Params | None]
"""The parameters of a page, from its number (1 first) and the body of the page before; None where there is none."""


class Pages(Struct, frozen=True, kw_only=True):
    """A list that is read page by page."""

    read: Read
    rows: Callable[[Json], Json]
    """The list in a body; anything else than a list is an undocumented form."""
    next: Next = lambda number, _before: NOTHING if number == 1 else None
    most: int = MOST_PAGES


class Seen(NamedTuple):
    """The rows of a list so far, and why that is not all."""

    rows: list[Json]
    why: str | None


def by_number(rows: Callable[[Json], Json], size: int, *, page: str = "page", limit: str = "limit",
              total: Callable[[Json], Json] = lambda _body: None) -> Next:  # fmt: skip
    """Pages by number; a page that is not full is the last, unless more rows are told of than such pages hold."""

    def following(number: int, before: Json) -> Params | None:
        listed, told = rows(before), total(before)
        count = len(listed) if isinstance(listed, list) else 0
        short = isinstance(told, int) and 0 < count * (number - 1) < told
        return {page: number, limit: size} if number == 1 or count >= size or short else None

    return following


def by_cursor(cursor: Callable[[Json], Json], param: str, **fixed: Any) -> Next:
    """Pages by a cursor that comes with the page before; empty, "0" or none ends them."""

    def following(number: int, before: Json) -> Params | None:
        if number == 1:
            return fixed
        found = plain(cursor(before))
        return None if found in (None, "0") else {**fixed, param: found}

    return following


_PLAIN = re.compile(r"[\w.@+%=:/~-]{1,200}", re.ASCII)


def plain(value: Json) -> str | None:
    """A name, number or cursor that may stand in a query as it is; None for anything else."""
    text = text_or_none(value)
    return text if text and _PLAIN.fullmatch(text) else None


def account_number(value: Json) -> str | None:
    """An account number, which may stand in a path; None for anything else."""
    text = text_or_none(value)
    return text if text and text.isascii() and text.isdigit() and len(text) < 25 else None


def inside(*names: str) -> Callable[[Json], Json]:
    """The value at a path of a body; None where it is not there."""

    def find(body: Json) -> Json:
        for name in names:
            body = body.get(name) if isinstance(body, dict) else None
        return body

    return find


def unasked(pages: Pages) -> str:
    """Why a list is not whole whose next page was not asked for."""
    return f"{pages.read.path}: not every page was asked for"


def seen(replies: Replies, pages: Pages, name: str) -> Seen:
    """The rows of all pages, and why they are not all; pure."""
    rows: list[Json] = []
    before: Json = None
    for place in range(1, pages.most + 1):
        if pages.next(place, before) is None:
            return Seen(rows, None)
        reply = replies.get(f"{name}:{place}")
        if reply is None:
            return Seen(rows, unasked(pages))
        if reply.verdict:
            return Seen(rows, f"{pages.read.path}: {reply.verdict.say}")
        found = pages.rows(reply.body)
        if not isinstance(found, list):
            return Seen(rows, f"{pages.read.path}: {STRANGE}")
        if found and place > 1 and found == pages.rows(before):
            return Seen(rows, f"{pages.read.path}: the same page came again")
        rows += found
        before = reply.body
    ended = pages.next(pages.most + 1, before) is None
    return Seen(rows, None if ended else f"{pages.read.path}: more than {pages.most} pages")
