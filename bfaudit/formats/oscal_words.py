"""What OSCAL asks of identifiers, words and properties."""

import re
from collections.abc import Container, Iterator
from uuid import UUID, uuid5

from bfaudit.model import Json, Outcome, Rule
from bfaudit.pieces import Shared
from bfaudit.report.wording import visible
from bfaudit.results import Run

PROPERTIES = "urn:bfaudit:oscal:properties"


def token(text: str) -> str:
    """A word that the model takes as an identifier."""
    safe = re.sub(r"[^\w.\-]", "-", visible(text))
    return safe if re.match(r"[^\W\d]", safe) else f"_{safe}"


def controls(rule: Rule) -> list[Json]:
    """The controls that a rule stands for, as properties."""
    return [
        {**prop("control", each), "class": token(name)}
        for name, ids in rule.controls.items()
        for each in ids
    ]


def prop(name: str, value: str) -> dict[str, Json]:
    """A property of our own."""
    return {"name": name, "ns": PROPERTIES, "value": visible(value).strip() or "-"}


def line(text: str) -> str:
    """A text that the model takes: never empty, no spaces around."""
    return visible(text).strip() or "-"


class Identifiers:
    """The identifiers of a document: each follows from what it is of."""

    def __init__(self, space: UUID) -> None:
        self._space = space
        self._shared = Shared()

    def of(self, *parts: str) -> str:
        """The identifier of what these words name."""
        return str(uuid5(self._space, "\0".join(map(visible, parts))))

    def each(
        self, kind: str, run: Run, outcomes: Container[Outcome] = frozenset(Outcome)
    ) -> Iterator[str]:
        """The identifiers of the results of a rule that have some outcomes."""
        wanted = [judgement.outcome in outcomes for judgement in run.judgements]
        begins = f"{kind}\0{visible(run.rule.id)}\0"
        names = self._shared(run.names, "visible", visible)
        for name, number in zip(names, run.numbers, strict=True):
            if wanted[number]:
                yield str(uuid5(self._space, begins + name))
