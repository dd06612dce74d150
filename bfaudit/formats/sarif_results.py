"""The results of a SARIF log, as rows that are joined: what rule, judgement and connection say is written once each."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from bfaudit.formats.base import Options
from bfaudit.formats.columns import MARK
from bfaudit.formats.rows import Row, Rows
from bfaudit.formats.sarif_rules import LEVELS
from bfaudit.model import Json, Outcome, Result, Scanned, half
from bfaudit.pieces import Block
from bfaudit.report.wording import visible

_AT_ONCE = 256
"""Results in one piece."""

_BETWEEN = b",\n    "
_REGION = b'{\n         "startLine": %d,\n         "startColumn": %d%b\n        }'
_END = b',\n         "endLine": %d,\n         "endColumn": %d'

UNANSWERED = "/unknown"
"""What the id of a rule ends with where it stands for "no answer"."""


class _Of(NamedTuple):
    """What a connection says in each of its results."""

    begins: bytes
    name: bytes
    qualified: bytes
    exchange: bytes
    status: bytes
    half: bytes


class ResultWriter:
    """Makes the rows of results; `index` has the numbers of rules by their ids here."""

    def __init__(self, rows: Rows, index: Mapping[str, int], options: Options) -> None:
        self._rows = rows
        self._index = index
        self._suppressed = options.sarif_include_suppressed
        self._ends = {
            file: array("I", (len(line.rstrip()) for line in text.split("\n")))
            for file, text in options.sources.items()
        }
        self._frames: dict[tuple[str, Outcome, bool | None, str | None], list[bytes]] = {}
        self._connections: dict[str, _Of] = {}
        self._judged: dict[tuple[int, str], bytes] = {}
        self._uris: dict[str, bytes] = {}

    def blocks(self, kept: Sequence[Result]) -> Iterator[Block]:
        """The results, each on its lines, a comma before all but the first."""
        for start in range(0, len(kept), _AT_ONCE):
            some = [self._texts(self._rows.row(one)) for one in kept[start : start + _AT_ONCE]]
            begins = [_BETWEEN] * len(some)
            if start == 0:
                begins[0] = _BETWEEN[1:]
            yield Block((begins, *zip(*some, strict=True)))

    def _texts(self, row: Row) -> tuple[bytes, ...]:
        frame, mine = self._frame(row), self._connection(row)
        if row.file not in self._uris:
            self._uris[row.file] = msgspec.json.encode(uri(row.file))
        identity = row.result.identity
        told = [half(row.rule.id).encode(), mine.half] if identity is None else [_inside(visible(identity)), b""]  # fmt: skip
        message = (
            mine.begins,
            self._judgement(row),
            mine.status,
            _line("fix", row.fix),
            _line("exception", row.exception),
            _line("at", f"{row.file}:{row.line}:{row.column}") + b'"',
        )
        return (
            *(frame[0], *message),
            *(frame[1], self._uris[row.file]),
            *(frame[2], self._region(row)),
            *(frame[3], mine.name),
            *(frame[4], mine.qualified),
            *(frame[5] + b'"', *told),
            *(b'"' + frame[6], mine.name),
            *(frame[7], mine.exchange),
            frame[8],
        )

    def _frame(self, row: Row) -> list[bytes]:
        """What is the same in the results of a rule, around what is not."""
        key = (row.rule.id, row.outcome, row.known, row.exception if row.excepted else None)
        if key not in self._frames:
            text = formatted(self._result(row)).replace(b"\n", b"\n    ")
            self._frames[key] = text.split(msgspec.json.encode(MARK))
        return self._frames[key]

    def _result(self, row: Row) -> dict[str, Json]:
        failed = row.outcome is Outcome.FAIL
        name = visible(rule_id(row.result))
        logical = {"name": MARK, "fullyQualifiedName": MARK, "kind": "resource"}
        result: dict[str, Json] = {
            "ruleId": name,
            "ruleIndex": self._index[name],
            "kind": "fail" if failed else "open",
            "level": LEVELS[row.rule.severity] if failed else "none",
            "message": {"text": MARK},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": MARK}, "region": MARK},
                    "logicalLocations": [logical],
                }
            ],
            "partialFingerprints": {"bfauditFinding/v1": MARK},
            "properties": {
                "rule": visible(row.rule.id),
                "severity": row.rule.severity.word,
                "outcome": row.outcome.value,
                "connection": MARK,
                "exchange": MARK,
            },
        }
        if row.known is not None:
            result["baselineState"] = "unchanged" if row.known else "new"
        if self._suppressed:
            # The specification wants them on all results of a run, or on none.
            result["suppressions"] = [_suppression(row)] if row.excepted else []
        return result

    def _connection(self, row: Row) -> _Of:
        name = row.result.connection
        if name not in self._connections:
            self._connections[name] = _of(row, row.scanned)
        return self._connections[name]

    def _judgement(self, row: Row) -> bytes:
        key = (id(row.result.judgement), row.rule.id)
        if key not in self._judged:
            said = row.headline.removeprefix(row.connection)
            expected = _line("expected", row.words.expected)
            seen = (_line("actual", each) for each in row.words.seen)
            self._judged[key] = b"".join([_inside(said), expected, *seen])
        return self._judged[key]

    def _region(self, row: Row) -> bytes:
        """The marked part of the line: to its end, where the manifest is at hand."""
        lines = self._ends.get(row.result.place.file, ())
        length = lines[row.line - 1] if row.line <= len(lines) else 0
        end = _END % (row.line, length + 1) if length >= row.column else b""
        return _REGION % (row.line, row.column, end)


def formatted(value: Json) -> bytes:
    """A value as JSON, one part to a line."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1)


def rule_id(result: Result) -> str:
    """The id that a result has here."""
    return result.rule.id if result.outcome is Outcome.FAIL else f"{result.rule.id}{UNANSWERED}"


def uri(file: str) -> str:
    """The name of a file as a URI: relative to the root of the repository, or absolute."""
    quoted = quote(file, safe="/")
    return f"file://{quoted}" if quoted.startswith("/") else quoted


def harmless(text: str) -> str:
    """Text of a message: `](` would make a link of brackets before it."""
    return text.replace("](", "] (")


def _of(row: Row, scanned: Scanned) -> _Of:
    exchange = visible(scanned.connection.exchange)
    return _Of(
        begins=b'"' + _inside(row.connection),
        name=msgspec.json.encode(row.connection),
        qualified=msgspec.json.encode(f"{exchange}/{row.connection}"),
        exchange=msgspec.json.encode(exchange),
        status=_line("status", row.status),
        half=half(row.result.connection).encode(),
    )


def _line(name: str, text: str) -> bytes:
    """A line of a message, behind the others; nothing where there is no text."""
    return _inside(f"\n{name}: {text}") if text else b""


def _inside(text: str) -> bytes:
    """A part of a text."""
    return msgspec.json.encode(harmless(text))[1:-1]


def _suppression(row: Row) -> dict[str, str]:
    justification = row.exception
    return {"kind": "external", "status": "accepted", "justification": justification}
