"""Evidence withheld or corrupted never turns a fail into a pass: replies to facts to conclusions to every rule of every pack.

Corrupted means: a member of an object is removed; any value becomes null or a value of another JSON type; a body is cut
off, or gives way to a web page, to nothing, to an error that nobody documents, or to no answer at all. One answer may be
struck in several places, and several answers of one connection at once. What is not meant is forgery: an answer that is
well-formed and says something else (another number, another text, a list with one item less) is what the exchange says.
So is a number in the place of a text and the reverse, and a boolean in the place of 0 or 1: exchanges document
identifiers and flags both ways.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bfaudit.evaluate import evaluate
from bfaudit.exchanges import bybit, known
from bfaudit.exchanges.base import Context
from bfaudit.model import Attestation, Connection, Facts, Outcome, Place, Scanned, Snapshot
from bfaudit.policy import read as policies
from bfaudit.policy.rules import Policy
from bfaudit.reach import conclude
from bfaudit.scan.status import judge_connection
from tests.exchanges.recorded import NOW, OWN_KEY, RecordedAsk, cases
from tests.scan.fourteen import FOURTEEN

LONG = bool(os.environ.get("BFAUDIT_TEST_LONG"))
SETTINGS = settings(
    max_examples=5000 if LONG else 40, deadline=None, suppress_health_check=list(HealthCheck)
)
POLICIES = policies.read(tuple(policies.packs()))
NO_ANSWER = (
    {"failure": "unreachable"},
    {"failure": "timeout"},
    {"body": ""},
    {"body": "<html>"},
    {"body": "null"},
    {"body": "{}"},
    {"http": 500, "body": ""},
    {"http": 429, "body": ""},
    {"http": 404, "body": "{}"},
    {"http": 400, "body": '{"code": "no-such", "msg": "", "label": "no-such"}'},
)
"""What may come instead of an answer; none of it speaks of the key."""
OTHERS = (None, True, False, 0, 1, 0.5, -1, "", "x", [], {}, [None], {"value": None})
"""Values to put in the place of one of another type."""
ITEMS = bybit.OTHERS | {"Teleport", "enableFiatWithdraw"}
"""Members by which an exchange says something only where they are there, as with the items of a list: groups of
permissions, and switches that no documentation knows."""

_SAID = Attestation(by="alice", on=date(2026, 11, 1), expires=date(2027, 5, 1))
_BASE = {"owner": "desk", "environment": "production", "created": date(2026, 10, 1)}
_VARIANTS: tuple[dict[str, Any], ...] = (
    {"requires": ("read", "trade"), "servers": ("203.0.113.10",), "strategy": "a"},
    {"requires": ("read",), "purpose": "monitor", "uid": "1", "parent": "2"},
    {"requires": ("read", "trade", "futures"), "vendor": "3Commas", "symbols": ("BTC/USDT",)},
    {"requires": ("read", "withdraw", "transfer"), "purpose": "treasury", "label": "bot"},
    {"requires": ("read", "trade", "margin", "options", "manage_keys"), "balance_cap": "100 USDT"},
    {"lifecycle": "retired"},
)
"""What a key may be declared to be: every rule applies to one of them."""


@cache
def _connections(exchange: str) -> list[Connection]:
    return [
        Connection(
            name=f"{exchange} {number}",
            exchange=exchange,
            account=str(number),
            place=Place("fleet.yaml", 1, 1),
            credentials={"key": "env:K", "secret": "env:S"},
            attestations={"two_factor": _SAID, "access_review": _SAID, "balance_cap": _SAID},
            **{**_BASE, **variant},
        )
        for number, variant in enumerate(_VARIANTS)
    ]


def _scans(exchange: str, recording: dict[str, Any], replies: dict[str, Any]) -> tuple[Scanned, ...]:  # fmt: skip
    """The scan of every variant, given the replies to whatever is asked."""
    adapter = known()[exchange]
    ask = RecordedAsk(adapter, replies, wants_uid=recording.get("wants_uid", False))
    asking = adapter.fetch(ask)
    with suppress(StopIteration):
        asking.send(None)  # a recording answers at once: no event loop is needed
    kind = recording.get("secret_kind", "hmac")
    context = Context(now=NOW, own_key=OWN_KEY.__eq__, secret_kind=kind)
    facts = conclude(adapter, adapter.parse(ask.replies, context), NOW)
    return tuple(
        _scanned(one, judge_connection(adapter, one, ask.replies, facts, NOW), facts)
        for one in _connections(exchange)
    )


def _outcomes(scans: tuple[Scanned, ...], of: Sequence[Policy]) -> dict[Any, Outcome]:
    """What rules say of every variant."""
    audit = evaluate(Snapshot(generated_at=NOW, connections=scans), of, NOW)
    return {(one.rule.id, one.connection): one.outcome for one in audit.results}


def _scanned(connection: Connection, answer: Any, facts: Facts) -> Scanned:
    return Scanned(
        connection=connection,
        status=answer.status,
        reason=answer.reason,
        detail=answer.detail,
        advice=answer.advice,
        scanned_at=NOW,
        fingerprint=connection.name,
        schemes={"key": "env", "secret": "env"},
        facts=facts,
    )


@dataclass(frozen=True)
class Case:
    """A recorded case, and the rules that it fails."""

    name: str
    recording: dict[str, Any]
    failed: frozenset[tuple[str, str]]
    """Rule and connection."""
    policies: tuple[Policy, ...]
    """Only the rules that fail somewhere: no other can go from fail to pass."""

    @property
    def replies(self) -> dict[str, Any]:
        return self.recording["replies"]


LIES = frozenset(
    {
        "mixed-list",
        "nulls",
        "read-only-unsaid",
        "strings-for-booleans",
        "wrong-shape",
        "wrong-types",
    }
)
"""Recordings that are no true answers: what is put in their place may tell more than they do."""


@cache
def recorded(exchange: str) -> tuple[Case, ...]:
    """The cases of an exchange in which some rule fails."""
    found = []
    for name, recording in cases():
        if name.split("/")[0] == exchange and name.split("/")[1] not in LIES:
            outcomes = _outcomes(_scans(exchange, recording, recording["replies"]), POLICIES)
            failed = frozenset(key for key, outcome in outcomes.items() if outcome is Outcome.FAIL)
            rules = {rule for rule, _ in failed}
            kept = tuple(
                replace(one, rules=tuple(each for each in one.rules if each.rule.id in rules))
                for one in POLICIES
            )
            found.append(Case(name, recording, failed, kept))
    return tuple(one for one in found if one.failed)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a value says something: what stands in the place of a null withholds nothing."""
    if value is None:
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()  # fmt: skip
    return [at, *(place for key, item in items for place in _places(item, (*at, key)))]


