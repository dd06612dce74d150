"""Options that several commands share; each can be given as BFAUDIT_<NAME> too."""

from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from bfaudit.model import Severity

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

SEVERITIES = tuple(severity.word for severity in reversed(Severity))


def several(*decorators: Decorator) -> Decorator:
    """Decorators applied in the order in which --help lists them."""

    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def typed(name: str) -> bool:
    """Whether the command line itself gives a parameter; what the environment or a file says holds where it has a use."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(name) if context else None
    return source is ParameterSource.COMMANDLINE


class Unknowns(click.ParamType[Any]):
    """How many unknowns are let pass: a count, or a percentage of what could be judged."""

    name = "N|N%"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """An int for a count, a float of 0 to 100 for a percentage."""
        number = value
        if not isinstance(value, int | float):
            text = str(value).strip()
            try:
                number = float(text.removesuffix("%")) if text.endswith("%") else int(text)
            except ValueError:
                self.fail(f"{value!r} is neither a count nor a percentage", param, ctx)
        if not 0 <= number <= (100 if isinstance(number, float) else number):  # no `nan` either
            self.fail(f"{value!r} is out of range", param, ctx)
        return number


manifests = click.argument("manifests", nargs=-1, required=True, metavar="MANIFEST...")

keep_going = click.option(
    "--keep-going",
    is_flag=True,
    envvar="BFAUDIT_KEEP_GOING",
    help="Audit the valid connections of an invalid manifest; list the others; still end with 2.",
)

policy = click.option(
    "--policy",
    "policies",
    multiple=True,
    envvar="BFAUDIT_POLICY",
    metavar="PACK|FILE|FOLDER",
    help="Policy to judge by; repeatable. [default: baseline]",
)

scanning = several(
    click.option(
        "--exchange-url",
        "exchange_urls",
        multiple=True,
        metavar="ID=URL",
        help="Send an exchange's requests elsewhere: to a sandbox or a proxy. Named in every report.",
    ),
    click.option(
        "--connection-test",
        is_flag=True,
        envvar="BFAUDIT_CONNECTION_TEST",
        help="Also make one balance read and one order read with every key.",
    ),
    click.option(
        "--allow-probes",
        is_flag=True,
        envvar="BFAUDIT_ALLOW_PROBES",
        help="Let adapters send harmless test orders where an exchange has them.",
    ),
    click.option(
        "--allow-exec",
        is_flag=True,
        envvar="BFAUDIT_ALLOW_EXEC",
        help="Let `exec:` references run the programs that they name.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, 1024),
        default=32,
        show_default=True,
        envvar="BFAUDIT_WORKERS",
        help="Connections asked at once, per exchange.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0.1, 600),
        default=10.0,
        show_default=True,
        envvar="BFAUDIT_TIMEOUT",
        metavar="SECONDS",
        help="How long one request may take.",
    ),
    click.option(
        "--deadline",
        type=click.FloatRange(0.1, 3600),
        default=60.0,
        show_default=True,
        envvar="BFAUDIT_DEADLINE",
        metavar="SECONDS",
        help="How long all requests of one connection may take.",
    ),
    click.option(
        "--ca-file",
        type=click.Path(exists=True, dir_okay=False),
        envvar="BFAUDIT_CA_FILE",
        help="Certificate authorities to trust instead of the built-in ones.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="No progress on stderr."),
    click.option(
        "-v",
        "--verbose",
        count=True,
        help="Tell of every request on stderr; -vv for stacks of bugs too.",
    ),
)

exceptions = click.option(
    "--exceptions",
    "exceptions",
    multiple=True,
    type=click.Path(),
    envvar="BFAUDIT_EXCEPTIONS",
    metavar="FILE",
    help="Approved exceptions; repeatable. One that is not in force is a finding.",
)

judging = several(
    policy,
    exceptions,
    click.option(
        "--fail-on",
        multiple=True,
        default=("high",),
        show_default=True,
        envvar="BFAUDIT_FAIL_ON",
        metavar="SEVERITY|RULE",
        help=f"End with 1 for findings of this severity and above ({', '.join(SEVERITIES)}), or of this rule; repeatable.",
    ),
    click.option(
        "--max-unknown",
        type=Unknowns(),
        default=0,
        show_default=True,
        envvar="BFAUDIT_MAX_UNKNOWN",
        help="End with 4 where more than this could not be checked.",
    ),
    click.option(
        "--exit-zero",
        is_flag=True,
        envvar="BFAUDIT_EXIT_ZERO",
        help="End with 0 instead of 1 and 4; never instead of another code.",
    ),
)
