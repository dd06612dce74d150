"""What policy tests come to beside pass and fail: what they leave untested, JUnit, and expectations written anew."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from bfaudit.model import Outcome
from bfaudit.policy import cel
from bfaudit.policy.cases import Ran, with_params
from bfaudit.policy.cel import CompileError
from bfaudit.policy.columns import Table
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.mutate import operands, types_of
from bfaudit.policy.ran import ScanRun
from bfaudit.policy.rules import CompiledRule

_CERTAIN = ("manifest", "the audit")
_ALWAYS = frozenset(
    {
        "status.word",
        "status.reason",
        "key.last_use_known",
        "key.unobserved",
        "fleet.inventory_drift",  # where `fleet.listed` lets a rule read it
    }
)


class Untested(NamedTuple):
    """What no case of a rule shows."""

    rule: str
    what: str


def untested(rules: Mapping[str, CompiledRule], ran: Sequence[Ran]) -> Iterator[Untested]:
    """Rules without cases, outcomes that no case shows, and parts of conditions that never decide both ways."""
    for name, rule in sorted(rules.items()):
        mine = [each for each in ran if each.rule == name]
        if not mine:
            yield Untested(name, "no case at all")
            continue
        shown = {each.result.outcome for each in mine}
        for outcome in (Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN):
            if outcome is Outcome.UNKNOWN and not may_be_missing(rule):
                continue
            if outcome not in shown and not (outcome is Outcome.UNKNOWN and rule.rule.on_unknown is not outcome):  # fmt: skip
                yield Untested(name, f"no case is `{outcome}`")
        for where, source in (("applies", rule.rule.applies), ("require", rule.rule.require)):
            for part in dict.fromkeys(source[start:end] for start, end, _ in operands(source)):
                missing = {True, False} - _answers(part, rule, mine)
                if missing and missing != {True, False, None}:
                    words = " nor ".join(str(each).lower() for each in sorted(missing, key=str))
                    told = " ".join(part.split())
                    yield Untested(name, f"{where}: `{told}` is never {words}")


def may_be_missing(rule: CompiledRule) -> bool:
    """Whether a condition of the rule reads anything that a scan may leave open."""
    read = (*rule.applies.reads, *rule.require.reads)
    return any(
        name not in _ALWAYS and not FIELDS[name].origin.startswith(_CERTAIN) for name in read
    )


def _answers(part: str, rule: CompiledRule, ran: Sequence[Ran]) -> set[bool]:
    """What a part of a condition says over all cases; both where it cannot stand alone, as inside a loop."""
    found: set[bool] = set()
    for each in ran:
        params = with_params(rule, each.prepared.case.params).rule.params
        try:
            asked = cel.compile(part, params, types_of(params))
        except CompileError:
            return {True, False}
        fleet = each.prepared.fleet.connections
        at = next(i for i, one in enumerate(fleet) if one.connection.name == each.prepared.about)
        table = Table(fleet, each.prepared.case.now, ran=ScanRun.of(each.prepared.fleet))
        values = {}
        for name in asked.reads:
            column = table.column(name)
            number = column.numbers[at]
            if column.evidence[number].judged:
                values[name] = cel.speakable(column.evidence[number].value)
        answer = asked.evaluate(values)
        if isinstance(answer, bool):
            found.add(answer)
    return found


def junit(ran: Sequence[Ran]) -> bytes:
    """The cases as JUnit XML: a suite per rule."""
    failed = sum(each.wrong is not None for each in ran)
    root = ET.Element("testsuites", tests=str(len(ran)), failures=str(failed))
    for rule in dict.fromkeys(each.rule for each in ran):
        mine = [each for each in ran if each.rule == rule]
        wrong = sum(each.wrong is not None for each in mine)
        suite = ET.SubElement(root, "testsuite", name=_plain(rule), tests=str(len(mine)), failures=str(wrong))  # fmt: skip
        for each in mine:
            case = ET.SubElement(suite, "testcase", classname=_plain(rule), name=_plain(each.case))  # fmt: skip
            if each.wrong is not None:
                told = ET.SubElement(case, "failure", message=_plain(each.wrong))
                told.text = str(each.place)
    ET.indent(root)
    made: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return made + b"\n"


def _plain(text: str) -> str:
    """Text that XML can hold."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def updated(text: str, ran: Sequence[Ran]) -> str:
    """The text of a file with the outcomes that its rules give; messages that no longer hold are emptied."""
    changes: list[tuple[int, int, str]] = []
    for each in ran:
        if each.wrong is None:
            continue
        document, path = each.prepared.document, each.prepared.path
        case, result = each.prepared.case, each.result
        if case.outcome is not result.outcome:
            at = document.offset((*path, "outcome"))
            changes.append((at, at + len(case.outcome), result.outcome.value))
        if case.message and case.message not in result.judgement.message:
            at = document.offset((*path, "message"))
            end = text.find("\n", at)
            line = text[at : end if end >= 0 else len(text)]
            if case.message in line or case.message in line.replace('\\"', '"'):
                said = result.judgement.message.replace("\\", "\\\\").replace('"', '\\"')
                changes.append((at, at + len(line), f'"{said}"'))
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text
