"""The five stages, put together: load, scan, evaluate, report, exit code. Only the command line knows all of them."""

import contextlib
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from bfaudit import collector, egress, errors, exchanges, roots
from bfaudit.cli.stopping import Stop, stopping
from bfaudit.journal import Journal
from bfaudit.manifest import LoadedManifests, load
from bfaudit.model import Audit, Connection, Reason, Snapshot, Status

SCANNING = (
    "exchange_urls",
    "connection_test",
    "allow_probes",
    "allow_exec",
    "workers",
    "timeout",
    "deadline",
    "ca_file",
    "quiet",
    "verbose",
)
"""The options that `scan_fleet` takes from the command line."""


def load_fleet(sources: Sequence[str], *, keep_going: bool) -> LoadedManifests:
    """The connections of some manifests. Raises InvalidInput with every mistake, NothingToAudit for none."""
    loaded = load(
        sources,
        exchanges.credentials_of(),
        unsupported=exchanges.unsupported(),
        keep_going=keep_going,
    )
    if loaded.problems and not keep_going:
        raise errors.InvalidInput(list(loaded.problems))
    if not loaded.connections and not loaded.rejected:
        raise errors.NothingToAudit(
            "no connection is declared", hint="add one under `connections:`"
        )
    return loaded


def scan_fleet(
    loaded: LoadedManifests,
    *,
    exchange_urls: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    connection_test: bool = False,
    allow_probes: bool = False,
    allow_exec: bool = False,
    workers: int = 32,
    timeout: float = 10.0,
    deadline: float = 60.0,
    ca_file: str | None = None,
    quiet: bool = False,
    verbose: int = 0,
    into: Journal | None = None,
    rest: Sequence[Connection] = (),
    stop: Stop | None = None,
    meanwhile: Callable[[], object] = lambda: None,
) -> Snapshot:
    """Scan what was loaded, not the `rest` of the fleet; SIGINT and SIGTERM end it early and keep what was scanned.

    What is kept `into` a journal is not in the snapshot, and what is there already, from the same addresses, is not asked
    again. A `stop` is of who listens already. `meanwhile` is tried in a thread, while exchanges answer: where it fails,
    the scan goes on, for who needs it will do it again.
    """
    import asyncio  # noqa: PLC0415 - only for who scans

    from bfaudit.scan import lean, urls  # noqa: PLC0415 - before ccxt, which takes half a second

    values = os.environ if environ is None else environ
    redirected = urls.overrides(exchange_urls, values, exchanges.known())
    if roots.terms().strict:
        urls.refuse_redirections(redirected)
    if into is not None:
        into.resume(loaded.connections, partial(urls.address, exchanges.known(), redirected))
    if lean.install():
        collector.settle()
    from bfaudit.cli import progress  # noqa: PLC0415
    from bfaudit.scan import asking, loop, runner  # noqa: PLC0415 - brings ccxt
    from bfaudit.scan.options import Options  # noqa: PLC0415

    options = Options(
        urls=redirected,
        environ=values,
        allow_exec=allow_exec,
        workers=workers,
        connection_test=connection_test,
        allow_probes=allow_probes,
        patience=asking.Patience(request_seconds=timeout, connection_seconds=deadline),
        ca_file=ca_file,
    )

    total = len(loaded.connections) - (0 if into is None else len(into))

    def tried() -> None:
        with contextlib.suppress(Exception):
            meanwhile()

    async def run(asked: Stop) -> Snapshot:
        ended, here = asyncio.Event(), asyncio.get_running_loop()
        asked.then(lambda: here.call_soon_threadsafe(ended.set))
        with progress.showing(total, quiet=quiet, verbose=verbose > 0) as done:
            scanning = runner.scan(
                loaded.connections,
                exchanges.known(),
                options,
                done=done,
                stop=ended,
                into=into,
                rest=rest,
            )
            scanned, _ = await asyncio.gather(scanning, loop.in_between(tried))
            return scanned

    with contextlib.nullcontext(stop) if stop else stopping() as asked:
        try:
            snapshot = asyncio.run(run(asked))
        finally:
            asked.then(None)
    if snapshot.interrupted:
        print(
            f"interrupted: {len(snapshot.connections if into is None else into)} of {len(loaded.connections)} connections were scanned",
            file=sys.stderr,
        )
    asked_of = snapshot.exchanges if into is None else into.exchanges(snapshot.exchanges)
    return msgspec.structs.replace(snapshot, rejected=loaded.rejected, exchanges=asked_of)


def journal(path: str | None, *, resume: bool) -> Journal:
    """The journal of a scan, not yet opened. Raises UsageError where it is another scan's."""
    if path is None:
        if resume:
            raise errors.UsageError("nothing to resume", hint="name the journal: --journal FILE")
        return Journal()
    if Path(path).exists() and not resume:
        raise errors.UsageError(
            f"{path} is there: an earlier scan did not end",
            hint="go on with --resume, or remove it to begin anew",
        )
    return Journal(Path(path))


def policies(sources: Sequence[str]) -> Any:
    """The policies to judge by; loaded before anything is scanned, so that a mistake costs no request."""
    from bfaudit.policy.read import read  # noqa: PLC0415

    return read(sources or ("baseline",))


def exceptions(files: Sequence[str], by: Any) -> Any:
    """The exceptions of some files, their rules looked up in policies; a file that is not there is an error.

    The rule of `--from` is always known, for a file serves runs with and without it.
    """
    if not files:
        return ()
    from bfaudit.policy.exceptions import read  # noqa: PLC0415 - brings the expression engine

    if by is None:
        return read(files)
    rules = [rule.rule for policy in by for rule in policy.rules]
    rules += [rule for policy in by for rule in policy.left_out]
    return read(files, {rule.id: rule.severity for rule in (egress.RULE, *rules)})


def judge(snapshot: Snapshot, by: Any, excepted: Any = (), hosts: Sequence[str] = ()) -> Audit:
    """Judge a snapshot by policies and exceptions, now, and by whether its keys admit some hosts."""
    from bfaudit.evaluate import evaluate  # noqa: PLC0415

    now = datetime.now(UTC)
    audit = evaluate(snapshot, by, now)
    if hosts:
        audit = egress.checked(audit, hosts)
    if not excepted:
        return audit
    from bfaudit.exceptions import decide  # noqa: PLC0415

    return decide(audit, excepted, now)


def scan_code(snapshot: Snapshot, ended: Collection[tuple[Status, Reason | None]]) -> int:
    """The exit code of a scan that nobody judges: interrupted, invalid, nothing, incomplete or complete.

    How its connections `ended` says which.
    """
    if snapshot.interrupted:
        return 130
    if snapshot.rejected:
        return 2
    if not ended:
        return 3
    return 4 if any(unseen(status, reason) for status, reason in ended) else 0


def unseen(status: Status, reason: Reason | None) -> bool:
    """Whether a scan that ended so could not look at the key."""
    return status is Status.EXCHANGE_UNAVAILABLE or reason is Reason.UNRESOLVED_CREDENTIAL


def code(audit: Audit, *, fail_on: Sequence[str], max_unknown: float, exit_zero: bool) -> int:
    """The exit code of an audit, by severities and rule ids."""
    from bfaudit.gate import FailOn, exit_code  # noqa: PLC0415

    wanted = FailOn.of(
        fail_on, (rule.id for rule in audit.rules), (rule.id for rule in audit.left_out)
    )
    return exit_code(audit, fail_on=wanted, max_unknown=max_unknown, exit_zero=exit_zero)
