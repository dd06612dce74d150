"""`bfaudit diff`: what changed between two snapshots."""

import sys

import rich_click as click

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
def command(old: str, new: str, form: str, output: str, fail_on_widened: bool) -> int:
    """Tell what changed from the snapshot OLD to the snapshot NEW: who may do more, who less, what is not known.

    The order and the wording of a manifest make no change, and neither do moved lines and renamed files.
    """
    import bfaudit  # noqa: PLC0415
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import gating, pipeline  # noqa: PLC0415
    from bfaudit.drift import compare, render  # noqa: PLC0415
    from bfaudit.errors import UsageError  # noqa: PLC0415
    from bfaudit.sealed import digest_in  # noqa: PLC0415

    if old == new == "-":
        raise UsageError("two snapshots from the standard input", hint="give one as a file")
    texts = gating.read(old), gating.read(new)
    before, after = snapshots.decode(texts[0], old), snapshots.decode(texts[1], new)
    changes = compare(before, after)
    digests = digest_in(texts[0]), digest_in(texts[1])
    told = render.diff(before, after, changes, digests, bfaudit.__version__)
    match form:
        case "json":
            data = render.to_json(told)
        case "markdown":
            data = render.to_markdown(told).encode()
        case _:
            data = render.to_text(told).encode("utf-8", "backslashreplace")
    if output == "-":
        sys.stdout.buffer.write(data)
    else:
        pipeline.write(output, data)
    if after.interrupted:
        return 130
    return render.code(changes, fail_on_widened=fail_on_widened)
