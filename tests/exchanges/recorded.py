"""Runs an adapter on recorded replies: what it asks, what it learns, and what the connection test answers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec.structs import replace

from bfaudit.exchanges.base import NOTHING, Adapter, Context, Read, Reply
from bfaudit.exchanges.judging import judge
from bfaudit.model import Connection, Facts, Place, Reason
from bfaudit.scan.answer import read as read_body
from bfaudit.scan.status import Answer, judge_connection

FOLDER = Path(__file__).parent
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OWN_KEY = "own-key-of-the-case"


def parsed(path: Path) -> Any:
    """A file of recordings; libyaml's loader knows the same YAML and takes a tenth of the time."""
    return yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)


@cache
def cases() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Every recorded case, as (exchange/file, content); tables of errors and listings are not among them."""
    return tuple(
        (f"{path.parent.name}/{path.stem}", parsed(path))
        for path in sorted(FOLDER.glob("*/*.yaml"))
        if path.stem != "errors" and not path.stem.startswith("inventory-")
    )


@cache
def error_rows() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Every row of every error table: exchange, and `http`, `body`, `reason`, `source`."""
    return tuple(
        (path.parent.name, row)
        for path in sorted(FOLDER.glob("*/errors.yaml"))
        for row in parsed(path)
    )


def reply(adapter: Adapter, read: Read, given: Mapping[str, Any] | None) -> Reply:
    """A reply as the scanner would build it, from `http` and `json`, `body` (text) or `failure`."""
    if given is None:
        made = Reply(read=read, failure=Reason.UNREACHABLE)
    elif "failure" in given:
        made = Reply(read=read, failure=Reason(given["failure"]))
    else:
        data = msgspec.json.encode(given["json"]) if "json" in given else given["body"].encode()
        raw = read_body(given.get("http", 200), data, {})
        made = Reply(read=read, http=raw.http, form=raw.form, body=raw.body)
    return replace(made, verdict=judge(adapter, made))


@dataclass
class RecordedAsk:
    """An `Ask` that answers from a recording."""

    adapter: Adapter
    recording: Mapping[str, Any]
    key: str = OWN_KEY
    wants_uid: bool = False
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(
        self, read: Read, params: Mapping[str, Any] = NOTHING, *, label: str | None = None
    ) -> Reply:
        label = label or read.label
        self.asked.append(label)
        made = reply(self.adapter, read, self.recording.get(label))
        self.replies[label] = made
        return made


def run(adapter: Adapter, case: Mapping[str, Any]) -> tuple[RecordedAsk, Facts, Answer]:
    """Fetch, parse and judge one recorded case."""
    ask = RecordedAsk(adapter, case["replies"], wants_uid=case.get("wants_uid", False))
    asyncio.run(adapter.fetch(ask))
    context = Context(
        now=NOW,
        own_key=lambda text: text.rstrip("*") != "" and OWN_KEY.startswith(text.rstrip("*")),
        secret_kind=case.get("secret_kind", "hmac"),
    )
    facts = adapter.parse(ask.replies, context)
    connection = Connection(
        name="Case",
        exchange=adapter.id,
        requires=tuple(case.get("requires", ["read", "trade"])),
        place=Place("case.yaml", 1, 1),
    )
    return ask, facts, judge_connection(adapter, connection, ask.replies, facts, NOW)
