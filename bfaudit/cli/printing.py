"""Prints an HTML report as PDF through a Chromium that is installed. It asks the network for nothing."""

import os
import re
import shutil
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

from bfaudit.errors import UsageError
from bfaudit.sealed import utc

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)

FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
    "--virtual-time-budget=10000",
)

SECONDS = 120

_DATE = re.compile(rb"/(CreationDate|ModDate) \(D:[^)]*\)")


def browser() -> str:
    """The Chromium to print with. Raises UsageError where there is none."""
    named = os.environ.get("BFAUDIT_CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None)
    if found is None:
        raise UsageError(
            f"--format pdf: there is no browser {named!r}"
            if named
            else "--format pdf needs Chromium, and none is installed",
            hint="install Chromium or Chrome, or name one in BFAUDIT_CHROMIUM; --format html needs none",
        )
    return found


def to_pdf(page: bytes, made: datetime) -> bytes:
    """A page on paper. Its dates become that of the audit, so that one audit gives one file."""
    program = browser()
    with tempfile.TemporaryDirectory(prefix="bfaudit-", ignore_cleanup_errors=True) as folder:
        source, target = Path(folder, "report.html"), Path(folder, "report.pdf")
        source.write_bytes(page)
        # Chromium refuses to start as root within its own sandbox, as it would in most containers.
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command = [
            program,
            *FLAGS,
            *root,
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={target}",
            source.as_uri(),
        ]
        try:
            subprocess.run(  # noqa: S603 - no shell, and a file of ours
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
            data = target.read_bytes()
        except (OSError, subprocess.TimeoutExpired):
            data = b""
    if not data.startswith(b"%PDF-"):
        raise UsageError(
            f"--format pdf: {program} printed nothing",
            hint="name another Chromium in BFAUDIT_CHROMIUM, or print the HTML report by hand",
        )
    return _dated(data, made)


def _dated(data: bytes, made: datetime) -> bytes:
    """The same bytes but for the dates, each as long as it was."""
    stamp = f"D:{utc(made):%Y%m%d%H%M%S}+00'00'".encode()

    def same_length(found: re.Match[bytes]) -> bytes:
        new = b"/%b (%b)" % (found[1], stamp)
        return new if len(new) == len(found[0]) else found[0]

    return _DATE.sub(same_length, data)
