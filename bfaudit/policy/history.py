"""Fields of what earlier snapshots tell of a key."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from bfaudit.model import History, Source
from bfaudit.policy.evidence import Evidence, Subject

_NONE = "no earlier snapshot was given: `--previous`"
_NEW = "no earlier snapshot holds the connection"


def told(value: Callable[[History], Any]) -> Callable[[Subject], Evidence]:
    """What the history says."""

    def get(subject: Subject) -> Evidence:
        history = subject.scanned.history
        if history is None:
            return Evidence(unknown=_NONE, source=Source.HISTORY)
        return Evidence(value(history), None, Source.HISTORY)

    return get


def held(subject: Subject) -> Evidence:
    """Whether the earlier snapshot holds the connection; unknown where it does not, and is not of the whole fleet."""
    history = subject.scanned.history
    if history is not None and not history.compared and history.unsure:
        return Evidence(unknown=_unsure(subject), source=Source.HISTORY)
    return told(lambda history: history.compared)(subject)


def compared(value: Callable[[History], Any]) -> Callable[[Subject], Evidence]:
    """What a comparison says: nothing of a connection that is new."""
    get = told(value)

    def compare(subject: Subject) -> Evidence:
        history = subject.scanned.history
        if history is not None and not history.compared:
            return Evidence(unknown=_NEW, source=Source.HISTORY)
        return get(subject)

    return compare


def wider(subject: Subject) -> Evidence:
    """True as soon as one change is certain; false only where none is left open."""
    found = compared(lambda history: bool(history.widened))(subject)
    unsure = _unsure(subject)
    if found.judged and not found.value and unsure:
        return Evidence(unknown=unsure, source=Source.HISTORY)
    return found


def widened(subject: Subject) -> Evidence:
    found = compared(lambda history: history.widened)(subject)
    unsure = _unsure(subject)
    return replace(found, unknown=unsure) if found.judged and unsure else found


def _unsure(subject: Subject) -> str | None:
    history = subject.scanned.history
    return "; ".join(history.unsure) if history is not None and history.unsure else None


def unchanged_days(subject: Subject) -> Evidence:
    return told(
        lambda history: max(0, (subject.now - (history.last_changed or history.first_seen)).days)
    )(subject)


def last_use_seen(subject: Subject) -> Evidence:
    found = told(lambda history: history.last_use_seen)(subject)
    if found.unknown is None and found.value is None:
        return Evidence(unknown="no scan was told a use", source=Source.HISTORY)
    return found
