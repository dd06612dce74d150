"""The five stages, put together: load, scan, evaluate, report, exit code. Only the command line knows all of them."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bfaudit import errors, exchanges
from bfaudit.manifest import LoadedManifests, load
from bfaudit.model import Audit, Reason, Severity, Snapshot, Status


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
    workers: int = 32,
    timeout: float = 10.0,
    deadline: float = 60.0,
    ca_file: str | None = None,
    quiet: bool = False,
    verbose: int = 0,
) -> Snapshot:
    """Scan what was loaded; Ctrl-C ends it early and keeps what was scanned."""
    from bfaudit.cli import progress  # noqa: PLC0415
    from bfaudit.scan import urls  # noqa: PLC0415 - before ccxt, which takes half a second

    values = os.environ if environ is None else environ
    redirected = urls.overrides(exchange_urls, values, exchanges.known())
    from bfaudit.scan import asking, runner  # noqa: PLC0415 - brings ccxt
    from bfaudit.scan.options import Options  # noqa: PLC0415

    options = Options(
        urls=redirected,
        environ=values,
        workers=workers,
        connection_test=connection_test,
        allow_probes=allow_probes,
        patience=asking.Patience(request_seconds=timeout, connection_seconds=deadline),
        ca_file=ca_file,
    )

    async def run() -> Snapshot:
        stop = asyncio.Event()
        with contextlib.suppress(NotImplementedError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
        with progress.showing(len(loaded.connections), quiet=quiet) as done:
            return await runner.scan(
                loaded.connections, exchanges.known(), options, done=done, stop=stop
            )

    snapshot = asyncio.run(run())
    if snapshot.interrupted:
        print(
            f"interrupted: {len(snapshot.connections)} of {len(loaded.connections)} connections were scanned",
            file=sys.stderr,
        )
    return msgspec.structs.replace(snapshot, rejected=loaded.rejected)


def policies(sources: Sequence[str]) -> Any:
    """The policies to judge by; loaded before anything is scanned, so that a mistake costs no request."""
    from bfaudit.policy.read import read  # noqa: PLC0415

    return read(sources or ("baseline",))


def judge(snapshot: Snapshot, by: Any) -> Audit:
    """Judge a snapshot by policies, now."""
    from bfaudit.evaluate import evaluate  # noqa: PLC0415

    return evaluate(snapshot, by, datetime.now(UTC))


def sources_of(snapshot: Snapshot) -> dict[str, str]:
    """The text of the manifests that a snapshot names, where they are still there to quote."""
    found: dict[str, str] = {}
    for name in sorted({scanned.connection.place.file for scanned in snapshot.connections}):
        with contextlib.suppress(OSError, UnicodeDecodeError, ValueError):
            found[name] = Path(name).read_text("utf-8")
    return found


def scan_code(snapshot: Snapshot) -> int:
    """The exit code of a scan that nobody judges: interrupted, invalid, nothing, incomplete or complete."""
    if snapshot.interrupted:
        return 130
    if snapshot.rejected:
        return 2
    if not snapshot.connections:
        return 3
    unchecked = any(
        scanned.status is Status.EXCHANGE_UNAVAILABLE
        or scanned.reason is Reason.UNRESOLVED_CREDENTIAL
        for scanned in snapshot.connections
    )
    return 4 if unchecked else 0


def pairs(formats: Sequence[str], outputs: Sequence[str]) -> list[tuple[Any, str]]:
    """Formats with their destinations, in order; checked before anything is scanned."""
    from bfaudit.formats import FORMATS  # noqa: PLC0415

    names = list(formats) or ["text"]
    if len(outputs) > len(names):
        raise errors.UsageError(
            f"{len(outputs)} --output for {len(names)} --format", hint="give one --format for each"
        )
    places = [*outputs, *["-"] * (len(names) - len(outputs))]
    for name in names:
        if name not in FORMATS:
            raise errors.UsageError(
                f"unknown format {name!r}", hint=f"known: {', '.join(sorted(FORMATS))}"
            )
    if places.count("-") > 1:
        raise errors.UsageError(
            "two formats for the standard output", hint="give all but one an --output FILE"
        )
    return [(FORMATS[name], place) for name, place in zip(names, places, strict=True)]


def report(
    audit: Audit, wanted: Sequence[tuple[Any, str]], sources: Mapping[str, str], ends_with: int
) -> None:
    """Write an audit in every wanted format."""
    from bfaudit.formats import Options  # noqa: PLC0415

    for form, place in wanted:
        options = Options(
            sources=sources,
            width=width(),
            color=place == "-" and color(),
            exit_code=ends_with,
        )
        rendered = form.render(audit, options)
        data = rendered.encode() if isinstance(rendered, str) else rendered
        if place == "-":
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            write(place, data)


def width() -> int:
    """How wide text may be: the terminal's width, 80 to 160; 100 where there is none."""
    import shutil  # noqa: PLC0415

    return min(160, max(80, shutil.get_terminal_size((100, 24)).columns))


def color() -> bool:
    """Whether the standard output takes colour: https://no-color.org, https://force-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def write(place: str, data: bytes) -> None:
    """Write a file whole or not at all: a run that fails leaves the old one."""
    path = Path(place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(0o666 & ~mask)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise errors.UsageError(f"cannot write {place}: {error.strerror}") from None


def code(audit: Audit, *, fail_on: str, max_unknown: float, exit_zero: bool) -> int:
    """The exit code of an audit."""
    from bfaudit.evaluate import exit_code  # noqa: PLC0415

    return exit_code(
        audit, fail_on=Severity.of(fail_on), max_unknown=max_unknown, exit_zero=exit_zero
    )
