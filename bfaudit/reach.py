"""What follows from a key's facts by an exchange's own rules: what its holder can reach, and when it lapses."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bfaudit.exchanges.base import Adapter, Lapse, Step
from bfaudit.facts import REACHES, beyond
from bfaudit.model import PERMISSIONS, Fact, Facts, Grant

UNCERTAIN = "the sources do not agree on it"


def conclude(adapter: Adapter, facts: Facts, now: datetime) -> Facts:
    """The facts, with `reach.*` and `key.lapses_at` concluded from them. Pure; unknown stays unknown."""
    facts = _so_far(adapter, facts, now)
    reached, applying = _decided(adapter, facts)
    known = {**facts.known, **reached.known}
    unknown = {**facts.unknown, **reached.unknown}
    lapse = _lapse(adapter, applying, facts, now)
    if isinstance(lapse, str):
        unknown["key.lapses_at"] = lapse
    else:
        known["key.lapses_at"] = lapse
        unknown.pop("key.lapses_at", None)
    for path in reached.known:
        unknown.pop(path, None)
    return Facts(known, unknown)


AHEAD = timedelta(days=1)
"""How far an exchange's clock may be before ours: a key is not young because a day is still to come."""


def _so_far(adapter: Adapter, facts: Facts, now: datetime) -> Facts:
    """The facts without a creation or a last use that is still to come."""
    latest = now + AHEAD
    late = [
        path
        for path in ("key.created_at", "key.last_used_at")
        if (fact := facts.known.get(path)) and fact.value and fact.value > latest
    ]
    if not late:
        return facts
    why = f"{adapter.title} gives a day that is still to come"
    kept = {path: fact for path, fact in facts.known.items() if path not in late}
    return Facts(kept, {**facts.unknown, **dict.fromkeys(late, why)})


Applying = tuple[tuple[Lapse, bool | None], ...]
"""The exchange's rules of lapse that apply to a key, or may."""

_REMEMBERED: dict[object, tuple[Facts, Applying]] = {}
_ENOUGH = 4096
_DECIDING = (
    *(f"permissions.{word}" for word in PERMISSIONS),
    "account_facts.is_master",
    "network.ip_restricted",
)


def _decided(adapter: Adapter, facts: Facts) -> tuple[Facts, Applying]:
    """Every `reach.*`, and the lapses; remembered, because most keys of a fleet have the same permissions."""
    known, unknown = facts.known, facts.unknown
    rests_on = (
        adapter.id,
        tuple(map(known.get, _DECIDING)),
        tuple(map(unknown.get, _DECIDING)),
        tuple([(path, known[path]) for path in beyond(known)]),
        tuple(beyond(unknown)),
    )
    found = _REMEMBERED.get(rests_on)
    if found is None:
        all_reached = {f"reach.{each}": _reach(each, adapter.steps, facts) for each in REACHES}
        all_reached["reach.exits"] = _exits(adapter.steps, facts)
        reached = Facts(
            {path: one for path, one in all_reached.items() if isinstance(one, Fact)},
            {path: one for path, one in all_reached.items() if isinstance(one, str)},
        )
        applying = ((rule, _applies(rule, facts)) for rule in adapter.lapses)
        found = reached, tuple(each for each in applying if each[1] is not False)
        if len(_REMEMBERED) >= _ENOUGH:
            _REMEMBERED.clear()
        _REMEMBERED[rests_on] = found
    return found


def _reach(target: str, steps: Iterable[Step], facts: Facts) -> Fact | str:
    """By the key's own permission, else by a step that the exchange documents."""
    word = "manage_keys" if target == "ip_list" else target
    own = facts.get(f"permissions.{word}")
    if own and own.value == Grant.GRANTED:
        return Fact(
            Grant.GRANTED, own.source, own.request, via=f"the key's own `{word}` permission"
        )
    maybe: list[str] = []
    if own is None:
        maybe.append(facts.unknown.get(f"permissions.{word}", f"whether it has {word} is unknown"))
    for step in steps:
        if step.reach != target:
            continue
        taken = _takes(step, facts)
        if taken and step.certain:
            return _granted(step, facts)
        if taken is not False:
            maybe.append(f"{step.says} ({UNCERTAIN if taken else 'unknown whether it applies'})")
    if maybe:
        return "; ".join(maybe)
    return Fact(Grant.DENIED, limitation="no way is documented; this proves no more than that")


