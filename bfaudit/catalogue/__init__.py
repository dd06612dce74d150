"""The rules that ship, as data for `bfaudit rules`, `bfaudit policies` and the docs. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from bfaudit.egress import READS as EGRESS_READS
from bfaudit.egress import RULE as EGRESS
from bfaudit.exceptions import RULES
from bfaudit.exchanges.base import Adapter
from bfaudit.facts import FACTS
from bfaudit.model import PERMISSIONS, Rule
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.frameworks import Framework
from bfaudit.policy.rules import CompiledRule, Policy
from bfaudit.support import adapters

LEFT_OUT: Mapping[str, str] = {
    "net-endpoint-host": (
        "The hosts of requests are not evidence of a key. The scan talks to official hosts only, over verified TLS, "
        "unless it is redirected openly, and every report names an exchange that was."
    ),
    "gov-waiver-expired": (
        "Exceptions are not connections. One that is expired, too long or matches nothing is a finding of its own."
    ),
    "gov-waiver-complete": "Exceptions are not connections. One that is incomplete is a finding of its own.",
    "gov-evidence-integrity": (
        "Snapshots and reports carry a digest; one that was altered ends the run with code 5 before any rule is asked."
    ),
    "seg-balance-cap, the live balance": (
        "bfaudit reads no balances. `balance-cap` asks for a declared cap and a person who vouches for it."
    ),
    "inv-scan-coverage, the age of the scan": (
        "`scan-coverage` judges whether a key was reached. How old a scan may be depends on how often you scan: write a "
        "rule over `scan.age_days`."
    ),
}
"""Rules of the field's catalogue that no pack has, and why."""

_PATH = re.compile(r"[a-z_]+\.[a-z_*]+")


class Answer(NamedTuple):
    """Whether an exchange can answer a rule."""

    exchange: str
    title: str
    answers: str
    """`yes`, `in part` or `no`."""
    untold: tuple[str, ...]
    """The facts that the rule would need and the exchange never tells."""


class RuleInfo(Struct, frozen=True, kw_only=True):
    """One rule with everything that is known of it."""

    rule: Rule
    pack: str
    reads: tuple[str, ...]
    expected: str
    facts: tuple[str, ...]
    """The facts of the exchange that its conditions rest on; empty where the manifest or the fleet decides."""
    answers: tuple[Answer, ...]
    """For each exchange that describes keys."""
    cases: tuple[tuple[str, str], ...] = ()
    """Name and outcome of each of its cases."""
    policed: bool = True
    """Whether a policy has it, and so may override it."""

    def answer(self, exchange: str) -> Answer | None:
        """What one exchange can answer."""
        return next((one for one in self.answers if one.exchange == exchange), None)


def catalogue(
    policies: Iterable[Policy],
    known: Mapping[str, Adapter],
    cases: Mapping[str, Sequence[tuple[str, str]]],
) -> tuple[RuleInfo, ...]:
    """Every rule of some policies, in their order."""
    exchanges = adapters(known)
    return tuple(
        _info(compiled, policy.id, exchanges, cases.get(compiled.rule.id, ()))
        for policy in policies
        for compiled in policy.rules
    )


def without_policy(known: Mapping[str, Adapter]) -> tuple[RuleInfo, ...]:
    """The rules that bfaudit brings itself: that of `--from`, and those on exceptions."""
    return tuple(
        RuleInfo(
            rule=rule,
            pack=rule.policy,
            reads=reads,
            expected=rule.require,
            facts=(facts := tuple(path for name in reads for path in facts_of(name))),
            answers=_answers(adapters(known), facts),
            policed=False,
        )
        for rule, reads in ((EGRESS, EGRESS_READS), *((rule, ()) for rule in RULES.values()))
    )


def _answers(exchanges: Sequence[Adapter], facts: Sequence[str]) -> tuple[Answer, ...]:
    return tuple(_answer(adapter, facts) for adapter in exchanges if adapter.support == "full")


def _info(
    compiled: CompiledRule,
    pack: str,
    exchanges: Sequence[Adapter],
    cases: Sequence[tuple[str, str]],
) -> RuleInfo:
    decides = [
        name for name in FIELDS if name in {*compiled.applies.reads, *compiled.require.reads}
    ]
    facts = tuple(dict.fromkeys(path for name in decides for path in facts_of(name)))
    return RuleInfo(
        rule=compiled.rule,
        pack=pack,
        reads=tuple(decides),
        expected=compiled.expected.fill(lambda name: f"{{{name}}}"),
        facts=facts,
        answers=_answers(exchanges, facts),
        cases=tuple(cases),
    )


def facts_of(name: str) -> tuple[str, ...]:
    """The facts of the exchange that a field rests on, by their paths."""
    found: list[str] = []
    for word in _PATH.findall(FIELDS[name].origin):
        if word == "permissions.*":
            found += [f"permissions.{permission}" for permission in PERMISSIONS]
        elif word in FACTS:
            found.append(word)
    return tuple(dict.fromkeys(found))


def _answer(adapter: Adapter, facts: Sequence[str]) -> Answer:
    untold = tuple(path for path in facts if _untold(adapter, path))
    word = "yes" if not untold else "no" if len(untold) == len(facts) else "in part"
    return Answer(adapter.id, adapter.title, word, untold)


def _untold(adapter: Adapter, path: str) -> bool:
    if path == "key.lapses_at":
        return not adapter.lapses
    return path in adapter.untold


def titled(rule: Rule, frameworks: Mapping[str, Framework]) -> tuple[tuple[str, str, str], ...]:
    """The controls that a rule serves: framework, number, title as published."""
    return tuple(
        (frameworks[name].name, control, frameworks[name].titles.get(control, ""))
        if name in frameworks
        else (name, control, "")
        for name, controls in rule.controls.items()
        for control in controls
    )  # fmt: skip
