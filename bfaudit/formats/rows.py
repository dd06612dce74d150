"""What the machine formats say of each result; each text is made once per judgement, rule or connection, not per result."""

import posixpath
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from bfaudit.exceptions import subjects
from bfaudit.formats.base import Options
from bfaudit.model import Audit, Judgement, Outcome, Place, Result, Rule, Scanned, Status
from bfaudit.report.counts import Counts
from bfaudit.report.findings import fix
from bfaudit.report.wording import paragraph, show, visible
from bfaudit.results import Results
from bfaudit.words import count

ASKING = frozenset({Outcome.FAIL, Outcome.UNKNOWN, Outcome.ERROR})
"""The outcomes that ask for a reader."""

UNANSWERED = ASKING - {Outcome.FAIL}
"""Those without an answer."""

NOT_AUDITED = "not-audited"
"""What stands for the rule where a connection was left out of the audit."""


class Words(NamedTuple):
    """What a judgement says, in harmless text."""

    message: str
    expected: str
    seen: tuple[str, ...]
    """Each field that the rule read: its value, and where there is something to act on, where that comes from."""


class Row(NamedTuple):
    """A result with its texts, in which every invisible character is spelt out."""

    result: Result
    scanned: Scanned
    connection: str
    title: str
    words: Words
    fix: str
    """What to do about a finding on this exchange; empty where the rule does not say, and where there is none."""
    status: str
    """How the connection test ended and what to do about it; empty where the key works."""
    exception: str
    """The exception that it is under, in full; empty for none."""
    known: bool | None
    """Whether the baseline holds it; None where there is no baseline."""
    file: str
    line: int
    column: int

    @property
    def outcome(self) -> Outcome:
        """What became of the rule."""
        return self.result.outcome

    @property
    def rule(self) -> Rule:
        """The rule that judged."""
        return self.result.rule

    @property
    def excepted(self) -> bool:
        """Whether it is a finding under an exception."""
        return self.outcome is Outcome.FAIL and self.result.exception is not None

    @property
    def headline(self) -> str:
        """What it comes to, in one line."""
        return headline(self.connection, self.outcome, self.words, self.rule)

    def lines(self) -> Iterator[str]:
        """All that a reader needs, line by line."""
        yield self.headline
        if self.words.expected:
            yield f"expected: {self.words.expected}"
        for seen in self.words.seen:
            yield f"actual: {seen}"
        if self.status:
            yield f"status: {self.status}"
        if self.fix:
            yield f"fix: {self.fix}"
        if self.exception:
            yield f"exception: {self.exception}"
        yield f"at: {self.file}:{self.line}:{self.column}"


