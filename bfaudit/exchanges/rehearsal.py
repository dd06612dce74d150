"""Which reads an adapter sends for a key that works: its `fetch`, run without an exchange."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bfaudit.exchanges.base import NOTHING, Adapter, Form, Read, Reply
from bfaudit.model import Json


@dataclass
class _Rehearsal:
    """An `Ask` that finds every answer good, and remembers what was asked."""

    wants_uid: bool
    key: str = ""
    asked: list[Read] = field(default_factory=list)

    async def __call__(
        self, read: Read, params: Mapping[str, Any] = NOTHING, *, label: str | None = None
    ) -> Reply:
        self.asked.append(read)
        return Reply(read=read, http=200, form=Form.JSON, body=_shaped(read.expects))


def _shaped(expects: tuple[str, ...]) -> Json:
    """A body of the documented shape: what one read finds may be a parameter of the next."""
    body: Json = "1" if expects else {}
    for name in reversed(expects[0].split(".") if expects else ()):
        body = [body] if name == "[]" else {name: body}
    return body


async def rehearse(adapter: Adapter, *, wants_uid: bool) -> list[Read]:
    """The reads of one good key, in order."""
    ask = _Rehearsal(wants_uid)
    await adapter.fetch(ask)
    return ask.asked
