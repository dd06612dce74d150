"""What formats that hold every result share: frames around what differs, and columns of what rule and exchange say."""

from collections.abc import Callable, Iterable

import msgspec

from bfaudit.formats.rows import Rows
from bfaudit.model import Json, Outcome, half
from bfaudit.pieces import Column, Shared
from bfaudit.report.wording import visible
from bfaudit.results import Run

MARK = "\ue000"
"""Stands for a value in a frame. No text of a report holds it: `visible` spells out whatever cannot be seen."""


def frame(value: Json) -> list[bytes]:
    """The JSON around the marks of a value."""
    return msgspec.json.encode(value).split(msgspec.json.encode(MARK))


def inside(text: str) -> bytes:
    """A part of a text of JSON."""
    return msgspec.json.encode(text)[1:-1]


def line(name: str, text: str, *, ends: str = "\n") -> bytes:
    """A line of a text of JSON, behind the end of another; nothing where there is no text."""
    return inside(f"{ends}{name}: {text}") if text else b""


def fingerprints(
    run: Run, shared: Shared, clean: Callable[[str], str] = visible
) -> Iterable[Column]:
    """The fingerprints as texts of JSON: of the rule one half, of the connection the other."""
    head = b'"' + half(run.rule.id).encode()
    mine = shared(run.names, "half", lambda name: half(name).encode() + b'"')
    if not run.identities:
        return head, mine
    own = {at: msgspec.json.encode(clean(one)) for at, one in run.identities.items()}
    return ([own.get(at, head + tail) for at, tail in enumerate(mine)],)


def fixes(run: Run, rows: Rows, shared: Shared, make: Callable[[str], bytes]) -> Column:
    """What to do about each finding, by the exchange; of what is none, nothing."""
    none = make("")
    failed = [judgement.outcome is Outcome.FAIL for judgement in run.judgements]
    if not any(failed):
        return none
    exchanges = shared(run.names, "of", lambda name: rows.scanned(name).connection.exchange)
    made = {name: make(rows.fix(run.rule, name)) for name in {*exchanges}}
    return [
        made[exchange] if failed[number] else none
        for exchange, number in zip(exchanges, run.numbers, strict=True)
    ]


def excepted(run: Run, rows: Rows, make: Callable[[str], bytes]) -> Column:
    """The exception that each result is under, in full; empty for none."""
    none = make("")
    if not run.exceptions:
        return none
    made = {name: make(rows.exception(name)) for name in {*run.exceptions.values()}}
    marked = {at: made[name] for at, name in run.exceptions.items()}
    return [marked.get(at, none) for at in range(len(run))]
