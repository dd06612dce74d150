"""`bfaudit watch`: audits again and again, and tells of what is new and what is resolved."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from bfaudit import __version__, credentials, errors
from bfaudit.cli import notify, options, report_options, rounds
from bfaudit.cli.durations import Interval
from bfaudit.cli.gate_options import gating, selecting
from bfaudit.cli.output import write
from bfaudit.cli.stopping import Stop
from bfaudit.lang import Language, language
from bfaudit.model import Audit, Outcome, Result, Scanned, Snapshot, Unselected

SCHEMA = "bfaudit-findings/1"
_OUR_OWN = ("BFAUDIT_FINGERPRINT_KEY", "VAULT_TOKEN", "VAULT_SECRET_ID")


class Open(msgspec.Struct, frozen=True):
    """One finding, as it is told of."""

    fingerprint: str
    rule: str
    severity: str
    title: str
    message: str
    connection: str
    exchange: str
    place: str


class Told(msgspec.Struct, frozen=True):
    """One message."""

    schema: str
    version: str
    at: datetime
    new: list[Open]
    resolved: list[Open]
    open: int
    """How many findings there are now."""


@click.command("watch")
@options.manifests
@selecting
@click.option("--every", type=Interval(), default="15m", show_default=True, metavar="INTERVAL", help="From the start of a round to the next: 30s, 15m, 6h, 1d.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1), metavar="N", help="End after N rounds, with the exit code of the last; for timers. [default: go on]")  # fmt: skip
@click.option("--snapshot-out", metavar="FILE", envvar="BFAUDIT_SNAPSHOT_OUT", help="Write the snapshot of each round there, whole or not at all.")  # fmt: skip
@click.option("--state", metavar="FILE", help="Remember the open findings there, so that a new start does not tell of them again.")  # fmt: skip
@click.option("--on-finding", "hooks", multiple=True, metavar="exec:CMD|URL", help="Tell of new and resolved findings, as JSON: a program's input, or a POST; repeatable.")  # fmt: skip
@click.option("--webhook-secret", metavar="REF", help="Where the key lives that signs what is posted, such as env:NAME.")  # fmt: skip
@options.judging
@gating
@report_options.language
@options.keep_going
@options.scanning
def command(manifests: tuple[str, ...], **given: Any) -> int:
    """Audit MANIFEST... every so often, until SIGINT or SIGTERM, which end it cleanly with 0.

    The manifests and policies are read anew in each round. A finding whose evidence is missing in a round stays open.
    """
    from bfaudit.cli import gating as gates  # noqa: PLC0415
    from bfaudit.cli.selecting import load_selected  # noqa: PLC0415

    hooks = [notify.hook(text) for text in given["hooks"]]
    if given["webhook_secret"] and not any(hook.url for hook in hooks):
        raise errors.UsageError("--webhook-secret: there is no webhook", hint="name one: --on-finding https://...")  # fmt: skip
    known = _recall(given["state"], hooks)
    _secret(given)  # what is wrong from the beginning is told at once, and not once in each round
    gates.terms(given, *gates.read_snapshots(given["previous"]))
    load_selected(manifests, given)
    return rounds.repeat(
        lambda stop: _round(manifests, given, known, hooks, stop),
        given["every"].total_seconds(),
        given["rounds"],
        loud=given["verbose"] > 1,
        lang=language(given["lang"]),
    )


def _secret(given: Mapping[str, Any]) -> credentials.Secret | None:
    reference = given["webhook_secret"]
    if reference is None:
        return None
    place = credentials.ResolveContext(os.environ, allow_exec=given["allow_exec"])
    try:
        return credentials.resolve(reference, place)
    except errors.CredentialError as error:
        raise errors.UsageError(f"--webhook-secret: {error.message}", hint=error.hint) from None


def _round(
    manifests: Sequence[str],
    given: Mapping[str, Any],
    known: dict[str, Open],
    hooks: list[notify.Hook],
    stop: Stop,
) -> int:
    """One audit; its exit code. One that was cut short leaves everything as it is."""
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import gating as gates  # noqa: PLC0415
    from bfaudit.cli.selecting import scan_selected  # noqa: PLC0415

    secret = _secret(given)
    terms = gates.terms(given, *gates.read_snapshots(given["previous"]))
    snapshot = terms.remembered(scan_selected(manifests, given, stop))
    if snapshot.interrupted:
        return 130
    audit = terms.judged(snapshot)
    if given["snapshot_out"]:
        write(given["snapshot_out"], snapshots.encode(snapshot))
    new, resolved = _compare(known, audit)
    at = datetime.now(UTC)
    told = Told(SCHEMA, __version__, at, new, resolved, len(known))
    body = msgspec.json.encode(told) if new or resolved else None
    notify.tell(hooks, body, secret, _hidden(snapshot, given))
    if given["state"]:
        late = {hook.mark: [*map(msgspec.Raw, hook.pending)] for hook in hooks if hook.pending}
        kept = {"schema": SCHEMA, "open": list(known.values()), "pending": late}
        write(given["state"], msgspec.json.encode(kept))
    if not given["quiet"]:
        said = _line(language(given["lang"]), len(snapshot.connections), told)
        print(f"{at:%Y-%m-%dT%H:%M:%SZ}  {said}", file=sys.stderr)
    return terms.code(audit)


def _line(lang: Language, connections: int, told: Told) -> str:
    """What a round came to."""
    scanned = lang.plural("{n} connection", "{n} connections", connections)
    found = lang.plural("{n} open finding", "{n} open findings", told.open)
    changed = lang.say("{new} new, {resolved} resolved", new=len(told.new), resolved=len(told.resolved))  # fmt: skip
    return f"{scanned}, {found}, {changed}"


def _compare(known: dict[str, Open], audit: Audit) -> tuple[list[Open], list[Open]]:
    """What is new and what is resolved; `known` becomes what is open now. What is unknown now keeps its state."""
    exchanges = {one.connection.name: one.connection.exchange for one in audit.snapshot.connections}
    failed: dict[str, Open] = {}
    unsure: set[str] = set()
    for result in audit.results:
        if result.fingerprint in audit.baselined:
            continue
        if result.outcome is Outcome.FAIL and result.exception is None:
            failed[result.fingerprint] = _open(result, exchanges.get(result.connection, ""))
        elif result.outcome in (Outcome.UNKNOWN, Outcome.ERROR):
            unsure.add(result.fingerprint)
    new = [one for mark, one in failed.items() if mark not in known]
    if audit.snapshot.rejected or audit.snapshot.unselected:
        # What was kept or left out may be among what is not seen.
        unsure |= {mark for mark, one in known.items() if one.connection not in exchanges}
    resolved = [one for mark, one in known.items() if mark not in failed and mark not in unsure]
    for one in resolved:
        del known[one.fingerprint]
    known.update(failed)
    return new, resolved


def _open(result: Result, exchange: str) -> Open:
    return Open(
        result.fingerprint,
        result.rule.id,
        result.rule.severity.word,
        result.rule.title,
        result.judgement.message,
        result.connection,
        exchange,
        str(result.place),
    )


def _recall(state: str | None, hooks: Sequence[notify.Hook]) -> dict[str, Open]:
    """What was open; what did not arrive at a hook waits there again."""
    if state is None or not Path(state).exists():
        return {}
    try:
        data = msgspec.json.decode(Path(state).read_bytes())
        listed = msgspec.convert(data["open"], list[Open])
        late = msgspec.convert(data.get("pending", {}), dict[str, list[dict[str, Any]]])
    except (OSError, KeyError, TypeError, msgspec.DecodeError, msgspec.ValidationError):
        raise errors.UsageError(
            f"--state {state}: not what a watch wrote", hint="remove it to begin anew"
        ) from None
    for hook in hooks:
        hook.pending.extend(map(msgspec.json.encode, late.get(hook.mark, [])))
    return {one.fingerprint: one for one in listed}


def _hidden(snapshot: Snapshot, given: Mapping[str, Any]) -> frozenset[str]:
    """The environment variables that hold credentials."""
    fleet: Iterable[Scanned | Unselected] = (*snapshot.connections, *snapshot.rest)
    references = [each for one in fleet for each in one.connection.credentials.values()]
    references += [given["webhook_secret"]] if given["webhook_secret"] else []
    names = {each.removeprefix("env:") for each in references if each.startswith("env:")}
    return frozenset({*names, *_OUR_OWN})
