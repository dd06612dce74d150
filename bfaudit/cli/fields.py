"""`bfaudit fields`: every variable and function of the rule language."""

import click

from bfaudit.cli import report_options


@click.command("fields")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@report_options.language
def command(form: str, lang: str) -> None:
    """List the fields that rules may read, and the functions they may call."""
    from bfaudit.catalogue import pages  # noqa: PLC0415
    from bfaudit.lang import language  # noqa: PLC0415
    from bfaudit.policy.fields import FIELDS  # noqa: PLC0415
    from bfaudit.policy.functions import FUNCTIONS  # noqa: PLC0415

    if form == "markdown":
        click.echo(pages.fields_page(language(lang)), nl=False)
        return
    if form == "json":
        import msgspec  # noqa: PLC0415

        rows = {
            "fields": [
                {"name": f.name, "type": f.type, "meaning": f.meaning, "from": f.origin}
                for f in FIELDS.values()
            ],
            "functions": [
                {"name": f.name, "takes": f.takes, "gives": f.gives, "meaning": f.meaning}
                for f in FUNCTIONS
            ],
        }
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    say = language(lang).say
    for heading in (say("field"), say("type"), say("meaning")):
        table.add_column(heading, overflow="fold")
    for field in FIELDS.values():
        table.add_row(field.name, field.type, say(field.meaning))
    for function in FUNCTIONS:
        forms = "\n".join(f"{function.name}({', '.join(kinds)})" for kinds in function.takes)
        meaning = " ".join(function.meaning.split())
        table.add_row(forms, function.gives, say(meaning))
    Console(markup=False, emoji=False).print(table)
