"""How a command writes an audit: the formats and their places, what they are told, and the reports."""

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bfaudit import errors, roots
from bfaudit.cli.output import write
from bfaudit.documents.limits import MAX_SIZE
from bfaudit.lang import language
from bfaudit.model import Audit, Snapshot

_TEXT = "text"


def sources_of(snapshot: Snapshot, file: str | None = None) -> dict[str, str]:
    """The text of the manifests that a snapshot names, where they are still there to quote.

    Of a snapshot from a `file` only those around it or the current folder: whoever made it could name any file.
    """
    found: dict[str, str] = {}
    around = [roots.root_of(Path.cwd()), *([roots.root_of(file)] if file else [])]
    for name in sorted({scanned.connection.place.file for scanned in snapshot.connections}):
        own = [roots.root_of(name)] if file is None else around
        for root in own:
            with contextlib.suppress(OSError, ValueError, roots.RefusedFileError):
                found.setdefault(name, roots.read(name, root, MAX_SIZE).decode())
    return found


def pairs(formats: Sequence[str], outputs: Sequence[str]) -> list[tuple[str, str]]:
    """Formats by name with their destinations, in order; checked before anything is scanned."""
    from bfaudit.formats import FORMATS  # noqa: PLC0415

    names = list(formats) or [_TEXT]
    if len(outputs) > len(names):
        raise errors.UsageError(
            f"{len(outputs)} --output for {len(names)} --format", hint="give one --format for each"
        )
    places = [*outputs, *["-"] * (len(names) - len(outputs))]
    known = sorted(FORMATS)  # looking one up would load it
    for name in names:
        if name not in known:
            raise errors.UsageError(f"unknown format {name!r}", hint=f"known: {', '.join(known)}")
    if places.count("-") > 1:
        raise errors.UsageError(
            "two formats for the standard output", hint="give all but one an --output FILE"
        )
    wanted = list(zip(names, places, strict=True))
    # No browser prints text, and what it is made with is slow to load.
    printed = [place for name, place in wanted if name != _TEXT and FORMATS[name].printed]
    if printed:
        from bfaudit.cli.printing import browser  # noqa: PLC0415

        browser()
        if "-" in printed and sys.stdout and sys.stdout.isatty():
            raise errors.UsageError("a PDF is no text", hint="give it an --output FILE")
    return wanted


def prepare(wanted: Sequence[tuple[str, str]]) -> None:
    """Load what the reports are made with; `report` would, and tells where that fails."""
    from bfaudit.formats import FORMATS  # noqa: PLC0415

    for name, _ in wanted:
        FORMATS[name]


def chosen(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the command line says to the formats; checked before anything is scanned."""
    from bfaudit.cli import templates  # noqa: PLC0415

    told: dict[str, Any] = {"language": language(given["lang"])}
    told |= {
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
    wanted: Sequence[tuple[str, str]],
    sources: Mapping[str, str],
    ends_with: int,
    told: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write an audit in every wanted format; `told` is what the formats may know beside it."""
    from bfaudit.formats import FORMATS, Options  # noqa: PLC0415
    from bfaudit.snapshot import digest  # noqa: PLC0415

    more = dict(told)
    folder = more.pop("template_folder", None)
    framework = more.pop("framework", None)
    by_control: Mapping[str, Any] = {}
    if framework is not None:
        from bfaudit.compliance.views import formats  # noqa: PLC0415

        by_control = formats(framework)
    if any(name != _TEXT for name, _ in wanted):
        more.setdefault("snapshot_digest", digest(audit.snapshot))
    for name, place in wanted:
        options = Options(
            sources=sources,
            width=width(),
            color=place == "-" and color(),
            exit_code=ends_with,
            **more,
        )
        shown = by_control.get(name) or FORMATS[name]
        if shown.written is None:
            write(place, _rendered(shown, audit, options, folder))
        else:
            write(place, shown.written(audit, options))


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
        from bfaudit import redact  # noqa: PLC0415
        from bfaudit.cli.printing import to_pdf  # noqa: PLC0415

        redact.refuse("the PDF", data)  # its text is packed: nothing is found in it later
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
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout is not None and sys.stdout.isatty())
