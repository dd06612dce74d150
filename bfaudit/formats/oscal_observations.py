"""The observations of OSCAL, one per applicable result, as rows that are joined."""

from collections.abc import Iterable, Iterator

import msgspec

from bfaudit.formats.columns import MARK, fingerprints, frame, inside
from bfaudit.formats.oscal_words import Identifiers, line, prop
from bfaudit.formats.rows import Rows, Words, headline, told
from bfaudit.model import Outcome, Place, Rule
from bfaudit.pieces import Column, PerJudgement, Piece, Shared, blocks, picked
from bfaudit.report.wording import visible
from bfaudit.results import Run
from bfaudit.sealed import plain

TALKING = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.ERROR})
"""The outcomes that are observed: not that of a rule which does not apply."""

SILENT = frozenset({Outcome.PASS, Outcome.NOT_APPLICABLE})
"""Those of which there is no more to say."""


class Observations:
    """Makes the observations of an audit."""

    def __init__(self, rows: Rows, ids: Identifiers) -> None:
        self._rows = rows
        self._ids = ids
        self._shared = Shared()

    def pieces(self, runs: Iterable[Run]) -> Iterator[Piece]:
        """All of them, a comma before each."""
        for run in runs:
            kept = [at for at, number in enumerate(run.numbers) if run.judgements[number].outcome in TALKING]  # fmt: skip
            if kept:
                columns = (picked(each, kept) for each in self._columns(run))
                yield from blocks(columns, [run.numbers[at] for at in kept])

    def _columns(self, run: Run) -> Iterator[Column]:
        """The observations of a rule, a comma before each."""
        shared, rows, names, judged = self._shared, self._rows, run.names, run.judgements
        words = list(map(rows.words, judged))
        said = [headline("", one.outcome, word, run.rule) for one, word in zip(judged, words, strict=True)]  # fmt: skip
        values: list[Iterable[Column]] = [
            [[b'"%b"' % one.encode() for one in self._ids.each("observation", run)]],
            [shared(names, "name", _begins), PerJudgement(map(inside, said)), b'"'],
            fingerprints(run, shared, line),
            [shared(run.places, "location", self._location)],
            [shared(names, "item", lambda name: _text(self._ids.of("connection", name)))],
            [shared(names, "title", lambda name: _text(line(name)))],
            [shared(names, "at", lambda name: _text(plain(rows.scanned(name).scanned_at)))],
        ]
        frames = {outcome: self._frame(run.rule, outcome) for outcome in TALKING}
        nothing = [b""] * (len(values) + 1)
        parts = zip(*(frames.get(one.outcome, nothing) for one in judged), strict=True)
        yield b","
        first, *others = map(PerJudgement, parts)
        yield first
        for value, after in zip(values, others, strict=True):
            yield from value
            yield after
        yield self._remarks(run)
        yield PerJudgement(map(_evidence, words))
        yield b"}"

    def _frame(self, rule: Rule, outcome: Outcome) -> list[bytes]:
        """What is around the values of an observation, but for its end."""
        *parts, last = frame(
            {
                "uuid": MARK,
                "title": line(told(rule.title) or rule.id),
                "description": MARK,
                "props": [
                    prop("rule", rule.id),
                    prop("outcome", outcome.value),
                    prop("severity", rule.severity.word),
                    {**prop("fingerprint", ""), "value": MARK},
                    {**prop("location", ""), "value": MARK},
                ],
                "methods": ["TEST"],
                "subjects": [{"subject-uuid": MARK, "type": "inventory-item", "title": MARK}],
                "collected": MARK,
            }
        )
        return [*parts, last[:-1]]

    def _location(self, place: Place) -> bytes:
        file = self._rows.file(place)
        return _text(f"{file}:{max(1, place.line)}:{max(1, place.column)}".strip())

    def _remarks(self, run: Run) -> Column:
        """All that a reader needs of what did not pass."""
        asking = [judgement.outcome not in SILENT for judgement in run.judgements]
        if not any(asking):
            return b""
        return [
            b',"remarks":' + _text("\n\n".join(self._rows.row(run.at(at)).lines())) if asking[number] else b""
            for at, number in enumerate(run.numbers)
        ]  # fmt: skip


def _begins(name: str) -> bytes:
    return b'"' + inside(visible(name))


def _text(text: str) -> bytes:
    return msgspec.json.encode(text)


def _evidence(words: Words) -> bytes:
    """What a rule saw; nothing of none."""
    seen = [{"description": each} for each in words.seen]
    return b',"relevant-evidence":' + msgspec.json.encode(seen) if seen else b""
