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
from types import MappingProxyType
from typing import Any

import msgspec

from bfaudit import errors, exchanges
from bfaudit.journal import Journal, finished
from bfaudit.manifest import LoadedManifests, load
from bfaudit.model import Audit, Reason, Scanned, Snapshot, Status


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
    journal: str | None = None,
    resume: bool = False,
) -> Snapshot:
    """Scan what was loaded; Ctrl-C ends it early and keeps what was scanned.

    With a `journal` a killed scan keeps it too: `resume` goes on where it ended.
    """
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

    kept = _journal(journal, resume=resume)
    already = finished(kept.path, loaded.connections) if kept else {}
    total = len(loaded.connections) - len(already)

    async def run() -> Snapshot:
        stop = asyncio.Event()
        with contextlib.suppress(NotImplementedError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
        with progress.showing(total, quiet=quiet) as done, kept or contextlib.nullcontext():

            def both(scanned: Scanned) -> None:
                if kept:
                    kept.add(scanned)
                done(scanned)

            return await runner.scan(
                loaded.connections,
                exchanges.known(),
                options,
                done=both,
                stop=stop,
                already=already,
            )

    snapshot = asyncio.run(run())
    if snapshot.interrupted:
        print(
            f"interrupted: {len(snapshot.connections)} of {len(loaded.connections)} connections were scanned",
            file=sys.stderr,
        )
    return msgspec.structs.replace(snapshot, rejected=loaded.rejected)


def _journal(path: str | None, *, resume: bool) -> Journal | None:
    if path is None:
        if resume:
            raise errors.UsageError("nothing to resume", hint="name the journal: --journal FILE")
        return None
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
    """The exceptions of some files, their rules looked up in policies; a file that is not there is an error."""
    if not files:
        return ()
    from bfaudit.policy.exceptions import read  # noqa: PLC0415 - brings the expression engine

    if by is None:
        return read(files)
    rules = [rule.rule for policy in by for rule in policy.rules]
    rules += [rule for policy in by for rule in policy.left_out]
    return read(files, {rule.id: rule.severity for rule in rules})


def judge(snapshot: Snapshot, by: Any, excepted: Any = ()) -> Audit:
    """Judge a snapshot by policies and exceptions, now."""
    from bfaudit.evaluate import evaluate  # noqa: PLC0415

    now = datetime.now(UTC)
    audit = evaluate(snapshot, by, now)
    left_out = tuple(rule for policy in by for rule in policy.left_out)
    audit = msgspec.structs.replace(audit, left_out=left_out) if left_out else audit
    if not excepted:
        return audit
    from bfaudit.exceptions import decide  # noqa: PLC0415

    return decide(audit, excepted, now)


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
    if any(FORMATS[name].printed for name in names):
        from bfaudit.cli.printing import browser  # noqa: PLC0415

        browser()
        if any(
            FORMATS[name].printed and place == "-" and sys.stdout.isatty()
            for name, place in zip(names, places, strict=True)
        ):
            raise errors.UsageError("a PDF is no text", hint="give it an --output FILE")
    return [(FORMATS[name], place) for name, place in zip(names, places, strict=True)]


def chosen(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the command line says to the formats; checked before anything is scanned."""
    from bfaudit.cli import templates  # noqa: PLC0415

    told: dict[str, Any] = {
        name: given[name] for name in ("sarif_include_suppressed", "sarif_category", "junit_file")
    }
    framework = given.get("framework")
    if framework:
        from bfaudit.policy.read import read_framework  # noqa: PLC0415

        told["framework"] = read_framework(framework)
    folder = given["template"]
    here = Path.cwd()
    root = next((each for each in (here, *here.parents) if (each / ".git").exists()), here)
    return {
        **told,
        "templates": templates.read(folder) if folder else {},
        "template_folder": folder,
        "root": root.as_posix(),
        "folder": "" if root == here else here.relative_to(root).as_posix(),
    }


def report(
    audit: Audit,
    wanted: Sequence[tuple[Any, str]],
    sources: Mapping[str, str],
    ends_with: int,
    told: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write an audit in every wanted format; `told` is what the formats may know beside it."""
    from bfaudit.formats import Options  # noqa: PLC0415
    from bfaudit.sealed import digest_in  # noqa: PLC0415
    from bfaudit.snapshot import encode  # noqa: PLC0415

    more = dict(told)
    folder = more.pop("template_folder", None)
    framework = more.pop("framework", None)
    by_control: Mapping[str, Any] = {}
    if framework is not None:
        from bfaudit.compliance.views import formats  # noqa: PLC0415

        by_control = formats(framework)
    if any(form.id != "text" for form, _ in wanted):
        more.setdefault("snapshot_digest", digest_in(encode(audit.snapshot)))
    for form, place in wanted:
        options = Options(
            sources=sources,
            width=width(),
            color=place == "-" and color(),
            exit_code=ends_with,
            **more,
        )
        data = _rendered(by_control.get(form.id, form), audit, options, folder)
        if place == "-":
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            write(place, data)


def _rendered(form: Any, audit: Audit, options: Any, folder: str | None) -> bytes:
    try:
        made = form.render(audit, options)
    except Exception as error:
        from bfaudit.cli.templates import blamed  # noqa: PLC0415

        mistake = blamed(error, folder) if folder else None
        if mistake is None:
            raise
        raise mistake from None
    data: bytes = made.encode() if isinstance(made, str) else made
    if form.printed:
        from bfaudit.cli.printing import to_pdf  # noqa: PLC0415

        return to_pdf(data, audit.generated_at)
    return data


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


def code(audit: Audit, *, fail_on: Sequence[str], max_unknown: float, exit_zero: bool) -> int:
    """The exit code of an audit, by severities and rule ids."""
    from bfaudit.gate import FailOn, exit_code  # noqa: PLC0415

    wanted = FailOn.of(
        fail_on, (rule.id for rule in audit.rules), (rule.id for rule in audit.left_out)
    )
    return exit_code(audit, fail_on=wanted, max_unknown=max_unknown, exit_zero=exit_zero)
