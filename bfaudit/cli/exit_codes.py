"""`bfaudit exit-codes`: what the exit codes mean."""

import click

from bfaudit.cli import report_options

CODES = {
    0: "complete and clean",
    1: "findings at or above --fail-on (default: high)",
    2: "usage, manifest, policy or exception file invalid: nothing was audited",
    3: "nothing to audit",
    4: "incomplete: something could not be checked, beyond what --max-unknown allows",
    5: "integrity: a snapshot or report fails its checksum",
    70: "a bug in bfaudit",
    130: "interrupted; what was scanned is saved",
}
PRECEDENCE = (130, 70, 5, 2, 3, 1, 4)


@click.command("exit-codes")
@report_options.language
def command(lang: str) -> None:
    """Print what the exit codes mean; they are the same for every command and format."""
    from bfaudit.lang import language  # noqa: PLC0415

    say = language(lang).say
    for code, meaning in CODES.items():
        click.echo(f"{code:>3}  {say(meaning)}")
    order = ", ".join(str(code) for code in PRECEDENCE)
    click.echo("\n" + say("When several apply, the first of: {order}.", order=order))
    click.echo(say("--exit-zero turns 1 and 4 into 0, nothing else."))
