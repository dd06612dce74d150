"""`bfaudit watch`: audits again and again, and tells of what is new and what is resolved."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import rich_click as click

from bfaudit import __version__, credentials, errors
from bfaudit.cli import notify, options
from bfaudit.cli.audit import SCANNING
from bfaudit.model import Audit, Connection, Outcome, Result

SCHEMA = "bfaudit-findings/1"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Every(click.ParamType[Any]):
    """A time between rounds: 30s, 15m, 6h, 1d."""

    name = "TIME"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Seconds."""
        if isinstance(value, int | float):
            return value
        match = re.fullmatch(r"(\d{1,6})([smhd])", str(value).strip())
        if not match or not int(match[1]):
            self.fail(f"{value!r} is not a time such as 30s, 15m, 6h or 1d", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


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
@click.option("--every", type=Every(), default="15m", show_default=True, metavar="TIME", help="From the start of a round to the next: 30s, 15m, 6h, 1d.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1), metavar="N", help="End after N rounds, with the exit code of the last; for timers. [default: go on]")  # fmt: skip
@click.option("--snapshot-out", metavar="FILE", envvar="BFAUDIT_SNAPSHOT_OUT", help="Write the snapshot of each round there, whole or not at all.")  # fmt: skip
@click.option("--state", metavar="FILE", help="Remember the open findings there, so that a new start does not tell of them again.")  # fmt: skip
@click.option("--on-finding", "hooks", multiple=True, metavar="exec:CMD|URL", help="Tell of new and resolved findings, as JSON: a program's input, or a POST; repeatable.")  # fmt: skip
@click.option("--webhook-secret", metavar="REF", help="Where the key lives that signs what is posted, such as env:NAME.")  # fmt: skip
@options.judging
@options.keep_going
@options.scanning
def command(manifests: tuple[str, ...], **given: Any) -> int:
    """Audit MANIFEST... every so often, until SIGINT or SIGTERM, which end it cleanly with 0.

    The manifests and policies are read anew in each round. A finding whose evidence is missing in a round stays open.
    """
    hooks = [notify.hook(text) for text in given["hooks"]]
    secret = _secret(given["webhook_secret"])
    known = _recall(given["state"])
    stop = threading.Event()
    _listen(stop)
    rounds, code = 0, 0
    while True:
        started = time.monotonic()
        code = _round(manifests, given, known, hooks, secret, stop)
        rounds += 1
        if stop.is_set():
            print("stopped", file=sys.stderr)
            return 0
        if given["rounds"] and rounds >= given["rounds"]:
            return code
        if stop.wait(max(0.0, started + given["every"] - time.monotonic())):
            print("stopped", file=sys.stderr)
            return 0


def _secret(reference: str | None) -> credentials.Secret | None:
    if reference is None:
        return None
    try:
        return credentials.resolve(reference, credentials.ResolveContext(os.environ, "-"))
    except errors.CredentialError as error:
        raise errors.UsageError(f"--webhook-secret: {error.message}", hint=error.hint) from None


def _listen(stop: threading.Event) -> None:
    """Hear SIGINT and SIGTERM. A scan listens to SIGINT itself, so SIGTERM is passed on to it as one."""

    def heard(number: int, _frame: FrameType | None) -> None:
        stop.set()
        if number == signal.SIGTERM and signal.getsignal(signal.SIGINT) is not heard:
            signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, heard)
    signal.signal(signal.SIGINT, heard)


def _round(
    manifests: tuple[str, ...],
    given: Mapping[str, Any],
    known: dict[str, Open],
    hooks: list[notify.Hook],
    secret: credentials.Secret | None,
    stop: threading.Event,
) -> int:
    """One audit; its exit code. What a user can fix is said, and the watch goes on."""
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import pipeline  # noqa: PLC0415
    from bfaudit.cli.problems import show  # noqa: PLC0415

    try:
        loaded = pipeline.load_fleet(manifests, keep_going=given["keep_going"])
        policies = pipeline.policies(given["policies"])
        excepted = pipeline.exceptions(given["exceptions"], policies)
        if stop.is_set():
            return 0
        try:
            snapshot = pipeline.scan_fleet(loaded, **{name: given[name] for name in SCANNING})
        finally:
            _listen(stop)  # the scan's event loop took SIGINT, and gave it back as Python has it
        if snapshot.interrupted:
            stop.set()
            return 130
        audit = pipeline.judge(snapshot, policies, excepted)
        if given["snapshot_out"]:
            pipeline.write(given["snapshot_out"], snapshots.encode(snapshot))
    except errors.BfauditError as error:
        if given["rounds"]:
            raise
        show(error)
        return error.exit_code
    new, resolved = _compare(known, audit)
    at = datetime.now(UTC)
    told = Told(SCHEMA, __version__, at, new, resolved, len(known))
    body = msgspec.json.encode(told) if new or resolved else None
    notify.tell(hooks, body, secret, _hidden(loaded.connections, given["webhook_secret"]))
    if given["state"]:
        pipeline.write(given["state"], msgspec.json.encode({"schema": SCHEMA, "open": list(known.values())}))  # fmt: skip
    if not given["quiet"]:
        print(f"{at:%Y-%m-%dT%H:%M:%SZ}  {len(snapshot.connections)} connections, {len(known)} open findings, {len(new)} new, {len(resolved)} resolved", file=sys.stderr)  # fmt: skip
    return pipeline.code(
        audit,
        fail_on=given["fail_on"],
        max_unknown=given["max_unknown"],
        exit_zero=given["exit_zero"],
    )


def _compare(known: dict[str, Open], audit: Audit) -> tuple[list[Open], list[Open]]:
    """What is new and what is resolved; `known` becomes what is open now. What is unknown now keeps its state."""
    exchanges = {one.connection.name: one.connection.exchange for one in audit.snapshot.connections}
    failed: dict[str, Open] = {}
    unsure: set[str] = set()
    for result in audit.results:
        if result.outcome is Outcome.FAIL and result.exception is None:
            failed[result.fingerprint] = _open(result, exchanges.get(result.connection, ""))
        elif result.outcome in (Outcome.UNKNOWN, Outcome.ERROR):
            unsure.add(result.fingerprint)
    new = [one for mark, one in failed.items() if mark not in known]
    if audit.snapshot.rejected:  # what was kept out may be among what is not seen
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


def _recall(state: str | None) -> dict[str, Open]:
    if state is None or not Path(state).exists():
        return {}
    try:
        data = msgspec.json.decode(Path(state).read_bytes())
        listed = msgspec.convert(data["open"], list[Open])
    except (OSError, KeyError, TypeError, msgspec.DecodeError, msgspec.ValidationError):
        raise errors.UsageError(
            f"--state {state}: not what a watch wrote", hint="remove it to begin anew"
        ) from None
    return {one.fingerprint: one for one in listed}


def _hidden(connections: tuple[Connection, ...], secret: str | None) -> frozenset[str]:
    """The environment variables that hold credentials."""
    references = [each for one in connections for each in one.credentials.values()]
    references += [secret] if secret else []
    names = {each.removeprefix("env:") for each in references if each.startswith("env:")}
    return frozenset({*names, "BFAUDIT_FINGERPRINT_KEY"})
