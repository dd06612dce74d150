"""Which connections a command is about: by name, strategy, exchange, environment, or because their declaration changed."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from bfaudit.errors import NothingToAudit, UsageError
from bfaudit.model import Audit, Connection, Place, Rejected
from bfaudit.results import Results
from bfaudit.words import did_you_mean

_GLOB = frozenset("*?[")
_NOWHERE = Place("", 1, 1)


class Selection(Struct, frozen=True, kw_only=True):
    """What to select: within a field any value may match, and every field that has values must."""

    only: tuple[str, ...] = ()
    strategy: tuple[str, ...] = ()
    exchange: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    changed: frozenset[str] | None = None
    """The names of connections whose declaration changed; None where that is not asked."""

    def __bool__(self) -> bool:
        return bool(self._patterns()) or self.changed is not None

    def _patterns(self) -> dict[str, tuple[str, ...]]:
        named = {f"--{field}": getattr(self, field) for field in _FIELDS}
        return {option: patterns for option, patterns in named.items() if patterns}

    def has(self, connection: Connection) -> bool:
        """Whether a connection is selected."""
        if self.changed is not None and connection.name not in self.changed:
            return False
        return all(
            any(matches(pattern, _FIELDS[option[2:]](connection)) for pattern in patterns)
            for option, patterns in self._patterns().items()
        )

    def may_have(self, rejected: Rejected) -> bool:
        """Whether a connection that could not be read may be selected: only its name is certain."""
        return not self.only or any(matches(pattern, rejected.name) for pattern in self.only)

    def check(self, connections: Sequence[Connection], rejected: Sequence[Rejected] = ()) -> None:
        """Refuse a value that is no connection's: what is misspelt would pass unseen."""
        for option, patterns in self._patterns().items():
            told = {_FIELDS[option[2:]](connection) for connection in connections}
            told |= {one.name for one in rejected if option == "--only"}
            known = sorted(text for text in told if text is not None)
            for pattern in patterns:
                if not any(matches(pattern, text) for text in known):
                    hint = did_you_mean(pattern, known) or _choice(option, known)
                    raise UsageError(f"no connection matches {option} {pattern!r}", hint=hint)


_FIELDS: Mapping[str, Callable[[Connection], str | None]] = {
    "only": lambda one: one.name,
    "strategy": lambda one: one.strategy,
    "exchange": lambda one: one.exchange,
    "environment": lambda one: one.environment,
}


def matches(pattern: str, text: str | None) -> bool:
    """Whether a text is the pattern, or matches it as a glob; what is not declared matches nothing."""
    if text is None:
        return False
    return text == pattern or (not _GLOB.isdisjoint(pattern) and fnmatchcase(text, pattern))


def selected(
    selection: Selection, connections: Sequence[Connection], rejected: Sequence[Rejected] = ()
) -> tuple[Connection, ...]:
    """The selected connections, in their order.

    Raises `NothingToAudit` where there are none, and no rejected one may be selected either.
    """
    found = tuple(one for one in connections if selection.has(one))
    if not found and not any(map(selection.may_have, rejected)):
        raise NothingToAudit(_why_none(selection, connections), hint=_hint(selection, connections))
    selection.check(connections, rejected)
    return found


def narrowed(audit: Audit, names: Collection[str], rejected: tuple[Rejected, ...]) -> Audit:
    """An audit of some connections only; each was judged as a part of its whole fleet."""
    fleet = audit.snapshot.connections
    mine = tuple(scanned for scanned in fleet if scanned.connection.name in names)
    asked = {scanned.connection.exchange for scanned in mine}
    snapshot = replace(
        audit.snapshot,
        connections=mine,
        exchanges=tuple(each for each in audit.snapshot.exchanges if each.id in asked),
        rejected=rejected,
    )
    unselected = audit.snapshot.unselected + len(fleet) - len(snapshot.connections)
    return replace(
        audit,
        snapshot=replace(snapshot, unselected=unselected),
        results=Results(run.only(names) for run in Results.of(audit.results).runs),
        changes=tuple(change for change in audit.changes if change.connection in names),
    )


def changed(before: Iterable[Connection], after: Iterable[Connection]) -> frozenset[str]:
    """The names whose declaration is new, or says something else than before; where it stands says nothing."""
    old = {one.name: _said(one) for one in before}
    return frozenset(one.name for one in after if old.get(one.name) != _said(one))


def _said(connection: Connection) -> Connection:
    return replace(connection, place=_NOWHERE, places={})


def _why_none(selection: Selection, connections: Sequence[Connection]) -> str:
    if selection.changed is not None and not any(
        one.name in selection.changed for one in connections
    ):
        return "no connection is selected: no declaration has changed"
    return f"no connection is selected: none of {len(connections)} matches"


def _hint(selection: Selection, connections: Sequence[Connection]) -> str:
    try:
        selection.check(connections)
    except UsageError as error:
        return f"{error.message}; {error.hint}" if error.hint else error.message
    return "--allow-empty ends with 0 where nothing is selected"


def _choice(option: str, known: Sequence[str]) -> str:
    if not known:
        return f"no connection declares a value for {option}"
    return f"known: {', '.join(known[:10])}{', ...' if len(known) > 10 else ''}"
