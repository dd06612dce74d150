"""CSV for spreadsheets: one row per result, after RFC 4180; no cell is a formula."""

from collections.abc import Iterator, Mapping

from bfaudit.formats.base import Format, Options
from bfaudit.formats.columns import excepted, fixes
from bfaudit.formats.rows import NOT_AUDITED, Rows, Words, told
from bfaudit.model import Audit, ExchangeScanned, Place, Rejected, Scanned, half
from bfaudit.pieces import Column, PerJudgement, Piece, Shared, blocks, whole
from bfaudit.report.wording import moment, visible
from bfaudit.results import Results, Run

COLUMNS = (
    "outcome", "severity", "rule", "title", "connection", "exchange", "account", "strategy", "owner", "status", "reason",
    "message", "expected", "actual", "fix", "exception", "file", "line", "column", "policy", "controls", "fingerprint",
    "scanned", "asked_at", "redirected",
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # as OWASP lists them


_ENDS = b"\r\n"


def cell(text: str | None) -> str:
    """Text that a spreadsheet takes for text: what it would calculate starts with an apostrophe."""
    raw = text or ""
    safe = visible(raw)
    return f"'{safe}" if raw.lstrip(" ").startswith(_FORMULA) else safe


def render(audit: Audit, options: Options) -> str:
    """A header, every result, then the connections that were left out."""
    return whole(written(audit, options)).decode()


def written(audit: Audit, options: Options) -> Iterator[Piece]:
    """The same in pieces."""
    yield _cells(*COLUMNS)[1:] + _ENDS
    rows = Rows(audit, options)
    made = _Columns(audit, rows)
    for run in Results.of(audit.results).runs:
        yield from blocks([*made.of(run), _ENDS], run.numbers)
    for one in audit.snapshot.rejected:
        yield _left_out(one, rows.file(one.place))[1:] + _ENDS


class _Columns:
    """The cells of results, each with a comma before it; those that hang on connections alone are made once."""

    def __init__(self, audit: Audit, rows: Rows) -> None:
        self._rows = rows
        self._shared = Shared()
        self._asked = {one.id: one for one in audit.snapshot.exchanges}

    def of(self, run: Run) -> Iterator[Column]:
        """The columns of the results of a rule."""
        rule, words = run.rule, map(self._rows.words, run.judgements)
        yield PerJudgement(_cells(one.outcome.value)[1:] for one in run.judgements)
        yield _cells(rule.severity.word, rule.id, told(rule.title))
        yield self._shared(run.names, "about", self._about)
        yield PerJudgement(map(_said, words))
        yield fixes(run, self._rows, self._shared, _cells)
        yield excepted(run, self._rows, _cells)
        yield self._shared(run.places, "place", self._place)
        controls = (f"{name} {', '.join(ids)}" for name, ids in rule.controls.items())
        yield _cells(rule.policy, "; ".join(controls))
        yield from self._fingerprints(run)
        yield self._shared(run.names, "asked", self._when)

    def _about(self, name: str) -> bytes:
        scanned = self._rows.scanned(name)
        connection, reason = scanned.connection, scanned.reason
        return _cells(
            name,
            connection.exchange,
            connection.account,
            connection.strategy,
            connection.owner,
            scanned.status.value,
            reason and reason.value,
        )

    def _place(self, place: Place) -> bytes:
        line, column = max(1, place.line), max(1, place.column)
        return _cells(self._rows.file(place), str(line), str(column))

    def _fingerprints(self, run: Run) -> Iterator[Column]:
        """Of the rule one half, of the connection the other."""
        head = b',"' + half(run.rule.id).encode()
        mine = self._shared(run.names, "half", lambda name: half(name).encode() + b'"')
        if not run.identities:
            yield from (head, mine)
            return
        own = {at: _cells(identity) for at, identity in run.identities.items()}
        yield [own.get(at, head + tail) for at, tail in enumerate(mine)]

    def _when(self, name: str) -> bytes:
        scanned = self._rows.scanned(name)
        return _cells(moment(scanned.scanned_at), *_where(scanned, self._asked))


def _where(scanned: Scanned, asked: Mapping[str, ExchangeScanned]) -> tuple[str, str]:
    """At which address the exchange was asked, and whether that is its own."""
    exchange = asked.get(scanned.connection.exchange)
    if exchange is None:
        return "", ""
    return exchange.url, "redirected" if exchange.redirected else "no"


def _said(words: Words) -> bytes:
    return _cells(words.message, words.expected, "; ".join(words.seen))


def _left_out(one: Rejected, file: str) -> bytes:
    told = {
        "outcome": NOT_AUDITED,
        "connection": one.name,
        "message": one.error,
        "file": file,
        "line": str(one.place.line),
        "column": str(one.place.column),
    }
    return _cells(*map(told.get, COLUMNS))


def _cells(*texts: str | None) -> bytes:
    """Cells, each with a comma before it. Every one is quoted: a `;` may not start a new one where a spreadsheet splits at it."""
    return "".join([f',"{cell(text).replace(_QUOTE, _QUOTE * 2)}"' for text in texts]).encode()


_QUOTE = '"'


FORMAT = Format(
    id="csv", suffix="csv", title="CSV for spreadsheets", render=render, written=written
)
