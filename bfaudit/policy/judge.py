"""How a rule judges the distinct inputs of a fleet: each distinct value is asked for once, whatever its evidence."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from bfaudit.model import Judgement, Outcome
from bfaudit.policy.cel import Answer, Expression, Failure, Unknown
from bfaudit.policy.columns import Column
from bfaudit.policy.rules import CompiledRule, Text, shown

Numbers = Sequence[int]
"""One input of a rule: for each column that it reads, the number of its entry."""


class Condition:
    """One condition of a rule over the columns that the rule reads."""

    def __init__(self, asked: Expression, reads: Sequence[str], columns: Sequence[Column]) -> None:
        self._asked = asked
        slots = [reads.index(name) for name in asked.reads]
        self._reads = [(name, i, columns[i]) for name, i in zip(asked.reads, slots, strict=True)]
        self._answers: dict[tuple[Any, ...], Answer] = {}

    def keys(self, entries: Sequence[Numbers]) -> Iterable[tuple[Any, ...]]:
        """What its answer hangs on for each input, given the entries of each column."""
        if not self._reads:
            return repeat(())
        return zip(
            *(map(column.keys.__getitem__, entries[i]) for _, i, column in self._reads),
            strict=True,
        )

    def answer(self, key: tuple[Any, ...], numbers: Numbers) -> Answer:
        """What it says of one input, with the key that it has."""
        answer = self._answers.get(key)
        if answer is None:
            known = {
                name: column.inputs[numbers[i]]
                for name, i, column in self._reads
                if column.evidence[numbers[i]].judged
            }
            answer = self._answers[key] = self._asked.evaluate(known)
        return answer


class Phrase:
    """A text of a rule, its parameters filled in; a number stands for the column whose value is still to go there."""

    def __init__(
        self,
        text: Text,
        params: Mapping[str, str],
        reads: Sequence[str],
        columns: Sequence[Column],
    ) -> None:
        parts: list[str | int] = [""]
        for number, part in enumerate(text.parts):
            plain = params.get(part) if number % 2 else part
            last = parts[-1]
            if plain is None:
                parts += [reads.index(part), ""]
            elif isinstance(last, str):
                parts[-1] = last + plain
        self._parts = parts
        self._columns = columns
        self._fixed = parts[0] if len(parts) == 1 and isinstance(parts[0], str) else None

    def fill(self, numbers: Numbers) -> str:
        """The text for one input."""
        if self._fixed is not None:
            return self._fixed
        return "".join(
            [
                part if isinstance(part, str) else self._columns[part].shown(numbers[part])
                for part in self._parts
            ]
        )


class Judge:
    """One rule over the columns that it reads, in the order of `CompiledRule.reads`."""

    def __init__(self, compiled: CompiledRule, columns: Sequence[Column]) -> None:
        reads = compiled.reads
        params = {f"params.{name}": shown(value) for name, value in compiled.rule.params.items()}
        self._reads = reads
        self._columns = columns
        self._on_unknown = compiled.rule.on_unknown
        self._applies = Condition(compiled.applies, reads, columns)
        self._require = Condition(compiled.require, reads, columns)
        self._message = Phrase(compiled.message, params, reads, columns)
        self._expected = Phrase(compiled.expected, params, reads, columns)

    def __call__(self, inputs: Sequence[Numbers]) -> list[Judgement]:
        """What the rule says of each input."""
        if not inputs:
            return []
        entries = list(zip(*inputs, strict=True))
        observations: Iterable[Any] = repeat(())
        if entries:
            seen = zip(self._columns, entries, strict=True)
            each = (map(column.observations.__getitem__, numbers) for column, numbers in seen)
            observations = zip(*each, strict=True)
        expected = self._expected.fill
        keys = zip(self._applies.keys(entries), self._require.keys(entries), strict=False)
        judged = []
        for numbers, (applies, require), observed in zip(inputs, keys, observations, strict=False):
            outcome, message = self._verdict(applies, require, numbers)
            judged.append(Judgement(outcome, message, expected(numbers), observed))
        return judged

    def _verdict(
        self, applies_key: tuple[Any, ...], require_key: tuple[Any, ...], numbers: Numbers
    ) -> tuple[Outcome, str]:
        applies = self._applies.answer(applies_key, numbers)
        if applies is False:
            return Outcome.NOT_APPLICABLE, "The rule does not apply."
        if isinstance(applies, Failure):
            return Outcome.ERROR, f"The rule cannot be evaluated: {applies.text}."
        require = self._require.answer(require_key, numbers)
        if require is True:  # whether or not it applies
            return Outcome.PASS, "As expected."
        match applies, require:
            case (Unknown(names), _) | (_, Unknown(names)):
                why = "; ".join(f"{name} ({self._why(numbers, name)})" for name in names)
                return self._on_unknown, f"Not known: {why}."
            case _, Failure(text):
                return Outcome.ERROR, f"The rule cannot be evaluated: {text}."
            case _:
                return Outcome.FAIL, self._message.fill(numbers)

    def _why(self, numbers: Numbers, name: str) -> str:
        at = self._reads.index(name)
        return self._columns[at].evidence[numbers[at]].unknown or "there is none"
