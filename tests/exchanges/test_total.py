"""Adapters against anything at all: parsing is total, and what is not the documented success proves nothing."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bfaudit.exchanges import known
from bfaudit.exchanges.base import Adapter, Context, Reply
from bfaudit.exchanges.judging import judge
from bfaudit.facts import Kind, spec_of
from bfaudit.model import Facts, Grant
from bfaudit.scan.answer import read as read_body
from tests.exchanges.recorded import NOW, OWN_KEY, cases

ADAPTERS = {adapter.id: adapter for adapter in known().values()}
CONTEXT = Context(now=NOW, own_key=lambda text: text == OWN_KEY, secret_kind="hmac")
EDGES = (
    "", "0", "-1", "²", "*", "9" * 30, "a,b", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", OWN_KEY,
    "withdraw", "trade", 0, 1, -1, -2, 10**30, 1e308, 1753030929, 1753030929000,
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(EDGES)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
)
RECORDED = sorted({name.split("/")[0] for name, _ in cases()} & ADAPTERS.keys())
SETTINGS = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(SETTINGS, max_examples=10)
TYPES: dict[Kind, Any] = {
    Kind.GRANT: Grant,
    Kind.BOOL: bool,
    Kind.TEXT: str | None,
    Kind.TIME: datetime | None,
    Kind.TEXTS: tuple | None,
}


def _replies(adapter: Adapter, bodies: dict[str, tuple[int, bytes]]) -> dict[str, Reply]:
    made = {}
    for read in adapter.reads:
        if read.label in bodies:
            raw = read_body(*bodies[read.label], {})
            reply = Reply(read=read, http=raw.http, form=raw.form, body=raw.body)
            made[read.label] = replace(reply, verdict=judge(adapter, reply))
    return made


def _grants(facts: Facts) -> dict[str, Any]:
    return {
        path: fact.value for path, fact in facts.known.items() if spec_of(path).kind is Kind.GRANT
    }


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


@st.composite
def _anything(draw: Any, adapter: Adapter) -> dict[str, tuple[int, bytes]]:
    labels = [read.label for read in adapter.reads]
    body = JSON.map(_encoded) | st.binary() | st.just(b"<html>")
    answer = st.tuples(st.sampled_from((200, 400, 401, 403, 429, 500)), body)
    chosen = draw(st.sets(st.sampled_from(labels)))
    return {label: draw(answer) for label in sorted(chosen)}


@pytest.mark.parametrize("exchange", sorted(ADAPTERS))
def test_what_is_not_the_documented_success_proves_nothing(exchange):
    """Nothing is granted or denied beyond what the exchange's model alone says, and nothing raises."""
    adapter = ADAPTERS[exchange]
    without = _grants(adapter.parse({}, CONTEXT))

    @given(_anything(adapter))
    @(SETTINGS if exchange in RECORDED else FEW)
    def check(bodies):
        replies = _replies(adapter, bodies)
        facts = adapter.parse(replies, CONTEXT)
        assume(not any(reply.ok for reply in replies.values()))

        assert _grants(facts).items() <= without.items()
        assert Grant.GRANTED not in _grants(facts).values()

    check()


def _successes(adapter: Adapter) -> list[dict[str, Any]]:
    """The replies of every recorded case that are JSON with HTTP 200."""
    found = []
    for name, case in cases():
        if name.split("/")[0] == adapter.id:
            replies = case["replies"].items()
            found.append({label: given["json"] for label, given in replies if "json" in given})
    return [bodies for bodies in found if bodies]


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [at, *(place for key, item in inner for place in _places(item, (*at, key)))]


def _put(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = _put(value[at[0]], at[1:], new)
    return copy


@st.composite
def _spoilt(draw: Any, successes: list[dict[str, Any]]) -> dict[str, tuple[int, bytes]]:
    bodies = draw(st.sampled_from(successes))
    spoilt = {}
    for label, body in bodies.items():
        new = body
        for _ in range(draw(st.integers(0, 3))):
            place = draw(st.sampled_from(_places(new)))
            new = _put(new, place, draw(st.sampled_from(EDGES) | JSON))
        spoilt[label] = (200, _encoded(new))
    return spoilt


@pytest.mark.parametrize("exchange", RECORDED)
def test_a_spoilt_success_is_still_parsed(exchange):
    """Whatever stands in the place of a documented field, facts come out, each of its catalogue's type."""
    adapter = ADAPTERS[exchange]
    successes = _successes(adapter)

    @given(_spoilt(successes))
    @SETTINGS
    def check(bodies):
        _check(adapter.parse(_replies(adapter, bodies), CONTEXT))

    check()


def _check(facts: Facts) -> None:
    for path, fact in facts.known.items():
        assert isinstance(fact.value, TYPES[spec_of(path).kind]), (path, fact.value)
        if isinstance(fact.value, datetime):
            assert fact.value.tzinfo is UTC
    assert all(facts.unknown.values())
    assert not facts.known.keys() & facts.unknown.keys()


@pytest.mark.parametrize("exchange", RECORDED)
def test_every_field_with_every_edge(exchange):
    """Each field of the widest recorded replies in turn holds each value at the edge of its type."""
    adapter = ADAPTERS[exchange]
    widest = sorted(_successes(adapter), key=lambda bodies: len(repr(bodies)))[-2:]

    for bodies in widest:
        encoded = {label: (200, _encoded(body)) for label, body in bodies.items()}
        replies = _replies(adapter, encoded)
        for label, body in bodies.items():
            for place in _places(body):
                for edge in (None, True, [], {}, [None], *EDGES):
                    spoilt = {label: (200, _encoded(_put(body, place, edge)))}
                    _check(adapter.parse({**replies, **_replies(adapter, spoilt)}, CONTEXT))
