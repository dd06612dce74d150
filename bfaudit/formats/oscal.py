"""OSCAL 1.2.1 assessment results: an observation per applicable result, a finding per rule that has an answer, a risk per failure.

A rule is `satisfied` only where it passed everywhere. Where nothing failed but something is unknown, its observations
stand without a finding. https://pages.nist.gov/OSCAL-Reference/models/v1.2.1/assessment-results/json-outline/
"""

import re
import uuid
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.formats.rows import Row, Rows, sum_of, told
from bfaudit.model import Audit, Json, Outcome, Rule, Scanned
from bfaudit.report.counts import tally
from bfaudit.report.wording import visible
from bfaudit.sealed import plain

VERSION = "1.2.1"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:bfaudit:oscal")
PROPERTIES = "urn:bfaudit:oscal:properties"

TALKING = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.ERROR})
"""The outcomes that are observed: not that of a rule which does not apply."""


def render(audit: Audit, options: Options) -> bytes:
    """The document; every identifier follows from its content."""
    return msgspec.json.encode(_Maker(audit, options).document()) + b"\n"


class _Maker:
    """An audit on its way into the model."""

    def __init__(self, audit: Audit, options: Options) -> None:
        self._audit = audit
        self._digest = options.digest_of(audit.snapshot)
        self._rows = Rows(audit, options)
        self._at = plain(audit.generated_at)
        within = f"{self._digest} {self._at} {' '.join(map(visible, audit.policies))}"
        self._space = uuid.uuid5(NAMESPACE, within)

    def document(self) -> dict[str, Json]:
        """The whole of it."""
        plan = self._uuid("plan")
        return {
            "assessment-results": {
                "uuid": self._uuid("document"),
                "metadata": {
                    "title": "Audit of exchange API keys",
                    "last-modified": self._at,
                    "version": self._at,
                    "oscal-version": VERSION,
                    "props": [
                        _prop("tool", "bfaudit"),
                        _prop("tool-version", bfaudit.__version__),
                        _prop("snapshot", self._digest),
                    ],
                },
                "import-ap": {"href": f"#{plan}", "remarks": "The policies stand for the plan."},
                "results": [self._result()],
                "back-matter": {
                    "resources": [
                        {
                            "uuid": plan,
                            "title": _line(f"Policies: {', '.join(self._audit.policies)}"),
                            "description": f"{len(self._audit.rules)} rules of bfaudit.",
                        }
                    ]
                },
            }
        }

    def _result(self) -> dict[str, Json]:
        audit, snapshot = self._audit, self._audit.snapshot
        counts = tally(audit)
        props = [_prop(f"results-{name}", str(number)) for name, number in counts.outcomes.items()]
        failed = counts.failed_by_severity.items()
        props += [_prop(f"findings-{name}", str(number)) for name, number in failed]
        props += [_prop("excepted", str(counts.excepted)), _prop("coverage", str(counts.coverage))]
        notes = [*self._rows.caveats(), sum_of(counts)]
        notes += [
            f"{visible(one.name)} was not audited: {visible(one.error)}"
            for one in snapshot.rejected
        ]
        items = [self._item(scanned) for scanned in snapshot.connections]
        observations, findings, risks = self._judged()
        made: dict[str, Json] = {
            "uuid": self._uuid("result"),
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
            "observations": observations,
            "risks": risks,
            "findings": findings,
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
            "props": [_prop(name, value) for name, value in told_of.items() if value],
        }

    def _judged(self) -> tuple[list[Json], list[Json], list[Json]]:
        """Observations, findings and risks."""
        observations: list[Json] = []
        findings: list[Json] = []
        risks: list[Json] = []
        for _, group in groupby(self._rows, key=lambda row: row.rule.id):
            rows = [row for row in group if row.outcome in TALKING]
            observations += map(self._observation, rows)
            risks += [self._risk(row) for row in rows if row.outcome is Outcome.FAIL]
            findings += self._finding(rows)
        return observations, findings, risks

    def _observation(self, row: Row) -> dict[str, Json]:
        made: dict[str, Json] = {
            "uuid": self._of(row, "observation"),
            "title": _line(row.title or row.rule.id),
            "description": row.headline,
            "props": self._props(row),
            "methods": ["TEST"],
            "subjects": [
                {
                    "subject-uuid": self._item_uuid(row.result.connection),
                    "type": "inventory-item",
                    "title": _line(row.connection),
                }
            ],
            "collected": plain(row.scanned.scanned_at),
        }
        if row.outcome is not Outcome.PASS:
            made["remarks"] = "\n\n".join(row.lines())
        if row.words.seen:
            made["relevant-evidence"] = [{"description": seen} for seen in row.words.seen]
        return made

    def _props(self, row: Row) -> list[Json]:
        return [
            _prop("rule", row.rule.id),
            _prop("outcome", row.outcome.value),
            _prop("severity", row.rule.severity.word),
            _prop("fingerprint", row.result.fingerprint),
            _prop("location", f"{row.file}:{row.line}:{row.column}"),
        ]

    def _finding(self, rows: Sequence[Row]) -> Iterator[dict[str, Json]]:
        failed = [row for row in rows if row.outcome is Outcome.FAIL]
        if not rows or not (failed or all(row.outcome is Outcome.PASS for row in rows)):
            return
        rule = rows[0].rule
        outcomes = ", ".join(
            f"{number} {outcome.value}"
            for outcome in Outcome
            if (number := sum(row.outcome is outcome for row in rows))
        )
        made: dict[str, Json] = {
            "uuid": self._uuid("finding", rule.id),
            "title": _line(rows[0].title or rule.id),
            "description": told(rule.rationale) or rows[0].title or visible(rule.id),
            "props": [
                _prop("rule", rule.id),
                _prop("severity", rule.severity.word),
                *_controls(rule),
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
                {"observation-uuid": self._of(row, "observation")} for row in rows
            ],
            "remarks": f"Of {len(rows)} connections: {outcomes}.",
        }
        if failed:
            made["related-risks"] = [{"risk-uuid": self._of(row, "risk")} for row in failed]
        yield made

    def _risk(self, row: Row) -> dict[str, Json]:
        made: dict[str, Json] = {
            "uuid": self._of(row, "risk"),
            "title": _line(f"{row.title or row.rule.id}: {row.connection}"),
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
        return self._uuid("connection", connection)

    def _of(self, row: Row, kind: str) -> str:
        return self._uuid(kind, row.rule.id, row.result.connection)

    def _uuid(self, *parts: str) -> str:
        return str(uuid.uuid5(self._space, "\0".join(map(visible, parts))))


def token(text: str) -> str:
    """A word that the model takes as an identifier."""
    safe = re.sub(r"[^\w.\-]", "-", visible(text))
    return safe if re.match(r"[^\W\d]", safe) else f"_{safe}"


def _controls(rule: Rule) -> list[Json]:
    return [
        {**_prop("control", each), "class": token(name)}
        for name, ids in rule.controls.items()
        for each in ids
    ]


def _prop(name: str, value: str) -> dict[str, Json]:
    return {"name": name, "ns": PROPERTIES, "value": visible(value).strip() or "-"}


def _line(text: str) -> str:
    return visible(text).strip() or "-"


FORMAT = Format(id="oscal", suffix="json", title="OSCAL assessment results", render=render)
