"""What a policy that loads could still say better."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from bfaudit.model import Place
from bfaudit.policy.fields import BOOL, FIELDS
from bfaudit.policy.rules import CompiledRule, Policy
from bfaudit.words import did_you_mean


class Advice(NamedTuple):
    """One thing that a rule could say better."""

    place: Place
    rule: str
    text: str


def lint(policies: Sequence[Policy], frameworks: Collection[str]) -> list[Advice]:
    """Everything that rules could say better, in their order."""
    return [
        Advice(rule.rule.place, rule.rule.id, text)
        for policy in policies
        for rule in policy.rules
        for text in _advice(rule, frameworks)
    ]


def _advice(rule: CompiledRule, frameworks: Collection[str]) -> Iterator[str]:
    told = rule.rule
    texts = (told.applies, told.require, *rule.message.fields, *rule.expected.fields)
    used = set(re.findall(r"params\.(\w+)", " ".join(texts)))
    for name in told.params:
        if name not in used:
            yield f"the parameter `{name}` is never used"
    if not told.rationale.strip():
        yield "`rationale` is missing: say why the rule is there"
    if not told.remediation:
        yield "`remediation` is missing: say what to do"
    for key, text in told.remediation.items():
        if not text.rstrip().endswith((".", "!")):
            yield f"`remediation.{key}` does not end in a period"
    values = [name for name in rule.require.reads if FIELDS[name].type != BOOL and name != "now"]
    if values and not rule.message.fields:
        yield f"`message` names no value, though the rule reads `{values[0]}`: write {{{values[0]}}}"
    for name in told.controls:
        if name not in frameworks:
            hint = did_you_mean(name, frameworks)
            yield f"no framework `{name}`{f'; {hint}' if hint else ''}"
