"""What a thief could do with a key: its trading permissions, and what the exchange's own rules let it reach."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bfaudit.lang import ENGLISH, Language
from bfaudit.model import Fact, Facts, Grant
from bfaudit.report.wording import show

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

    def __init__(self, lang: Language = ENGLISH) -> None:
        self._lang = lang
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
            self._made[known, why] = thief(facts, self._lang)
        return self._made[known, why]


def thief(facts: Facts, lang: Language = ENGLISH) -> Thief:
    """What a thief could do with a key."""
    ways = (
        _trading(facts, lang),
        *(_way(word, facts, lang) for word in REACHED),
        _exits(facts, lang),
    )
    answers = (ways[1 + list(REACHED).index("withdraw")].answer, ways[-1].answer)
    worst = next((word for word in (Grant.GRANTED, Grant.UNKNOWN) if word in answers), Grant.DENIED)
    return Thief(_sentence(ways, lang), worst.value, ways)


def _sentence(ways: Iterable[Way], lang: Language) -> str:
    can = [way.what for way in ways if way.answer == Grant.GRANTED]
    unsure = [way.what for way in ways if way.answer == Grant.UNKNOWN]
    open_ones = lang.listed(unsure, "or")
    if len(unsure) > NAMED and not can:
        return lang.say("Unknown what a thief could do.")
    if not can and unsure:
        return lang.say("Unknown whether a thief could {what}.", what=open_ones)
    if can:
        could = lang.say("A thief could {what}", what=lang.listed(can))
    else:
        could = lang.say("No way is known to trade or take funds")
    return (
        lang.say("{could}; unknown: {what}.", could=could, what=open_ones)
        if unsure
        else f"{could}."
    )


def _trading(facts: Facts, lang: Language) -> Way:
    what = lang.say("trade with the balance")
    granted = [word for word in TRADING if facts.grant(word) is Grant.GRANTED]
    unsure = [word for word in TRADING if facts.grant(word) is Grant.UNKNOWN]
    if granted:
        fact = facts.get(f"permissions.{granted[0]}")
        own = lang.say(
            "the key's own permission: {words}",
            words=lang.listed(f"`{word}`" for word in granted),
        )
        return Way(what, "granted", lang.say("yes"), own, _evidence(fact, lang))
    if unsure:
        return _unknown(what, f"permissions.{unsure[0]}", facts, lang)
    fact = facts.get("permissions.trade")
    why = lang.say("no trading permission is granted")
    return Way(what, "denied", lang.say("no"), why, _evidence(fact, lang))


def _way(word: str, facts: Facts, lang: Language) -> Way:
    what, path = lang.say(REACHED[word]), f"reach.{word}"
    fact, own = facts.get(path), facts.get(f"permissions.{word}")
    if fact is None and own is not None and own.value == Grant.GRANTED:
        why = lang.say("the key's own permission")
        return Way(what, "granted", lang.say("yes"), why, _evidence(own, lang))
    if fact is None:
        return _unknown(what, path, facts, lang)
    if fact.value == Grant.GRANTED:
        return Way(what, "granted", lang.say("yes"), _why(fact, lang), _evidence(fact, lang))
    return _closed(what, fact, lang)


def _exits(facts: Facts, lang: Language) -> Way:
    what, fact = lang.say("take value out otherwise"), facts.get("reach.exits")
    if fact is None:
        return _unknown(what, "reach.exits", facts, lang)
    if fact.value:
        word = lang.say("yes: {ways}", ways=show(fact.value))
        return Way(what, "granted", word, _why(fact, lang), _evidence(fact, lang))
    return _closed(what, fact, lang)


def _unknown(what: str, path: str, facts: Facts, lang: Language) -> Way:
    why = lang.sentence(facts.unknown.get(path, NOT_RECORDED))
    return Way(what, "unknown", lang.say("unknown"), why, "")


def _closed(what: str, fact: Fact, lang: Language) -> Way:
    return Way(what, "denied", lang.say("no way known"), _why(fact, lang), _evidence(fact, lang))


def _why(fact: Fact, lang: Language) -> str:
    return "; ".join(map(lang.sentence, filter(None, (fact.via, fact.limitation))))


def _evidence(fact: Fact | None, lang: Language) -> str:
    return ", ".join(filter(None, (lang.say(fact.source.value), fact.request))) if fact else ""
