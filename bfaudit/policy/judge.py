"""How a rule judges the distinct inputs of a fleet: each distinct value is asked for once, whatever its evidence."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from bfaudit.model import Judgement, Outcome
from bfaudit.policy.cel import Answer, Expression, Failure, Unknown, speakable
from bfaudit.policy.columns import NOTHING, Column
from bfaudit.policy.rules import CompiledRule, Text, shown

Entries = Sequence[Sequence[int]]
"""The inputs of a rule: for each column that it reads, the number of its evidence in each of them."""


_NOT_APPLICABLE = Outcome.NOT_APPLICABLE, "The rule does not apply."
_PASS = Outcome.PASS, "As expected."


class Condition(dict[tuple[Any, ...], Answer]):
    """One condition of a rule over the columns that the rule reads: its answers by the values that it was asked for."""

    def __init__(self, asked: Expression, reads: Sequence[str], columns: Sequence[Column]) -> None:
        self._asked = asked
        slots = [reads.index(name) for name in asked.reads]
        self._columns = [(i, columns[i]) for i in slots]

    def __missing__(self, key: tuple[Any, ...]) -> Answer:
        given = zip(self._asked.reads, key, strict=True)
        known = {name: speakable(value) for name, value in given if value is not NOTHING}
        answer = self[key] = self._asked.evaluate(known)
        return answer

    def asked(self, entries: Entries) -> Iterable[tuple[Any, ...]]:
        """The values that its answer hangs on for each input, given the entries of each column."""
        if not self._columns:
            return repeat(())
        values = (map(column.keys.__getitem__, entries[i]) for i, column in self._columns)
        return zip(*values, strict=True)


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

    def fill(self, entries: Entries, at: int) -> str:
        """The text for one input."""
        if self._fixed is not None:
            return self._fixed
        return "".join(
            [
                part if isinstance(part, str) else self._columns[part].shown(entries[part][at])
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

    def __call__(self, entries: Entries, inputs: int) -> list[Judgement]:
        """What the rule says of each of so many inputs."""
        observations: Iterable[Any] = repeat(())
        if entries:
            seen = zip(self._columns, entries, strict=True)
            each = (map(column.observations.__getitem__, numbers) for column, numbers in seen)
            observations = zip(*each, strict=True)
        expected = self._expected.fill
        applies = map(self._applies.__getitem__, self._applies.asked(entries))
        require = self._require.asked(entries)
        judged = []
        for at, applying, key, observed in zip(
            range(inputs), applies, require, observations, strict=False
        ):
            outcome, message = self._verdict(applying, key, entries, at)
            judged.append(Judgement(outcome, message, expected(entries, at), observed))
        return judged

    def _verdict(
        self, applies: Answer, key: tuple[Any, ...], entries: Entries, at: int
    ) -> tuple[Outcome, str]:
        if applies is False:
            return _NOT_APPLICABLE
        if isinstance(applies, Failure):
            return Outcome.ERROR, f"The rule cannot be evaluated: {applies.text}."
        require = self._require[key]
        if require is True:  # whether or not it applies
            return _PASS
        match applies, require:
            case (Unknown(names), _) | (_, Unknown(names)):
                why = "; ".join(f"{name} ({self._why(name, entries, at)})" for name in names)
                return self._on_unknown, f"Not known: {why}."
            case _, Failure(text):
                return Outcome.ERROR, f"The rule cannot be evaluated: {text}."
            case _:
                return Outcome.FAIL, self._message.fill(entries, at)

    def _why(self, name: str, entries: Entries, at: int) -> str:
        slot = self._reads.index(name)
        return self._columns[slot].evidence[entries[slot][at]].unknown or "there is none"
