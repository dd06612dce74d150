"""Connections of a fleet by what they have in common, by their positions."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Groups(NamedTuple):
    """Positions by what they have in common; a position without a key is in no group."""

    keys: list[Any]
    members: Mapping[Any, list[int]]
    left_out: int
    unasked: Mapping[str, Sequence[int]] = {}
    """Those that have no key only because nobody asked, or could read it, by exchange: each may belong to any group."""


class Parts(NamedTuple):
    """Groups whose active members are parted by a value that they declare."""

    keys: list[Any]
    members: Mapping[Any, Mapping[str | None, list[int]]]
    unasked: Mapping[str, Mapping[str | None, int]] = {}
    """How many active ones have no key only because nobody asked, or could read it, by exchange and by that value."""


def group(keys: list[Any]) -> Groups:
    """The positions by their keys."""
    members: dict[Any, list[int]] = {}
    for position, key in enumerate(keys):
        if key is not None:
            members.setdefault(key, []).append(position)
    return Groups(keys, members, sum(key is None for key in keys))
