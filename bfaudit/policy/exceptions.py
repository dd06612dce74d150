"""Exceptions from their YAML: every mistake of all files told in one run. Whether one is in force is decided elsewhere."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from bfaudit import documents, roots
from bfaudit.documents import MAX_SIZE, Document
from bfaudit.documents import shape as shapes
from bfaudit.documents.shape import Shape, Steps
from bfaudit.errors import InvalidInput, Problem, UsageError
from bfaudit.exceptions import APPROVERS, DAYS, Asked, Limits, test_of
from bfaudit.manifest.fields import Mistake, to_date
from bfaudit.model import ApprovedException, Severity
from bfaudit.words import did_you_mean, quoted

if TYPE_CHECKING:
    from jsonschema import ValidationError

_COPIED = ("type", "reason", "ticket", "requested_by")


def read(
    files: Iterable[str], severities: Mapping[str, Severity] | None = None
) -> tuple[Asked, ...]:
    """The exceptions of files by name; raises `UsageError` for one that is not there."""
    texts = []
    for file in files:
        try:
            texts.append((file, roots.read(file, roots.root_of(file), MAX_SIZE)))
        except roots.RefusedFileError as error:
            raise UsageError(f"cannot read {file}: {error.message}", hint=error.hint) from None
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror}") from None
    return load(texts, severities)


def load(
    texts: Iterable[tuple[str, str | bytes]], severities: Mapping[str, Severity] | None = None
) -> tuple[Asked, ...]:
    """The exceptions that files hold, given as name and text; raises `InvalidInput` with every mistake in them.

    `severities` are those of the loaded rules; where they are not given, rule ids are not checked.
    """
    reader = _Reader(severities)
    for file, text in texts:
        reader.add(*documents.read(text, file))
    if reader.problems:
        raise InvalidInput(reader.problems)
    return tuple(reader.asked)


class _Reader:
    """Collects exceptions; `problems` fills on the way."""

    def __init__(self, severities: Mapping[str, Severity] | None) -> None:
        self.asked: list[Asked] = []
        self.problems: list[Problem] = []
        self._severities = severities
        self._places: dict[str, Any] = {}

    def add(self, document: Document, problems: list[Problem]) -> None:
        """Take in one document."""
        problems = problems or shapes.check(document, SHAPE)
        self.problems += problems
        if problems:
            return
        limits = _limits(document.data.get("limits", {}))
        for number, raw in enumerate(document.data["exceptions"]):
            path = ("exceptions", number)
            before = len(self.problems)
            self.problems += self._wrong(document, path, raw)
            if len(self.problems) == before:
                self.asked.append(Asked(_exception(document, path, raw), limits))

    def _wrong(self, document: Document, path: Steps, raw: Mapping[str, Any]) -> Iterator[Problem]:
        first = self._places.setdefault(raw["id"], document.place((*path, "id")))
        if first != document.place((*path, "id")):
            message = f"{quoted(raw['id'])} is given twice; first at {first}"
            yield document.problem(message, (*path, "id"))
        worst = Severity.INFO
        for number, rule in enumerate(raw["rules"]):
            if self._severities is None:
                continue
            if rule not in self._severities:
                hint = did_you_mean(rule, self._severities)
                message = f"no loaded policy has a rule {quoted(rule)}"
                yield document.problem(message, (*path, "rules", number), hint=hint)
            worst = max(worst, self._severities.get(rule, worst))
        yield from _select(document, (*path, "select"), raw["select"], worst)
        yield from _days(document, path, raw)


def _select(
    document: Document, path: Steps, select: Mapping[str, Any], worst: Severity
) -> Iterator[Problem]:
    hint = "name each connection: nobody approved the next one"
    if worst is Severity.CRITICAL and "connection" not in select:
        message = "an exception from a critical rule that names no connection"
        yield document.problem(message, path, hint=hint)
        return
    for field, texts in select.items():
        for number, text in enumerate(_several(texts)):
            at = (*path, field) if isinstance(texts, str) else (*path, field, number)
            try:
                test_of(text)
            except ValueError as error:
                yield document.problem(f"not a pattern: {error}", at)
                continue
            if text in ("glob:", "re:"):
                yield document.problem("the pattern is empty", at)
            elif worst is Severity.CRITICAL and text.startswith(("glob:", "re:")):
                message = "a pattern in an exception from a critical rule"
                yield document.problem(message, at, hint=hint)


def _days(document: Document, path: Steps, raw: Mapping[str, Any]) -> Iterator[Problem]:
    days: dict[str, date] = {}
    for field in ("created", "expires"):
        if field in raw:
            day = to_date(raw[field])
            if isinstance(day, Mistake):
                yield document.problem(
                    day.message, (*path, field), expected=day.expected, hint=day.hint
                )
            else:
                days[field] = day
    if len(days) == 2 and days["expires"] < days["created"]:
        yield document.problem("it expires before it is created", (*path, "expires"))


def _exception(document: Document, path: Steps, raw: Mapping[str, Any]) -> ApprovedException:
    days: dict[str, Any] = {
        name: to_date(raw[name]) for name in ("created", "expires") if name in raw
    }
    told: dict[str, Any] = {name: raw[name].strip() for name in _COPIED if name in raw}
    return ApprovedException(
        id=raw["id"],
        rules=tuple(raw["rules"]),
        select={field: _several(texts) for field, texts in raw["select"].items()},
        approved_by=tuple(raw.get("approved_by", ())),
        place=document.place((*path, "id")),
        **told,
        **days,
    )


def _several(texts: str | list[str]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)


def _limits(raw: Mapping[str, Mapping[str, int]]) -> Limits:
    given = {
        name: {Severity.of(word): number for word, number in numbers.items()}
        for name, numbers in raw.items()
    }
    return Limits({**APPROVERS, **given.get("approvers", {})}, {**DAYS, **given.get("days", {})})


def _say(document: Document, error: "ValidationError", path: Steps) -> Problem | None:
    if error.validator == "minProperties" and path[-1:] == ("select",):
        message, hint = "an empty selector would select every connection", "name one: `select: {connection: NAME}`"  # fmt: skip
        return document.problem(message, path, hint=hint)
    if error.validator in ("minimum", "maximum"):
        return document.problem("not a number from 1 to 3650", path)
    return None


SHAPE = Shape(
    "exceptions",
    "Exceptions",
    "start with `apiVersion: bfaudit/v1`, `kind: Exceptions`, `exceptions:`",
    _say,
)
