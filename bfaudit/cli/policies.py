"""`bfaudit policies`: the policies and frameworks that ship."""

import click

from bfaudit.cli import report_options


@click.group("policies")
def command() -> None:
    """Show the built-in policies and frameworks."""


@command.command("list")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@report_options.language
def list_command(form: str, lang: str) -> None:
    """List what `--policy` and `--framework` take by name."""
    from bfaudit.catalogue import pages  # noqa: PLC0415
    from bfaudit.lang import language  # noqa: PLC0415
    from bfaudit.policy.listing import shipped, shipped_frameworks  # noqa: PLC0415

    policies, frameworks = shipped(), shipped_frameworks()
    if form == "markdown":
        click.echo(pages.policies_page(policies, frameworks, language(lang)), nl=False)
        return
    if form == "json":
        import msgspec  # noqa: PLC0415

        rows = {
            "policies": [
                {"id": p.id, "title": p.title, "description": p.description, "extends": p.extends,
                 "rules": [rule.rule.id for rule in p.rules]}
                for p in policies
            ],
            "frameworks": [
                {"id": f.id, "title": f.title, "version": f.version, "analogy": f.analogy,
                 "controls": [control.id for control in f.controls]}
                for f in frameworks.values()
            ],
        }  # fmt: skip
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    told = language(lang)
    say = told.say
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in (say("policy"), say("rules"), say("extends"), say("what it asks for")):
        table.add_column(heading, overflow="fold")
    for one in policies:
        table.add_row(one.id, str(len(one.rules)), ", ".join(one.extends), told.sentence(one.title))
    other = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in (say("framework"), say("controls"), say("title")):
        other.add_column(heading, overflow="fold")
    for framework in frameworks.values():
        title = say("{name}, by analogy", name=framework.name) if framework.analogy else framework.name  # fmt: skip
        other.add_row(framework.id, str(len(framework.controls)), title)
    Console(markup=False, emoji=False).print(table, other)
