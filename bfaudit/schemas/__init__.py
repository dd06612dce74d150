"""The JSON Schemas of what bfaudit reads and writes; editors use the same files."""

from functools import cache
from pkgutil import get_data

import msgspec

from bfaudit.model import Json


@cache
def load(name: str) -> Json:
    """The schema of `manifest`, `policy`, ...: treat it as read-only."""
    return msgspec.json.decode(get_data(__name__, f"{name}.schema.json") or b"")
