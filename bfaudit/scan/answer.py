"""What came back of one request, by its form."""

import json
from typing import Any

import msgspec

from bfaudit.exchanges.base import Form
from bfaudit.model import Json, Reason


class Raw(msgspec.Struct, frozen=True):
    """What came back of one request."""

    http: int | None = None
    form: Form = Form.NONE
    body: Json = None
    failure: Reason | None = None
    retry_after: float | None = None
    text: str = ""
    """The body as text, for ccxt's own reading of errors that no table knows; never shown."""


def read(status: int, data: bytes, retry_after: float | None = None) -> Raw:
    """An answer by its form: only an object or a list counts as JSON."""
    body: Any = None
    start = data[:64].lstrip()
    if not start:
        form = Form.EMPTY if not data.strip() else Form.TEXT
    elif start.startswith(b"<"):
        form = Form.HTML
    else:
        try:
            body = msgspec.json.decode(data)
            form = Form.JSON if isinstance(body, dict | list) else Form.TEXT
            if (
                msgspec.json.encode(body) != data
            ):  # equal bytes have no key twice; others are looked at
                json.loads(data, object_pairs_hook=_once_each)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            form, body = Form.TEXT, None
    text = "" if status < 300 and form is Form.JSON else data[:65536].decode("utf-8", "replace")
    return Raw(status, form, body, None, retry_after, text)


def _once_each(members: list[tuple[str, Json]]) -> None:
    """Refuse an object that says two things under one key: which of them counts, nobody documents."""
    if len({key for key, _ in members}) != len(members):
        raise ValueError("a key is there twice")