def _exits(steps: Iterable[Step], facts: Facts) -> Fact | str:
    exits = [step for step in steps if step.reach.startswith("exit:")]
    open_ones = [step for step in exits if _takes(step, facts) and step.certain]
    if open_ones:
        names = tuple(dict.fromkeys(step.reach.removeprefix("exit:") for step in open_ones))
        return Fact(names, via="; ".join(f"{step.says} [{step.source}]" for step in open_ones))
    maybe = [step.says for step in exits if _takes(step, facts) is not False]
    if maybe:
        return "; ".join(maybe)
    if any(facts.grant(word) is Grant.UNKNOWN for word in ("trade", "withdraw")):
        return "the key's permissions are not known"
    return Fact((), limitation="no way is documented; this proves no more than that")


def _granted(step: Step, facts: Facts) -> Fact:
    by = next((facts.get(f"permissions.{word}") for word in step.any_of if _has(word, facts)), None)
    request = by.request if by else None
    return Fact(Grant.GRANTED, request=request, via=f"{step.says} [{step.source}]")


def _takes(step: Step, facts: Facts) -> bool | None:
    """Whether a key can take a step: Kleene's and over its conditions."""
    conditions = [_any(_has(word, facts) for word in step.any_of)]
    if step.master_only:
        conditions.append(_truth("account_facts.is_master", facts))
    if step.sub_only:
        master = _truth("account_facts.is_master", facts)
        conditions.append(None if master is None else not master)
    if step.bound_only:
        conditions.append(_truth("network.ip_restricted", facts))
    if False in conditions:
        return False
    return None if None in conditions else True


def _any(values: Iterable[bool | None]) -> bool | None:
    seen = list(values)
    if True in seen:
        return True
    return None if None in seen else False


def _has(word: str, facts: Facts) -> bool | None:
    fact = facts.get(f"permissions.{word}")
    if fact is None:
        # A token that is not listed is not granted, once the list of tokens is known.
        unsaid = f"permissions.{word}" not in facts.unknown
        listed = word.startswith("other:") and unsaid and facts.get("permissions.read") is not None
        return False if listed else None
    return bool(fact.value == Grant.GRANTED)


def _truth(path: str, facts: Facts) -> bool | None:
    fact = facts.get(path)
    return fact.value if fact and isinstance(fact.value, bool) else None


def _lapse(adapter: Adapter, applying: Applying, facts: Facts, now: datetime) -> Fact | str:
    """The earliest end that one of the exchange's own rules predicts; None where none applies."""
    if not adapter.lapses:
        return f"{adapter.title} publishes no rule by which it ends keys"
    ends: list[tuple[datetime, Lapse]] = []
    doubts: list[str] = []
    for rule, applies in applying:
        began = _began(rule, facts, now)
        if applies and rule.certain and began:
            ends.append((began + timedelta(days=rule.days), rule))
        else:
            doubts.append(rule.says)
    if ends:
        at, rule = min(ends, key=lambda end: end[0])
        limitation = "predicted, not told by the exchange"
        if rule.counts_from == "use":
            limitation += "; counted from this scan, which is a use of the key"
        return Fact(at, limitation=limitation, via=f"{rule.says} [{rule.source}]")
    return (
        "; ".join(doubts) if doubts else Fact(None, limitation="by the exchange's published rules")
    )


def _applies(rule: Lapse, facts: Facts) -> bool | None:
    conditions = [_any(_has(word, facts) for word in rule.any_of) if rule.any_of else True]
    if rule.unbound_only:
        bound = _truth("network.ip_restricted", facts)
        conditions.append(None if bound is None else not bound)
    if False in conditions:
        return False
    return None if None in conditions else True


def _began(rule: Lapse, facts: Facts, now: datetime) -> datetime | None:
    if rule.counts_from == "use":
        return now
    created = facts.get("key.created_at")
    return created.value if created and isinstance(created.value, datetime) else None
