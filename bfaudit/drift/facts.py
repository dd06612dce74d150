"""The changes of one key's facts, each by its meaning: a permission, an address, a limit, an identity."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bfaudit.exchanges import known
from bfaudit.facts import REACHES
from bfaudit.model import PERMISSIONS, Change, Direction, Facts, Grant, Scanned, Severity
from bfaudit.policy import addresses
from bfaudit.policy.rules import shown

_OTHER = "permissions.other:"
_RESTRICTED, _ALLOWLIST = "network.ip_restricted", "network.ip_allowlist"
UNTOLD = "the scan did not record it"
_PHRASES = {
    "permissions": ("the key now has the permission", "the key no longer has the permission"),
    "reach": ("a holder of the key now reaches", "a holder of the key no longer reaches"),
}


class Told(NamedTuple):
    """Makes the changes of one connection."""

    connection: str

    def __call__(
        self,
        kind: str,
        severity: Severity,
        direction: Direction,
        text: str,
        *,
        path: str | None = None,
        before: Any = None,
        after: Any = None,
    ) -> Change:
        """One change."""
        return Change(
            kind=kind, connection=self.connection, severity=severity, direction=direction, text=text,
            path=path, before=before, after=after,
        )  # fmt: skip


def unseen(scanned: Scanned) -> bool:
    """Whether a scan learned nothing of what a key may do and from where."""
    return not any(path.startswith(("permissions.", "network.")) for path in scanned.facts.known)


def still_unknown(old: Facts, new: Facts) -> int:
    """How many permissions and restrictions neither scan could tell, and so nobody can compare."""
    paths = [f"permissions.{word}" for word in PERMISSIONS] + [_RESTRICTED]
    return sum(path not in old.known and path not in new.known for path in paths)


def withheld(exchange: str, old: Facts, new: Facts) -> list[str]:
    """The permissions, restriction and addresses that neither scan was told, though the exchange tells them of keys."""
    paths = [
        path
        for path in _grants(old, new)
        if _grant_of(old, path) is _grant_of(new, path) is Grant.UNKNOWN
    ]
    limits = [] if _unlimited(old) or _unlimited(new) else [_RESTRICTED, _ALLOWLIST]
    paths += [path for path in limits if path not in old.known and path not in new.known]
    adapter = known().get(exchange) if paths else None
    if adapter is None:
        return paths
    return [
        path
        for path in paths
        if path not in adapter.untold
        and not adapter.left_open.issuperset((old.unknown.get(path), new.unknown.get(path)))
    ]


def _unlimited(facts: Facts) -> bool:
    fact = facts.get(_RESTRICTED)
    return fact is not None and fact.value is False


def fact_changes(old: Facts, new: Facts, tell: Told) -> Iterator[Change]:
    """Every change of facts between two scans that saw the key."""
    told: set[tuple[str, Direction]] = set()
    for path in _grants(old, new):
        for change in _grant(path, old, new, tell):
            told.add((path.removeprefix("permissions."), change.direction))
            yield change
    for word in REACHES:
        for change in _grant(f"reach.{word}", old, new, tell):
            if (word, change.direction) not in told:
                yield change
    yield from _network(old, new, tell)
    for path, compared in _VALUES.items():
        yield from _value(path, compared, old, new, tell)


def _grants(old: Facts, new: Facts) -> list[str]:
    paths = {*old.known, *new.known, *old.unknown, *new.unknown}
    others = sorted(path for path in paths if path.startswith(_OTHER))
    return [*(f"permissions.{word}" for word in PERMISSIONS), *others]


def _grant(path: str, old: Facts, new: Facts, tell: Told) -> Iterator[Change]:
    group, _, word = path.partition(".")
    now, gone = _PHRASES[group]
    before, after = _grant_of(old, path), _grant_of(new, path)
    noun = "permission" if group == "permissions" else "reach"
    told = {"path": path, "before": before.value, "after": after.value}
    match before, after:
        case Grant.DENIED, Grant.GRANTED:
            text = f"{now} {word}"
            yield tell(f"{noun}-widened", Severity.CRITICAL, Direction.WIDENED, text, **told)
        case Grant.GRANTED, Grant.DENIED:
            text = f"{gone} {word}"
            yield tell(f"{noun}-narrowed", Severity.LOW, Direction.NARROWED, text, **told)
        case Grant.UNKNOWN, (Grant.GRANTED | Grant.DENIED):
            yield _newly_known(tell, path, after.value, may_be_wider=after is Grant.GRANTED)
        case ((Grant.GRANTED | Grant.DENIED), Grant.UNKNOWN):
            may = before is Grant.DENIED
            yield _newly_unknown(tell, path, before.value, new, may_be_wider=may)
        case _:
            pass


def _grant_of(facts: Facts, path: str) -> Grant:
    """A grant; what an exchange grants beyond the usual is denied where it tells permissions, and not this one."""
    fact = facts.known.get(path)
    if fact is not None:
        return Grant(fact.value)
    told = any(known.startswith("permissions.") for known in facts.known)
    silent = path.startswith(_OTHER) and told and path not in facts.unknown
    return Grant.DENIED if silent else Grant.UNKNOWN


def _network(old: Facts, new: Facts, tell: Told) -> Iterator[Change]:
    before, after = old.get(_RESTRICTED), new.get(_RESTRICTED)
    was = before.value if before else None
    now = after.value if after else None
    told: dict[str, Any] = {"path": _RESTRICTED, "before": was, "after": now}
    if before is None and after is not None:
        yield _newly_known(tell, _RESTRICTED, now, may_be_wider=now is False)
    elif before is not None and after is None:
        yield _newly_unknown(tell, _RESTRICTED, was, new, may_be_wider=was is True)
    elif was is True and now is False:
        text = "the key now works from any address"
        yield tell("restriction-dropped", Severity.CRITICAL, Direction.WIDENED, text, **told)
    elif was is False and now is True:
        text = "the key now works from listed addresses only"
        yield tell("restriction-added", Severity.LOW, Direction.NARROWED, text, **told)
    if was is not False and now is not False:
        yield from _addresses(old, new, tell)


def _addresses(old: Facts, new: Facts, tell: Told) -> Iterator[Change]:
    before, after = old.get(_ALLOWLIST), new.get(_ALLOWLIST)
    if before is None or before.value is None:
        if after is not None and after.value:
            yield _newly_known(tell, _ALLOWLIST, after.value, may_be_wider=True)
        return
    if after is None or after.value is None:
        yield _newly_unknown(tell, _ALLOWLIST, before.value, new, may_be_wider=True)
        return
    was, now = tuple(before.value), tuple(after.value)
    added = addresses.compare(was, tuple(one for one in now if one not in was)).missing
    removed = addresses.compare(now, tuple(one for one in was if one not in now)).missing
    for one in added.certain:
        text = f"the key now works from {one}"
        yield tell(
            "ip-added",
            Severity.HIGH,
            Direction.WIDENED,
            text,
            path=_ALLOWLIST,
            before=was,
            after=now,
        )
    for one in removed.certain:
        text = f"the key no longer works from {one}"
        yield tell(
            "ip-removed",
            Severity.LOW,
            Direction.NARROWED,
            text,
            path=_ALLOWLIST,
            before=was,
            after=now,
        )
    if added.possible:
        text = f"masked or unreadable entries leave open whether the key works from more addresses: {', '.join(added.possible)}"
        yield tell(
            "ip-unclear",
            Severity.MEDIUM,
            Direction.UNKNOWN,
            text,
            path=_ALLOWLIST,
            before=was,
            after=now,
        )


def _newly_known(tell: Told, path: str, value: Any, *, may_be_wider: bool) -> Change:
    severity = Severity.HIGH if may_be_wider else Severity.INFO
    direction = Direction.UNKNOWN if may_be_wider else Direction.OTHER
    text = f"{path} is {shown(value)}; it was not known before"
    return tell("newly-known", severity, direction, text, path=path, after=value)


def _newly_unknown(tell: Told, path: str, value: Any, new: Facts, *, may_be_wider: bool) -> Change:
    severity = Severity.HIGH if may_be_wider else Severity.LOW
    direction = Direction.UNKNOWN if may_be_wider else Direction.OTHER
    text = f"{path} was {shown(value)}, and is no longer known: {new.unknown.get(path, UNTOLD)}"
    return tell("newly-unknown", severity, direction, text, path=path, before=value)


class _Judged(NamedTuple):
    kind: str
    severity: Severity
    direction: Direction
    text: str


_Comparison = Callable[[Any, Any], _Judged | None]


def _another(kind: str, severity: Severity, what: str) -> _Comparison:
    def compare(before: Any, after: Any) -> _Judged | None:
        text = f"{what} {shown(before)}, now {shown(after)}"
        return _Judged(kind, severity, Direction.OTHER, text)

    return compare


def _state(before: str | None, after: str | None) -> _Judged:
    text = f"the exchange says the key is {shown(after)}; it was {shown(before)}"
    if after == "active":
        return _Judged("state-changed", Severity.HIGH, Direction.WIDENED, text)
    return _Judged("state-changed", Severity.LOW, Direction.NARROWED, text)


def _expiry(before: datetime | None, after: datetime | None) -> _Judged | None:
    if before and after and before.date() == after.date():
        return None
    text = f"the key expires {_day(after)}; before: {_day(before)}"
    if after is None or (before is not None and after > before):
        return _Judged("expiry-extended", Severity.MEDIUM, Direction.OTHER, text)
    return _Judged("expiry-shortened", Severity.LOW, Direction.NARROWED, text)


def _day(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d}"


def _symbols(before: Sequence[str] | None, after: Sequence[str] | None) -> _Judged | None:
    if after is None:
        text = "the key is no longer limited to certain trading pairs"
        return _Judged("restriction-dropped", Severity.HIGH, Direction.WIDENED, text)
    if before is None:
        text = "the key is now limited to certain trading pairs"
        return _Judged("restriction-added", Severity.LOW, Direction.NARROWED, text)
    more = [one for one in after if one not in before]
    if more:
        text = f"the key may now trade {', '.join(more)}"
        return _Judged("symbols-widened", Severity.HIGH, Direction.WIDENED, text)
    less = [one for one in before if one not in after]
    text = f"the key may no longer trade {', '.join(less)}"
    return _Judged("symbols-narrowed", Severity.LOW, Direction.NARROWED, text) if less else None


def _exits(before: Sequence[str] | None, after: Sequence[str] | None) -> _Judged | None:
    more = [one for one in after or () if one not in (before or ())]
    less = [one for one in before or () if one not in (after or ())]
    if more:
        text = f"value can now leave the account by {', '.join(more)}"
        return _Judged("reach-widened", Severity.HIGH, Direction.WIDENED, text)
    text = f"value can no longer leave the account by {', '.join(less)}"
    return _Judged("reach-narrowed", Severity.LOW, Direction.NARROWED, text) if less else None


def _master(before: bool | None, after: bool | None) -> _Judged:
    text = f"the account is {'now' if after else 'no longer'} a master account"
    direction = Direction.WIDENED if after else Direction.NARROWED
    return _Judged("account-changed", Severity.HIGH if after else Severity.LOW, direction, text)


_VALUES: dict[str, _Comparison] = {
    "key.label": _another("label-changed", Severity.LOW, "label"),
    "account_facts.uid": _another("account-changed", Severity.HIGH, "the key belongs to account"),
    "account_facts.parent_uid": _another("account-changed", Severity.MEDIUM, "master account"),
    "account_facts.is_master": _master,
    "key.expires_at": _expiry,
    "key.state": _state,
    "key.symbols": _symbols,
    "key.third_party": _another("binding-changed", Severity.MEDIUM, "bound to application"),
    "key.type": _another("type-changed", Severity.INFO, "signs by"),
    "reach.exits": _exits,
}
_LIMITS = frozenset({"key.symbols", "reach.exits"})
"""Facts whose loss may hide that a key may do more."""


def _value(
    path: str, compared: _Comparison, old: Facts, new: Facts, tell: Told
) -> Iterator[Change]:
    before, after = old.get(path), new.get(path)
    if before is None and after is None:
        return
    if before is None or after is None:
        known = before or after
        value = known.value if known else None
        limit = path in _LIMITS
        if after is None:
            # What was not limited cannot have become wider.
            may = limit and not (path == "key.symbols" and value is None)
            yield _newly_unknown(tell, path, value, new, may_be_wider=may)
        else:
            may = limit and (path == "key.symbols" or bool(value))
            yield _newly_known(tell, path, value, may_be_wider=may)
        return
    if _same(before.value) == _same(after.value):
        return
    judged = compared(before.value, after.value)
    if judged is not None:
        yield tell(*judged, path=path, before=before.value, after=after.value)


def _same(value: Any) -> Any:
    return frozenset(value) if isinstance(value, list | tuple) else value
