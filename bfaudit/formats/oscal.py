"""OSCAL 1.2.1 assessment results: an observation per applicable result, a finding per rule that has an answer, a risk per failure.

A rule is `satisfied` only where it passed everywhere. Where nothing failed but something is unknown, its observations
stand without a finding. https://pages.nist.gov/OSCAL-Reference/models/v1.2.1/assessment-results/json-outline/
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby

import msgspec

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.formats.columns import MARK, frame
from bfaudit.formats.oscal_observations import TALKING, Observations
from bfaudit.formats.oscal_words import Identifiers, controls, line, prop, token
from bfaudit.formats.rows import Row, Rows, sum_of, told
from bfaudit.model import Audit, Json, Outcome, Scanned
from bfaudit.pieces import (
    Piece,
    bracketed,
    whole,
)
from bfaudit.report.counts import tally
from bfaudit.report.wording import visible
from bfaudit.results import Results, Run
from bfaudit.sealed import plain

VERSION = "1.2.1"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:bfaudit:oscal")


def render(audit: Audit, options: Options) -> bytes:
    """The document; every identifier follows from its content."""
    return whole(written(audit, options))


def written(audit: Audit, options: Options) -> Iterator[Piece]:
    """The same in pieces."""
    yield from _Maker(audit, options).pieces()
    yield b"\n"


class _Maker:
    """An audit on its way into the model."""

    def __init__(self, audit: Audit, options: Options) -> None:
        self._audit = audit
        self._digest = options.digest_of(audit.snapshot)
        self._rows = Rows(audit, options)
        self._at = plain(audit.generated_at)
        within = f"{self._digest} {self._at} {' '.join(map(visible, audit.policies))}"
        self._ids = Identifiers(uuid.uuid5(NAMESPACE, within))
        runs = groupby(Results.of(audit.results).runs, key=lambda run: run.rule.id)
        self._rules = [list(some) for _, some in runs]

    def pieces(self) -> Iterator[Piece]:
        """The document, around its long lists."""
        lists = self._lists()
        first, *others = frame(self._document(list(lists)))
        yield first
        for pieces, after in zip(lists.values(), others, strict=True):
            yield from bracketed(pieces)
            yield after

    def _lists(self) -> dict[str, Iterator[Piece]]:
        """The lists that hold something, in their order: the model knows no empty ones."""
        outcomes = sum((run.outcomes for run in chain.from_iterable(self._rules)), Counter())
        found: dict[str, Iterator[Piece]] = {}
        if any(outcomes[outcome] for outcome in TALKING):
            runs = chain.from_iterable(self._rules)
            found["observations"] = Observations(self._rows, self._ids).pieces(runs)
        if outcomes[Outcome.FAIL]:
            found["risks"] = self._risks()
        if any(map(_answered, self._rules)):
            found["findings"] = self._findings()
        return found

    def _document(self, lists: Sequence[str]) -> dict[str, Json]:
        """The whole of it."""
        plan = self._ids.of("plan")
        return {
            "assessment-results": {
                "uuid": self._ids.of("document"),
                "metadata": {
                    "title": "Audit of exchange API keys",
                    "last-modified": self._at,
                    "version": self._at,
                    "oscal-version": VERSION,
                    "props": [
                        prop("tool", "bfaudit"),
                        prop("tool-version", bfaudit.__version__),
                        prop("snapshot", self._digest),
                    ],
                },
                "import-ap": {"href": f"#{plan}", "remarks": "The policies stand for the plan."},
                "results": [self._result(lists)],
                "back-matter": {
                    "resources": [
                        {
                            "uuid": plan,
                            "title": line(f"Policies: {', '.join(self._audit.policies)}"),
                            "description": f"{len(self._audit.rules)} rules of bfaudit.",
                        }
                    ]
                },
            }
        }

    def _result(self, lists: Sequence[str]) -> dict[str, Json]:
        audit, snapshot = self._audit, self._audit.snapshot
        counts = tally(audit)
        props = [prop(f"results-{name}", str(number)) for name, number in counts.outcomes.items()]
        failed = counts.failed_by_severity.items()
        props += [prop(f"findings-{name}", str(number)) for name, number in failed]
        props += [prop("excepted", str(counts.excepted)), prop("coverage", str(counts.coverage))]
        notes = [*self._rows.caveats(), sum_of(counts)]
        notes += [
            f"{visible(one.name)} was not audited: {visible(one.error)}"
            for one in snapshot.rejected
        ]
        items = [self._item(scanned) for scanned in snapshot.connections]
        made: dict[str, Json] = {
            "uuid": self._ids.of("result"),
            "title": "Scan of API keys, judged by policy",
            "description": sum_of(counts),
            "start": plain(snapshot.generated_at),
            "end": self._at,
            "props": props,
            "local-definitions": {"inventory-items": items},
            "reviewed-controls": {
                "description": "Every rule of the policies, on every connection that it applies to.",
                "control-selections": [{"include-all": {}}],
            },
            **dict.fromkeys(lists, MARK),
            "remarks": "\n\n".join(notes),
        }
        if not items:
            del made["local-definitions"]
        # The model knows no empty lists.
        return {name: value for name, value in made.items() if value != []}

    def _item(self, scanned: Scanned) -> dict[str, Json]:
        connection = scanned.connection
        told_of = {
            "name": connection.name,
            "exchange": connection.exchange,
            "account": connection.account,
            "strategy": connection.strategy,
            "owner": connection.owner,
            "status": scanned.status.value,
            "reason": scanned.reason and scanned.reason.value,
            "key-fingerprint": scanned.fingerprint,
        }
        return {
            "uuid": self._item_uuid(connection.name),
            "description": f"API key of {visible(connection.name)} at {visible(connection.exchange)}",
            "props": [prop(name, value) for name, value in told_of.items() if value],
        }

    def _risks(self) -> Iterator[Piece]:
        for run in chain.from_iterable(self._rules):
            for result in run.having({Outcome.FAIL}):
                yield b"," + msgspec.json.encode(self._risk(self._rows.row(result)))

    def _props(self, row: Row) -> list[Json]:
        return [
            prop("rule", row.rule.id),
            prop("outcome", row.outcome.value),
            prop("severity", row.rule.severity.word),
            prop("fingerprint", row.result.fingerprint),
            prop("location", f"{row.file}:{row.line}:{row.column}"),
        ]

    def _findings(self) -> Iterator[Piece]:
        for runs in filter(_answered, self._rules):
            yield b"," + msgspec.json.encode(self._finding(runs))

    def _finding(self, runs: Sequence[Run]) -> dict[str, Json]:
        rule, title = runs[0].rule, told(runs[0].rule.title)
        found = _talking(runs)
        failed = found[Outcome.FAIL] > 0
        outcomes = ", ".join(
            f"{found[outcome]} {outcome.value}" for outcome in Outcome if found[outcome]
        )
        made: dict[str, Json] = {
            "uuid": self._ids.of("finding", rule.id),
            "title": line(title or rule.id),
            "description": told(rule.rationale) or title or visible(rule.id),
            "props": [
                prop("rule", rule.id),
                prop("severity", rule.severity.word),
                *controls(rule),
            ],
            "target": {
                "type": "objective-id",
                "target-id": token(rule.id),
                "status": {
                    "state": "not-satisfied" if failed else "satisfied",
                    "reason": "fail" if failed else "pass",
                },
            },
            "related-observations": [
                {"observation-uuid": one}
                for run in runs
                for one in self._ids.each("observation", run, TALKING)
            ],
            "remarks": f"Of {found.total()} connections: {outcomes}.",
        }
        if failed:
            made["related-risks"] = [
                {"risk-uuid": one}
                for run in runs
                for one in self._ids.each("risk", run, {Outcome.FAIL})
            ]
        return made

    def _risk(self, row: Row) -> dict[str, Json]:
        made: dict[str, Json] = {
            "uuid": self._of(row, "risk"),
            "title": line(f"{row.title or row.rule.id}: {row.connection}"),
            "description": row.headline,
            "statement": told(row.rule.rationale) or row.title,
            "props": self._props(row),
            "status": "deviation-approved" if row.excepted else "open",
            "related-observations": [{"observation-uuid": self._of(row, "observation")}],
        }
        told_to_do = row.exception if row.excepted else row.fix
        if told_to_do:
            made["remediations"] = [
                {
                    "uuid": self._of(row, "remediation"),
                    "lifecycle": "planned" if row.excepted else "recommendation",
                    "title": "Exception" if row.excepted else "Fix",
                    "description": told_to_do,
                }
            ]
        return made

    def _item_uuid(self, connection: str) -> str:
        return self._ids.of("connection", connection)

    def _of(self, row: Row, kind: str) -> str:
        return self._ids.of(kind, row.rule.id, row.result.connection)


def _talking(runs: Iterable[Run]) -> Counter[Outcome]:
    """How many results of a rule ended how, of those that are observed."""
    found: Counter[Outcome] = Counter()
    for run in runs:
        found.update(
            {outcome: number for outcome, number in run.outcomes.items() if outcome in TALKING}
        )
    return found


def _answered(runs: Iterable[Run]) -> bool:
    """Whether a rule has an answer: it failed somewhere, or passed everywhere."""
    found = _talking(runs)
    return found[Outcome.FAIL] > 0 or 0 < found[Outcome.PASS] == found.total()


FORMAT = Format(
    id="oscal",
    suffix="json",
    title="OSCAL assessment results",
    render=render,
    written=written,
)
