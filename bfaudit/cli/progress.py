"""Live progress on stderr: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from bfaudit.cli.problems import visible
from bfaudit.model import Scanned
from bfaudit.scan.runner import Done

EVERY_LINE_UP_TO = 50


@contextmanager
def showing(total: int, *, quiet: bool, verbose: bool = False) -> Iterator[Done]:
    """What to call with each finished connection; `verbose` tells why it ended so, and every request."""
    if quiet or not total:
        yield lambda _scanned: None
    elif verbose:
        yield _told(total)
    elif sys.stderr.isatty():
        yield from _bar(total)
    else:
        yield _lines(total)


def _bar(total: int) -> Iterator[Done]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("scanning"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[not_online]} not online", style="dim"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("scan", total=total, not_online=0)
        away = 0

        def done(scanned: Scanned) -> None:
            nonlocal away
            away += scanned.status != "Online"
            progress.update(task, advance=1, not_online=away)

        yield done


def _told(total: int) -> Done:
    numbers = count(1)

    def done(scanned: Scanned) -> None:
        why = f" ({scanned.reason})" if scanned.reason else ""
        text = f"scanned {next(numbers)}/{total}  {scanned.connection.name}: {scanned.status}{why}"
        print(visible(" ".join(filter(None, (text, scanned.detail)))), file=sys.stderr)
        for one in scanned.requests:
            ended = [f"HTTP {one.http}"] if one.http else []
            ended += [one.outcome, f"{one.milliseconds} ms"]
            ended += [f"{one.attempts} attempts"] if one.attempts > 1 else []
            print(visible(f"  {one.request}: {', '.join(ended)}"), file=sys.stderr)

    return done


def _lines(total: int) -> Done:
    finished = 0
    step = 1 if total <= EVERY_LINE_UP_TO else max(1, total // 20)

    def done(scanned: Scanned) -> None:
        nonlocal finished
        finished += 1
        if step == 1:
            name = "".join(c if c.isprintable() else "?" for c in scanned.connection.name)
            print(f"scanned {finished}/{total}  {name}: {scanned.status}", file=sys.stderr)
        elif finished % step == 0 or finished == total:
            print(f"scanned {finished}/{total}", file=sys.stderr)

    return done
