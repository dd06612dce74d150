"""What a thief could do with a key: its trading permissions, and what the exchange's own rules let it reach."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bfaudit.model import Fact, Facts, Grant
from bfaudit.report.wording import listed, show

REACHED: Mapping[str, str] = {
    "withdraw": "withdraw funds",
    "transfer": "move funds between accounts",
    "manage_keys": "make or change keys",
    "ip_list": "widen the IP list",
}
"""What each `reach.*` fact lets a thief do."""

TRADING = ("trade", "margin", "futures", "options")

NAMED = 4
"""How many unknown ways a sentence names."""

NOT_RECORDED = "the scan did not record it"


class Way(NamedTuple):
    """One thing that a thief may want, and whether the key gives it."""

    what: str
    answer: str
    """`granted`, `denied` or `unknown`."""
    word: str
    """The answer in a sentence: `yes`, `no way known` or `unknown`."""
    why: str
    """How it follows with its documented source, what it does not prove, or why nobody knows."""
    evidence: str


class Thief(NamedTuple):
    """The ways of one key."""

    sentence: str
    worst: str
    """`granted` where funds can leave, `unknown` where nobody can tell, else `denied`."""
    ways: tuple[Way, ...]


class Thieves:
    """The thief's view of each key; keys with the same facts share it."""

    def __init__(self) -> None:
        self._made: dict[object, Thief] = {}

    def of(self, facts: Facts) -> Thief:
        """What a thief could do with the key of these facts."""
        paths = [f"permissions.{word}" for word in TRADING]
        paths += [f"reach.{word}" for word in REACHED]
        known = tuple(
            None if fact is None else (str(fact.value), fact.request, fact.via, fact.limitation)
            for path in (*paths, "reach.exits")
            for fact in (facts.get(path),)
        )
        why = tuple(facts.unknown.get(path) for path in (*paths, "reach.exits"))
        if (known, why) not in self._made:
            self._made[known, why] = thief(facts)
        return self._made[known, why]


def thief(facts: Facts) -> Thief:
    """What a thief could do with a key."""
    ways = (
        _trading(facts),
        *(_way(REACHED[word], f"reach.{word}", facts) for word in REACHED),
        _exits(facts),
    )
    leaves = {way.what: way.answer for way in ways}
    answers = (leaves[REACHED["withdraw"]], ways[-1].answer)
    worst = next((word for word in (Grant.GRANTED, Grant.UNKNOWN) if word in answers), Grant.DENIED)
    return Thief(_sentence(ways), worst.value, ways)


def _sentence(ways: Iterable[Way]) -> str:
    can = [way.what for way in ways if way.answer == Grant.GRANTED]
    unsure = [way.what for way in ways if way.answer == Grant.UNKNOWN]
    if len(unsure) > NAMED and not can:
        return "Unknown what a thief could do."
    if not can and unsure:
        return f"Unknown whether a thief could {listed(unsure, 'or')}."
    could = f"A thief could {listed(can)}" if can else "No way is known to trade or take funds"
    return f"{could}; unknown: {listed(unsure, 'or')}." if unsure else f"{could}."


def _trading(facts: Facts) -> Way:
    what = "trade with the balance"
    granted = [word for word in TRADING if facts.grant(word) is Grant.GRANTED]
    unsure = [word for word in TRADING if facts.grant(word) is Grant.UNKNOWN]
    if granted:
        fact = facts.get(f"permissions.{granted[0]}")
        own = listed([f"`{word}`" for word in granted])
        return Way(what, "granted", "yes", f"the key's own permission: {own}", _evidence(fact))
    if unsure:
        why = facts.unknown.get(f"permissions.{unsure[0]}", NOT_RECORDED)
        return Way(what, "unknown", "unknown", why, "")
    fact = facts.get("permissions.trade")
    return Way(what, "denied", "no", "no trading permission is granted", _evidence(fact))


def _way(what: str, path: str, facts: Facts) -> Way:
    fact = facts.get(path)
    own = facts.get(path.replace("reach.", "permissions."))
    if fact is None and own is not None and own.value == Grant.GRANTED:
        return Way(what, "granted", "yes", "the key's own permission", _evidence(own))
    if fact is None:
        return Way(what, "unknown", "unknown", facts.unknown.get(path, NOT_RECORDED), "")
    why = "; ".join(filter(None, (fact.via, fact.limitation)))
    granted = fact.value == Grant.GRANTED
    word = "yes" if granted else "no way known"
    return Way(what, "granted" if granted else "denied", word, why, _evidence(fact))


def _exits(facts: Facts) -> Way:
    what, fact = "take value out otherwise", facts.get("reach.exits")
    if fact is None:
        return Way(what, "unknown", "unknown", facts.unknown.get("reach.exits", NOT_RECORDED), "")
    why = "; ".join(filter(None, (fact.via, fact.limitation)))
    if fact.value:
        return Way(what, "granted", f"yes: {show(fact.value)}", why, _evidence(fact))
    return Way(what, "denied", "no way known", why, _evidence(fact))


def _evidence(fact: Fact | None) -> str:
    return ", ".join(filter(None, (fact.source.value, fact.request))) if fact else ""
