"""Live progress on stderr: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bfaudit.model import Scanned
from bfaudit.scan.runner import Done

EVERY_LINE_UP_TO = 50


@contextmanager
def showing(total: int, *, quiet: bool) -> Iterator[Done]:
    """What to call with each finished connection."""
    if quiet or not total:
        yield lambda _scanned: None
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
        count = 0

        def done(scanned: Scanned) -> None:
            nonlocal count
            count += scanned.status != "Online"
            progress.update(task, advance=1, not_online=count)

        yield done


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
