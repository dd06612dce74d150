"""The rows of a report as JSON within its HTML: what the script draws, filters, groups and sorts.

Texts repeat all over a fleet, so each distinct one stands once, in `texts`, and rows hold their numbers.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from bfaudit.lang import ENGLISH, Language
from bfaudit.model import Outcome, Severity
from bfaudit.report import ReportView
from bfaudit.report.connections import ConnectionView
from bfaudit.report.findings import Finding, RuleView
from bfaudit.report.gaps import Gap
from bfaudit.report.wording import visible

ROWS = 100_000
"""How many rows a page holds."""

SIZE = 16_000_000
"""How many bytes they may take: the whole file stays under 20 MB."""

_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
"""What could end the script element that holds the JSON, or a line of it."""


WORDS = (*(severity.word for severity in Severity), *(outcome.value for outcome in Outcome))
"""The words by which rows are filtered; the script shows what `words` says for them, if it is there."""


class Embedded(NamedTuple):
    """The rows of a page."""

    text: str
    """JSON that is safe within a script element."""
    rows: Mapping[str, int]
    """How many rows of each list it holds."""


class _Texts:
    """Distinct values, by number."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Hashable, int] = {}

    def __call__(self, value: Hashable) -> int:
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(_harmless(value))
        return number


def embed(
    view: ReportView, rows: int = ROWS, size: int = SIZE, lang: Language = ENGLISH
) -> Embedded:
    """As many rows as fit; of a fleet too big those of the worst rules."""
    while True:
        made = _embed(view, rows, lang)
        needed = len(made.text.encode())
        if needed <= size or not rows:
            return made
        rows = min(sum(made.rows.values()), rows) * size // (needed + size // 10)


def _embed(view: ReportView, rows: int, lang: Language) -> Embedded:
    put = _Texts()
    rules = {rule.id: number for number, rule in enumerate(view.rules)}
    left = rows

    def take(made: Iterator[Any], at_most: int) -> list[Any]:
        nonlocal left
        taken = list(islice(made, max(0, min(left, at_most))))
        left -= len(taken)
        return taken

    def findings(groups: Sequence[Any]) -> Iterator[list[Any]]:
        return (_finding(each, rules, put) for group in groups for each in group.findings)

    gaps = take((_gap(each, rules, put) for each in view.gaps), rows // 4)
    fleet = take((_connection(each, put, lang) for each in view.connections), rows // 3)
    failed = take(findings(view.findings), rows)
    excepted = take(findings(view.excepted), rows)
    data: dict[str, Any] = {
        "rules": [_rule(rule) for rule in view.rules],
        "fleet": fleet,
        "findings": failed,
        "excepted": excepted,
        "gaps": gaps,
        "texts": put.values,
    }
    if lang is not ENGLISH:
        data["words"] = {word: lang.say(word) for word in WORDS}
    text = msgspec.json.encode(data).decode()
    for char, escape in _ESCAPES.items():
        text = text.replace(char, escape)
    return Embedded(
        text, {name: len(data[name]) for name in ("fleet", "findings", "excepted", "gaps")}
    )


def _rule(rule: RuleView) -> list[Any]:
    cells = (rule.id, rule.title, rule.severity, rule.policy, rule.rationale)
    return [_harmless(cell) for cell in (*cells, rule.controls, rule.references)]


def _finding(each: Finding, rules: Mapping[str, int], put: _Texts) -> list[Any]:
    return [
        rules[each.rule.id],
        put((each.connection, each.exchange, each.strategy, each.scanned)),
        put((each.remark, each.expected, each.observed)),
        put(each.fix),
        visible(str(each.place)),
        each.fingerprint,
        put(each.exception),
    ]


def _gap(each: Gap, rules: Mapping[str, int], put: _Texts) -> list[Any]:
    return [
        put(each.outcome),
        put(each.heading),
        [rules[rule.id] for rule in each.rules],
        put(each.reasons),
        [
            [put((one.connection, one.exchange, one.strategy)), put(str(one.place))]
            for one in each.findings
        ],
    ]


def _connection(each: ConnectionView, put: _Texts, lang: Language) -> list[Any]:
    marks = tuple([(one.mark, one.tone, one.label) for one in each.permissions])
    return [
        put(each.name),
        put(each.exchange),
        put(each.strategy),
        put(each.owner),
        put((each.mark, lang.say(each.status), each.tone)),
        put(each.reason and lang.say(each.reason)),
        put(each.detail),
        put(each.advice),
        put(marks),
        put(tuple([(one.mark, one.tone, one.word) for one in each.others])),
        put(each.addresses),
        int(each.unrestricted),
        put(each.age),
        each.age_days,
        put(each.label),
        put(each.fingerprint),
        put(each.ends),
        put(each.ends_why),
        None if each.ends_at is None else int(each.ends_at.timestamp()),
        put(tuple(each.findings.items())),
        each.unanswered,
        each.excepted,
        each.passed,
        visible(str(each.place)),
        put((each.thief.sentence, each.thief.worst, each.thief.ways)),
    ]


def _harmless(value: Any) -> Any:
    """The value with every invisible character spelt out."""
    if isinstance(value, str):
        return visible(value)
    return [_harmless(item) for item in value] if isinstance(value, tuple) else value
