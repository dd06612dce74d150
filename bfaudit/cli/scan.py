"""`bfaudit scan`: ask the exchanges, and save what they said without judging it."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from bfaudit.cli import options, report_options
from bfaudit.cli.durations import Interval
from bfaudit.cli.gate_options import selecting
from bfaudit.cli.output import write
from bfaudit.cli.stopping import Stop
from bfaudit.lang import Language, language
from bfaudit.model import Status

if TYPE_CHECKING:
    from bfaudit.journal import Journal


@click.command("scan")
@options.manifests
@selecting
@click.option(
    "--output",
    "-o",
    default="-",
    metavar="FILE",
    envvar="BFAUDIT_SNAPSHOT_OUT",
    help="Where the snapshot goes; `-` is the standard output.",
)
@click.option(
    "--journal",
    metavar="FILE",
    envvar="BFAUDIT_JOURNAL",
    help="Keep every finished connection here at once, so that a killed scan can go on.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the scan of --journal; ask no key twice at one address.",
)
@click.option(
    "--watch",
    "every",
    type=Interval(),
    metavar="INTERVAL",
    help="Scan again and again, from the start of a round to the next: 30s, 15m, 6h, 1d. SIGINT and SIGTERM end it with 0.",
)
@report_options.language
@options.keep_going
@options.scanning
def command(manifests: tuple[str, ...], output: str, **given: Any) -> int:
    """Scan every connection of MANIFEST... and write a snapshot, free of secrets.

    The snapshot can be judged anywhere with `bfaudit check`, without secrets and without a network. With --watch it is
    replaced after each whole round; `bfaudit watch` judges each round as well, and tells of new and resolved findings.
    """
    if given["every"] is None:
        return _scan(manifests, output, given)
    from bfaudit.cli import rounds  # noqa: PLC0415
    from bfaudit.cli.selecting import load_selected  # noqa: PLC0415

    _watchable(output, given)
    load_selected(manifests, given)  # what is wrong from the beginning is told at once
    return rounds.repeat(
        lambda stop: _scan(manifests, output, given, stop),
        given["every"].total_seconds(),
        loud=given["verbose"] > 1,
        lang=language(given["lang"]),
    )


def _watchable(output: str, given: Mapping[str, Any]) -> None:
    from bfaudit.errors import UsageError  # noqa: PLC0415

    if output == "-":
        raise UsageError(
            "--watch replaces one file after each round", hint="name it: --output FILE"
        )
    if given["journal"] or given["resume"]:
        raise UsageError("--watch keeps whole rounds only", hint="leave out --journal and --resume")


def _scan(
    manifests: Sequence[str], output: str, given: Mapping[str, Any], stop: Stop | None = None
) -> int:
    """One scan; its exit code. Under a `stop` one that was cut short leaves the last snapshot as it is."""
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import pipeline  # noqa: PLC0415
    from bfaudit.cli.selecting import load_selected  # noqa: PLC0415

    loaded, rest = load_selected(manifests, given)
    with pipeline.journal(given["journal"], resume=given["resume"]) as journal:
        scanning = {name: given[name] for name in pipeline.SCANNING}
        snapshot = pipeline.scan_fleet(loaded, rest=rest, stop=stop, into=journal, **scanning)
        code = pipeline.scan_code(snapshot, journal.ended)
        if stop is not None and snapshot.interrupted:
            return code
        write(output, snapshots.written(snapshot, journal.rows))
    if journal.path and not snapshot.interrupted:
        journal.path.unlink(missing_ok=True)
    if stop is not None and not given["quiet"]:
        told = _line(language(given["lang"]), journal, code)
        print(f"{snapshot.generated_at:%Y-%m-%dT%H:%M:%SZ}  {told}: {output}", file=sys.stderr)
    if code == 4 and stop is None:
        print(f"incomplete: {_unseen(journal)}", file=sys.stderr)
    return 0 if code == 3 and given["allow_empty"] else code


def _line(lang: Language, journal: "Journal", code: int) -> str:
    """What a round came to."""
    scanned = lang.plural("{n} connection", "{n} connections", len(journal))
    online = sum(n for (status, _), n in journal.ended.items() if status is Status.ONLINE)
    ending = lang.say("exit code {code}", code=code)
    return f"{scanned}, {lang.counted(online, Status.ONLINE.value)}, {ending}"


def _unseen(journal: "Journal") -> str:
    """How many keys could not be looked at, and why: what ends a scan with 4."""
    from bfaudit.cli import pipeline  # noqa: PLC0415

    reasons = Counter({reason or status: n for (status, reason), n in journal.ended.items() if pipeline.unseen(status, reason)})  # fmt: skip
    told = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))
    return f"{reasons.total()} of {len(journal)} connections could not be looked at: {told}"