def _at(value: Any, at: tuple[Any, ...]) -> Any:
    for step in at:
        value = value[step]
    return value


def _put(value: Any, at: tuple[Any, ...], new: Any, *, drop: bool = False) -> Any:
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if drop and len(at) == 1 and isinstance(copy, dict):
        del copy[at[0]]
    else:
        copy[at[0]] = _put(value[at[0]], at[1:], new, drop=drop)
    return copy


def _may_go(at: tuple[Any, ...]) -> bool:
    """Whether a member without which an answer withholds something stands there."""
    return bool(at) and isinstance(at[-1], str) and at[-1] not in ITEMS


def _kinds(value: Any) -> set[str]:
    """The kinds of value that can say the same thing as this one."""
    match value:
        case bool():
            return {"flag"}
        case 0 | 1:
            return {"flag", "scalar"}
        case int() | float() | str():
            return {"scalar"}
        case _:
            return {type(value).__name__}


def _other(value: Any, old: Any) -> bool:
    """Whether a value is of another type, and no other way to spell a value of the old one's."""
    return not _kinds(value) & _kinds(old)


@st.composite
def _struck(draw: Any, body: Any) -> Any:
    """A body with up to three values removed, nulled or of another type, none of them within another."""
    struck: list[tuple[Any, ...]] = []
    for at in draw(st.lists(st.sampled_from(_places(body)), min_size=1, max_size=3, unique=True)):
        if any(at[: len(one)] == one or one[: len(at)] == at for one in struck):
            continue
        struck.append(at)
        old = _at(body, at)
        if _may_go(at) and draw(st.booleans()):
            body = _put(body, at, None, drop=True)
        else:
            pool = [*OTHERS, [old], {"value": old}, str(old)]
            body = _put(body, at, draw(st.sampled_from([each for each in pool if _other(each, old)])))  # fmt: skip
    return body


