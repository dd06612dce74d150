"""The options that select connections, and those of the gate."""

import click

from bfaudit.cli.options import several

_WHAT = {
    "only": ("NAME|GLOB", "Connections of this name"),
    "strategy": ("NAME|GLOB", "Connections of this strategy"),
    "exchange": ("ID|GLOB", "Connections of this exchange"),
    "environment": ("NAME|GLOB", "Connections of this environment"),
}

selecting = several(
    *(
        click.option(
            f"--{name}",
            name,
            multiple=True,
            envvar=f"BFAUDIT_{name.upper()}",
            metavar=metavar,
            help=f"{text} only; repeatable.",
        )
        for name, (metavar, text) in _WHAT.items()
    ),
    click.option(
        "--changed-since",
        envvar="BFAUDIT_CHANGED_SINCE",
        metavar="REV",
        help="Connections only whose declaration has changed since a git revision.",
    ),
    click.option(
        "--allow-empty",
        is_flag=True,
        envvar="BFAUDIT_ALLOW_EMPTY",
        help="End with 0 instead of 3 where nothing is declared or selected.",
    ),
)

admitted = click.option(
    "--from",
    "hosts",
    multiple=True,
    envvar="BFAUDIT_FROM",
    metavar="HOST-IP",
    help="Also check that every key admits this server: rule egress-allowed; repeatable.",
)

gating = several(
    admitted,
    click.option(
        "--baseline",
        envvar="BFAUDIT_BASELINE",
        metavar="FILE",
        help="Known findings: shown as known, and no reason to end with 1.",
    ),
    click.option(
        "--previous",
        envvar="BFAUDIT_PREVIOUS",
        metavar="SNAPSHOT",
        help="An earlier snapshot: show what changed since, and tell the rules (`history.*`).",
    ),
)