class Rows:
    """The results of an audit, ready to be written."""

    def __init__(self, audit: Audit, options: Options) -> None:
        self._audit = audit
        self._options = options
        self._scans = {
            name: (visible(name), _status(one), one) for name, one in subjects(audit).items()
        }
        self._approved = {one.id: one for one in audit.exceptions}
        self._baselined = audit.baselined
        self._words: dict[int, Words] = {}
        self._titles: dict[str, str] = {}
        self._fixes: dict[tuple[str, str], str] = {}
        self._files: dict[str, str] = {}

    def __iter__(self) -> Iterator[Row]:
        """Every result, in the order of the audit."""
        return map(self.row, self._audit.results)

    def asking(self) -> list[Row]:
        """Findings and what has no answer, the worst first; without findings under an exception."""
        return list(map(self.row, asking(self._audit)))

    def file(self, place: Place) -> str:
        """The file of a place, from the root of the repository where that is known."""
        file = self._files.get(place.file)
        if file is None:
            file = self._files[place.file] = self._relative(place.file)
        return file

    def elsewhere(self) -> str:
        """Which exchanges were asked at another address than their own; empty for none."""
        asked = [one for one in self._audit.snapshot.exchanges if one.redirected]
        where = ", ".join(f"{visible(one.id)} at {visible(one.url)}" for one in asked)
        return f"Not the real exchange, redirected: {where}" if where else ""

    def caveats(self) -> Iterator[str]:
        """What a reader has to know before believing anything else."""
        if text := self.elsewhere():
            yield text
        if self._audit.snapshot.interrupted:
            yield "The scan was interrupted: connections are missing"

    def row(self, result: Result) -> Row:
        """A result with its texts."""
        rule, judgement, place = result.rule, result.judgement, result.place
        name, status, scanned = self._scans[result.connection]
        words = self.words(judgement)
        title = self._titles.get(rule.id)
        if title is None:
            title = self._titles[rule.id] = told(rule.title)
        failed = judgement.outcome is Outcome.FAIL
        return Row(
            result=result,
            scanned=scanned,
            connection=name,
            title=title,
            words=words,
            fix=self.fix(rule, scanned.connection.exchange) if failed else "",
            status=status,
            exception="" if result.exception is None else self.exception(result.exception),
            known=result.fingerprint in self._baselined if self._baselined else None,
            file=self.file(place),
            line=max(1, place.line),
            column=max(1, place.column),
        )

    def words(self, judgement: Judgement) -> Words:
        """What a judgement says."""
        words = self._words.get(id(judgement))
        if words is None:
            words = self._words[id(judgement)] = _words(judgement)
        return words

    def scanned(self, connection: str) -> Scanned:
        """What a result is about, by its name."""
        return self._scans[connection][2]

    def status(self, connection: str) -> str:
        """How the test of a connection ended and what to do about it, by its name; empty where the key works."""
        return self._scans[connection][1]

    def fix(self, rule: Rule, exchange: str) -> str:
        """What to do about a finding on an exchange."""
        made = self._fixes.get((rule.id, exchange))
        if made is None:
            made = self._fixes[rule.id, exchange] = visible(fix(rule, exchange))
        return made

    def exception(self, name: str) -> str:
        """An exception in full, by its id."""
        approved = self._approved.get(name)
        if approved is None:
            return visible(name)
        until = f"until {approved.expires}" if approved.expires else ""
        return told(", ".join(filter(None, (approved.id, approved.reason, approved.ticket, until))))

    def _relative(self, file: str) -> str:
        root = self._options.root
        name = visible(file)
        if name.startswith("/"):
            inside = root and name.startswith(f"{root.rstrip('/')}/")
            return posixpath.relpath(name, root) if inside else posixpath.normpath(name)
        return posixpath.normpath(posixpath.join(self._options.folder, name))


def asking(audit: Audit, *, excepted: bool = False) -> Iterator[Result]:
    """What asks for a reader, by severity, findings before what is not known; those under an exception only if wanted."""
    runs = sorted(Results.of(audit.results).runs, key=lambda run: -run.rule.severity)
    for _, alike in groupby(runs, key=lambda run: run.rule.severity):
        some = list(alike)
        for run in some:
            found = run.having({Outcome.FAIL})
            yield from (one for one in found if excepted or one.exception is None)
        for run in some:
            yield from run.having(UNANSWERED)


def headline(connection: str, outcome: Outcome, words: Words, rule: Rule) -> str:
    """What a result comes to, in one line."""
    answer = "" if outcome is Outcome.FAIL else f"no answer to {rule.id}. "
    return f"{connection}: {answer}{words.message}"


def told(text: str) -> str:
    """Text of a policy as one harmless paragraph."""
    return visible(paragraph(text))


def sum_of(counts: Counts) -> str:
    """The counts in one sentence, the same in every format that has room for one only."""
    outcomes = counts.outcomes
    part = f" ({counts.unselected} more not selected)" if counts.unselected else ""
    return (
        f"{count(counts.connections, 'connection')}{part}: {outcomes[Outcome.FAIL]} failed ({counts.excepted} excepted), "
        f"{outcomes[Outcome.UNKNOWN]} unknown, {count(outcomes[Outcome.ERROR], 'error')}, "
        f"{outcomes[Outcome.PASS]} passed, {outcomes[Outcome.NOT_APPLICABLE]} not applicable"
    )


def _status(scanned: Scanned) -> str:
    if scanned.status is Status.ONLINE:
        return ""
    word = f"{scanned.status.value} ({scanned.reason})" if scanned.reason else scanned.status.value
    return told(
        ": ".join(filter(None, (word, " ".join(filter(None, (scanned.detail, scanned.advice))))))
    )


def _words(judgement: Judgement) -> Words:
    seen = []
    asking = judgement.outcome in ASKING
    for each in judgement.observations:
        value = "unknown" if each.unknown is not None and not each.value else show(each.value)
        why = each.unknown and f"not known: {each.unknown}"
        notes = "; ".join(filter(None, (each.source, each.request, each.limitation, why)))
        seen.append(
            visible(f"{each.field} = {value}" + (f" ({notes})" if asking and notes else ""))
        )
    return Words(told(judgement.message), told(judgement.expected), tuple(seen))
