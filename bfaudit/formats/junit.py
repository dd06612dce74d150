"""JUnit XML: a suite per rule, a case per connection; what both XSDs in use know, and nothing else.

A finding is a failure; no answer is an error; not applicable, or under an exception, is skipped. GitLab reads the
text of an element and ignores its attributes, so all is in the text.
"""

from collections import Counter
from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import NamedTuple

from bfaudit.formats.base import Format, Options
from bfaudit.formats.rows import NOT_AUDITED, Row, Rows, sum_of
from bfaudit.model import Audit, Outcome, Rejected
from bfaudit.report.counts import tally
from bfaudit.report.wording import visible

KINDS = {
    Outcome.PASS: "",
    Outcome.FAIL: "failure",
    Outcome.UNKNOWN: "error",
    Outcome.ERROR: "error",
    Outcome.NOT_APPLICABLE: "skipped",
}


class Case(NamedTuple):
    """One case of a suite."""

    name: str
    kind: str
    """The element that says how it ended; empty for a pass."""
    type: str
    message: str
    text: str
    file: str


def render(audit: Audit, options: Options) -> str:
    """The whole document."""
    rows = Rows(audit, options)
    total: Counter[str] = Counter()
    suites = [
        _suite(visible(rule), map(_case, group), total, options)
        for rule, group in groupby(rows, key=lambda row: row.rule.id)
    ]
    if audit.snapshot.rejected:
        cases = (_left_out(one, rows) for one in audit.snapshot.rejected)
        suites.append(_suite(NOT_AUDITED, cases, total, options))
    notes = [*rows.caveats(), sum_of(tally(audit)), f"snapshot {options.digest_of(audit.snapshot)}"]
    said = f"<system-out>{escape(chr(10).join(notes))}</system-out>\n"
    suites.append(_suite("summary", iter(()), total, options, said))
    totals = f'tests="{total["tests"]}" failures="{total["failure"]}" errors="{total["error"]}"'
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bfaudit" {totals}>\n'
    return f"{head}{''.join(suites)}</testsuites>\n"


def _case(row: Row) -> Case:
    return Case(
        name=f"{visible(row.rule.id)} · {row.connection}",
        kind="skipped" if row.excepted else KINDS[row.outcome],
        type=row.rule.severity.word if row.outcome is Outcome.FAIL else row.outcome.value,
        message=row.words.message,
        text="\n".join(row.lines()),
        file=row.file,
    )


def _left_out(rejected: Rejected, rows: Rows) -> Case:
    file, error = rows.file(rejected.place), visible(rejected.error)
    text = f"{visible(rejected.name)} was not audited: {error}\nat: {file}:{rejected.place.line}"
    return Case(visible(rejected.name), "error", NOT_AUDITED, error, text, file)


def _suite(
    name: str, cases: Iterator[Case], total: Counter[str], options: Options, said: str = ""
) -> str:
    kinds: Counter[str] = Counter()
    names: Counter[str] = Counter()
    body: list[str] = []
    for case in cases:
        kinds[case.kind] += 1
        names[case.name] += 1
        # Readers merge cases with the same name; names that differ in invisible characters only are told apart.
        number = f" ({names[case.name]})" if names[case.name] > 1 else ""
        body.append(_element(name, case, number, options))
    total.update(kinds)
    total["tests"] += len(body)
    counts = f'tests="{len(body)}" failures="{kinds["failure"]}" errors="{kinds["error"]}"'
    head = f'<testsuite name="bfaudit.{escape(name)}" {counts} skipped="{kinds["skipped"]}">\n'
    return f"{head}{''.join(body)}{said}</testsuite>\n"


def _element(suite: str, case: Case, number: str, options: Options) -> str:
    name = f'classname="bfaudit.{escape(suite)}" name="{escape(case.name)}{number}"'
    file = f' file="{escape(case.file)}"' if options.junit_file else ""
    head = f'<testcase {name} time="0"{file}'
    if not case.kind:
        return f"{head}/>\n"
    # The older XSD knows no attributes of `skipped`.
    more = f' type="{escape(case.type)}" message="{escape(case.message)}"'
    attributes = "" if case.kind == "skipped" else more
    return f"{head}><{case.kind}{attributes}>{escape(case.text)}</{case.kind}></testcase>\n"


FORMAT = Format(id="junit", suffix="xml", title="JUnit XML", render=render)