@st.composite
def _corrupted(draw: Any, exchange: str) -> tuple[int, dict[str, Any]]:
    """The number of a case, and its replies with some of them struck."""
    number = draw(st.integers(0, len(recorded(exchange)) - 1))
    case = recorded(exchange)[number]
    replies = dict(case.replies)
    for label in draw(st.lists(st.sampled_from(sorted(replies)), min_size=1, max_size=3, unique=True)):  # fmt: skip
        reply = replies[label]
        how = draw(st.sampled_from(("struck", "struck", "struck", "cut", "gone")))
        if how == "struck" and isinstance(reply.get("json"), dict | list):
            replies[label] = {**reply, "json": draw(_struck(reply["json"]))}
        elif how == "cut" and "json" in reply:
            text = msgspec.json.encode(reply["json"]).decode()
            kept = text[: draw(st.integers(0, max(0, len(text) - 1)))]
            replies[label] = {"http": reply.get("http", 200), "body": kept}
        else:
            replies[label] = draw(st.sampled_from(NO_ANSWER))
    return number, replies


def _turned(exchange: str, case: Case, replies: dict[str, Any]) -> list[Any]:
    """The rules that failed, and pass now."""
    after = _outcomes(_scans(exchange, case.recording, replies), case.policies)
    return [key for key in case.failed if after[key] is Outcome.PASS]


@pytest.mark.parametrize("exchange", FOURTEEN)
def test_no_false_pass(exchange):
    """For any subset of evidence withheld or corrupted, no rule goes from fail to pass."""

    @SETTINGS
    @given(_corrupted(exchange))
    def check(drawn):
        number, replies = drawn
        case = recorded(exchange)[number]

        assert [] == _turned(exchange, case, replies), (case.name, replies)

    check()


@pytest.mark.parametrize("exchange", FOURTEEN)
def test_each_value_in_turn(exchange):
    """Each member of each reply removed, and each value null or of each other type, one at a time."""
    chosen = recorded(exchange) if LONG else _widest(exchange)
    for case in chosen:
        for label, reply in case.replies.items():
            if isinstance(reply.get("json"), dict | list):
                for body in _each_struck(reply["json"])[:: 1 if LONG else 4]:
                    replies = {**case.replies, label: {**reply, "json": body}}

                    assert [] == _turned(exchange, case, replies), (case.name, label, body)


def _widest(exchange: str) -> tuple[Case, ...]:
    return tuple(sorted(recorded(exchange), key=lambda case: len(repr(case.replies)))[-1:])


def _each_struck(body: Any) -> list[Any]:
    found = []
    for at in _places(body):
        old = _at(body, at)
        if _may_go(at):
            found.append(_put(body, at, None, drop=True))
        others = (None, True, 0, "x", [], {}, [old], {"value": old})
        found += [_put(body, at, new) for new in others if _other(new, old)]
    return found


@pytest.mark.parametrize("exchange", FOURTEEN)
def test_there_is_something_to_hide(exchange):
    """The recorded cases fail rules that a lie could pass."""
    failed = {rule for case in recorded(exchange) for rule, _ in case.failed}

    assert {"permissions-as-required", "retired-key-is-dead"} <= failed
    assert len(failed) >= 10
