"""One request and its answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar
from urllib.parse import parse_qsl

from bfaudit.model import Json
from bfaudit.sandbox.book import Book, Held
from bfaudit.sandbox.scenario import Account

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: JSON to encode, or bytes as they are."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    delay: float = 0.0
    """Seconds to wait before it."""
    reset: bool = False
    """Close the connection instead of answering."""


class Refused(Exception):
    """Raised by an endpoint to answer something other than its success."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


@dataclass(kw_only=True)
class Call:
    """One request, its local prefix stripped, and what is known of who sent it."""

    book: Book
    method: str
    path: str
    query: str
    """As sent, not decoded."""
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes
    address: str
    """The address the exchange sees."""
    now_ms: int
    """The exchange's clock, in milliseconds since 1970."""
    spend: Callable[["Call", str, float], None] = lambda _call, _pool, _weight: None
    """Counts weight against the limits of a pool; raises `Refused` where it does not fit."""
    key: Held | None = None
    """The key that the request names, if the exchange knows it."""
    verified: bool = False
    """Whether the signature was checked and is right."""

    @cached_property
    def params(self) -> Mapping[str, str]:
        """The parameters of the query, decoded."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The parameters of a form in the body, decoded."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def target(self) -> str:
        """Path and query, as sent."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def held(self) -> Held:
        """The key, behind a check that there is one."""
        if self.key is None:
            raise LookupError("asked before the key was checked")
        return self.key

    @property
    def account(self) -> Account:
        """The account of the key."""
        return self.held.account

    def mode(self, word: str) -> bool:
        """Whether the scenario asks for a variant, for the exchange or for this key."""
        return word in self.book.modes or (self.key is not None and word in self.key.key.modes)


def milliseconds(text: str | None) -> int | None:
    """A whole number of milliseconds, as sent; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None


def in_window(call: Call, stamp_ms: int | None, *, behind_ms: int, ahead_ms: int) -> bool:
    """Whether a time stamp is at most so far behind or ahead of the exchange's clock."""
    return stamp_ms is not None and -behind_ms <= stamp_ms - call.now_ms <= ahead_ms


def page(items: Sequence[T], number: int, size: int) -> Sequence[T]:
    """One page; pages count from 1."""
    return items[(number - 1) * size : number * size]


def number_of(call: Call, name: str, default: int, *, most: int) -> int:
    """A positive number from the query, at most `most`; the default where it is none."""
    text = call.params.get(name, "")
    return min(int(text), most) if text.isdigit() and 0 < len(text) < 10 and int(text) else default
