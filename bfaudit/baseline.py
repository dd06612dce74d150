"""Baselines: the known findings of a fleet, as a file that is kept beside its manifests. Its schema is `schemas/baseline.schema.json`.

A finding is known by its rule and its connection, so that moved lines and renamed files change nothing; one that has
become worse since is new. The file is plain: one finding to an entry, in order, so that a review sees what is added and
two branches merge.
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bfaudit.egress import OBSERVED
from bfaudit.errors import InvalidInput, Problem
from bfaudit.model import Audit, Json, Outcome, Place, Result, Severity, fingerprint
from bfaudit.policy.fields import FIELDS
from bfaudit.results import Results
from bfaudit.sealed import Moment, speakable, utc

SCHEMA = "bfaudit-baseline/1"


WORSE_BY_MORE = frozenset({OBSERVED, *(name for name, field in FIELDS.items() if field.worse_by_more)})  # fmt: skip
"""The fields that list what a rule minds: with one item more it is another finding."""


class Known(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One finding that is known."""

    fingerprint: str
    rule: str
    connection: str
    severity: str
    message: str
    """What was found when it became known."""
    since: Moment
    listed: Mapping[str, tuple[str, ...]] = {}
    """What fields listed then, of those that are worse by more."""

    @property
    def order(self) -> tuple[int, str, str]:
        """Worst first, then by rule and connection."""
        return -Severity.of(self.severity), self.rule, self.connection


class Baseline(Struct, frozen=True, kw_only=True):
    """The findings that are known of a fleet."""

    findings: tuple[Known, ...] = ()


class Document(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    schema: str
    findings: tuple[Known, ...]


class Pruned(Struct, frozen=True):
    """What is left of a baseline, and what went."""

    baseline: Baseline
    gone: tuple[Known, ...]


def created(audit: Audit) -> Baseline:
    """The findings of an audit as known; those under an exception are accounted for already."""
    return _ordered(
        Known(
            fingerprint=result.fingerprint,
            rule=result.rule.id,
            connection=result.connection,
            severity=result.rule.severity.word,
            message=result.judgement.message,
            since=utc(audit.generated_at),
            listed=_listed(result),
        )
        for result in audit.results
        if _found(result)
    )


def pruned(baseline: Baseline, audit: Audit) -> Pruned:
    """The baseline without what an audit shows to be gone.

    What it cannot show is kept: results without an answer, rules that were not asked, and connections that a selection
    left out.
    """
    kept = {
        result.fingerprint
        for result in audit.results
        if result.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
    }
    snapshot = audit.snapshot
    partial = bool(snapshot.interrupted or snapshot.unselected)
    asked = {rule.id for rule in (*audit.rules, *audit.left_out)}
    present = {scanned.connection.name for scanned in snapshot.connections}
    unread = {rejected.name for rejected in snapshot.rejected}

    def stays(known: Known) -> bool:
        if known.fingerprint in kept or known.connection in unread or known.rule not in asked:
            return True
        return partial and known.connection not in present

    gone = tuple(known for known in baseline.findings if not stays(known))
    return Pruned(_ordered(filter(stays, baseline.findings)), gone)


def applied(audit: Audit, baseline: Baseline) -> Audit:
    """The audit with its known findings marked."""
    known = {one.fingerprint: one for one in baseline.findings}
    return replace(
        audit,
        baselined=frozenset(
            result.fingerprint
            for result in Results.of(audit.results).having({Outcome.FAIL})
            if _found(result) and _is(known.get(result.fingerprint), result)
        ),
    )


def encode(baseline: Baseline) -> bytes:
    """The baseline as a JSON document; the same bytes for the same findings."""
    document = Document(schema=SCHEMA, findings=_ordered(baseline.findings).findings)
    plain = speakable(msgspec.to_builtins(document))
    return msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n"


def decode(data: bytes, file: str) -> Baseline:
    """The baseline that a document holds; `file` names it in errors. Raises `InvalidInput` where it is none."""
    content = _json(data, file)
    found = content.get("schema") if isinstance(content, dict) else None
    if found != SCHEMA:
        raise _invalid(
            file,
            f"the schema is not `{SCHEMA}`",
            "Pass the file that `bfaudit baseline create` wrote.",
        )
    try:
        document = msgspec.convert(content, Document)
    except (msgspec.ValidationError, RecursionError, OverflowError) as error:
        raise _invalid(file, f"not a valid baseline: {error}") from error
    for known in document.findings:
        if known.severity not in {each.word for each in Severity}:
            raise _invalid(file, f"not a valid baseline: no severity is {known.severity!r}")
        if known.fingerprint != fingerprint(known.rule, known.connection):
            raise _invalid(
                file,
                f"the fingerprint {known.fingerprint!r} is not that of `{known.rule}` on {known.connection!r}",
                "An entry must silence what it says. Make the file again with `bfaudit baseline create`.",
            )
    return _ordered(document.findings)


def _json(data: bytes, file: str) -> Json:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _invalid(
            file, f"not JSON: {error}", "Is it a merge that was not finished?"
        ) from error
    except RecursionError as error:
        raise _invalid(file, "nested more deeply than any baseline") from error


def _found(result: Result) -> bool:
    # What has an identity of its own is about an exception, and not to be known away.
    return result.outcome is Outcome.FAIL and result.exception is None and result.identity is None


def _is(known: Known | None, result: Result) -> bool:
    """Whether a finding is the known one: no graver than it was, and nothing listed that was not."""
    if known is None or result.rule.severity > Severity.of(known.severity):
        return False
    return all(
        set(items).issubset(known.listed.get(field, ())) for field, items in _listed(result).items()
    )


def _listed(result: Result) -> dict[str, tuple[str, ...]]:
    return {
        seen.field: tuple(sorted(map(str, seen.value)))
        for seen in result.judgement.observations
        if seen.field in WORSE_BY_MORE and seen.value
    }


def _ordered(findings: Iterable[Known]) -> Baseline:
    unique = {known.fingerprint: known for known in findings}
    return Baseline(findings=tuple(sorted(unique.values(), key=lambda known: known.order)))


def _invalid(file: str, message: str, hint: str | None = None) -> InvalidInput:
    return InvalidInput([Problem(message, place=Place(file, 1, 1), hint=hint)])
