"""`bfaudit diff`: what changed between two snapshots."""

from functools import partial

import click

from bfaudit.cli import report_options
from bfaudit.cli.output import write

FORMATS = ("text", "json", "markdown")


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="Output format.",
)
@click.option(
    "--output",
    "-o",
    default="-",
    metavar="FILE",
    help="Where it goes; `-` is the standard output.",
)
@click.option(
    "--fail-on-widened",
    is_flag=True,
    help="End with 1 where a key may do more than before, with 4 where that cannot be told.",
)
@report_options.language
def command(old: str, new: str, form: str, output: str, fail_on_widened: bool, lang: str) -> int:
    """Tell what changed from the snapshot OLD to the snapshot NEW: who may do more, who less, what is not known.

    The order and the wording of a manifest make no change, and neither do moved lines and renamed files. Keys are
    incomparable where the snapshots were made with different values of BFAUDIT_FINGERPRINT_KEY.
    """
    import bfaudit  # noqa: PLC0415
    from bfaudit.cli import gating  # noqa: PLC0415
    from bfaudit.drift import compare, render  # noqa: PLC0415
    from bfaudit.errors import UsageError  # noqa: PLC0415
    from bfaudit.lang import language  # noqa: PLC0415

    if old == new == "-":
        raise UsageError("two snapshots from the standard input", hint="give one as a file")
    reads = (partial(gating.read_digested, file) for file in (old, new))
    (before, was), (after, now) = gating.every(*reads)
    changes = compare(before, after)
    told = render.diff(before, after, changes, (was, now), bfaudit.__version__)
    match form:
        case "json":
            data = render.to_json(told)
        case "markdown":
            data = render.to_markdown(told, language(lang)).encode()
        case _:
            data = render.to_text(told, language(lang)).encode("utf-8", "backslashreplace")
    write(output, data)
    if after.interrupted:
        return 130
    return render.code(changes, fail_on_widened=fail_on_widened)
