"""What adapters make of single values in an exchange's answer: each total over any JSON, None where nobody knows."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from bfaudit.model import Json


def text_or_none(value: Json) -> str | None:
    """A non-empty text or number as text, bounded; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return None  # no identifier: nobody counts so far
    return str(value)[:200] or None


def addresses(value: Json) -> tuple[str, ...] | None:
    """A whitelist given as comma-separated text or a list of texts; None where it is neither."""
    if isinstance(value, str):
        value = value.split(",")
    elif isinstance(value, list) and any("," in item for item in value if isinstance(item, str)):
        return None  # a whole list in the place of one of its items
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return tuple(item.strip()[:64] for item in value if item.strip())


_ANYWHERE = re.compile(r"\*|(\*\.){3}\*|[0-9A-Fa-f:.]+/0+")
# Of nothing but zeros or of what is masked nobody knows what it binds.
_BOUND_TO = re.compile(r"(?=.*[.:])(?=[^/]*[1-9A-Fa-f])[0-9A-Fa-f:.*/-]+")


def bound_to(value: Json) -> tuple[str, ...] | None:
    """An IP list: empty where the key works from anywhere, None where it is no list of addresses."""
    listed = addresses(value)
    if listed is None:
        return None
    if any(_ANYWHERE.fullmatch(entry) for entry in listed):
        return ()
    return listed if all(_BOUND_TO.fullmatch(entry) for entry in listed) else None


def words(value: Json) -> frozenset[str] | None:
    """Permission tokens given as comma-separated text or a list of texts; None where it is neither."""
    found = addresses(value)
    return None if found is None else frozenset(found)


def any_of(values: Iterable[Json]) -> bool | None:
    """Whether any of some booleans is true, with anything else than a boolean as unknown (Kleene's or)."""
    seen = list(values)
    if any(value is True for value in seen):
        return True
    return False if all(value is False for value in seen) else None


def from_milliseconds(value: Json) -> datetime | None:
    """A UTC time from milliseconds since 1970, given as a number or digits; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        moment = datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if 2000 <= moment.year < 2200 else None


def from_seconds(value: Json) -> datetime | None:
    """A UTC time from seconds since 1970, given as a number or digits; None for anything else."""
    text = text_or_none(value)
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 12:
        return None
    return from_milliseconds(int(text) * 1000)


def from_iso(value: Json) -> datetime | None:
    """A UTC time from a text of RFC 3339, which is taken as UTC where it names no zone; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value[:40])
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def own_entry(rows: Json, name: str, is_own: Callable[[str], bool]) -> dict[str, Json] | None:
    """The entry of a list that has the scanned key as its member `name`.

    None where there is none, or where another may be it as well: one with the same key, or one that shows none.
    """
    own = []
    for row in rows if isinstance(rows, list) else ():
        key = text_or_none(row.get(name)) if isinstance(row, dict) else None
        if key is None:
            return None
        if is_own(key):
            own.append(row)
    return own[0] if len(own) == 1 else None
