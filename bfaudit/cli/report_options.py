"""The options of reports: their formats, their places, their language."""

import click

from bfaudit import lang
from bfaudit.cli.options import several

language = click.option(
    "--lang",
    "lang",
    type=click.Choice(lang.codes()),
    default=lang.ENGLISH.code,
    show_default=True,
    envvar="BFAUDIT_LANG",
    help="Language of what people read; machine formats stay English.",
)

reporting = several(
    click.option(
        "--format",
        "formats",
        multiple=True,
        envvar="BFAUDIT_FORMAT",
        metavar="FORMAT",
        help="Output format; repeatable, paired with --output in order. [default: text]",
    ),
    click.option(
        "--output",
        "-o",
        "outputs",
        multiple=True,
        metavar="FILE",
        help="Where the format goes; `-` or none is the standard output.",
    ),
    language,
    click.option(
        "--framework",
        "framework",
        envvar="BFAUDIT_FRAMEWORK",
        metavar="ID|FILE",
        help="Show text, Markdown, HTML and JSON by the controls of a framework, such as soc2.",
    ),
    click.option(
        "--template",
        "template",
        metavar="FOLDER",
        envvar="BFAUDIT_TEMPLATE",
        help="Templates of your own for html, pdf and markdown, by the names of those they replace.",
    ),
    click.option(
        "--sarif-include-suppressed",
        is_flag=True,
        envvar="BFAUDIT_SARIF_INCLUDE_SUPPRESSED",
        help="Findings under an exception in SARIF too; GitHub shows them as open.",
    ),
    click.option(
        "--sarif-category",
        default="bfaudit",
        show_default=True,
        envvar="BFAUDIT_SARIF_CATEGORY",
        metavar="WORD",
        help="What tells this fleet's SARIF from another's.",
    ),
    click.option(
        "--junit-file",
        is_flag=True,
        envvar="BFAUDIT_JUNIT_FILE",
        help="Name the manifest in an attribute of JUnit that GitLab reads, and no XSD knows.",
    ),
)
