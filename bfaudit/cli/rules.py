"""`bfaudit rules`: what each rule checks, why, who can answer it, and how to fix what it finds."""

from typing import Any

import click

from bfaudit.cli import report_options
from bfaudit.cli.options import SEVERITIES
from bfaudit.lang import Language
from bfaudit.model import Severity

FORMATS = click.Choice(["text", "markdown", "json"])


@click.group("rules")
def command() -> None:
    """Explain the rules of the built-in policies, or of your own."""


@command.command("list")
@click.option("--pack", "packs", multiple=True, metavar="PACK|FILE|FOLDER", help="Rules of this policy only; repeatable.")  # fmt: skip
@click.option("--severity", type=click.Choice(SEVERITIES), help="Rules of this severity and above.")
@click.option("--exchange", metavar="ID", help="Say what this exchange can answer.")
@click.option("--format", "form", type=FORMATS, default="text", show_default=True)
@report_options.language
def list_command(
    packs: tuple[str, ...], severity: str | None, exchange: str | None, form: str, lang: str
) -> None:
    """List rules, worst first within each policy."""
    from bfaudit.catalogue import pages  # noqa: PLC0415
    from bfaudit.lang import language  # noqa: PLC0415

    policies, infos, frameworks = _load(packs)
    order = {policy.id: number for number, policy in enumerate(policies)}
    least = Severity.of(severity) if severity else Severity.INFO
    kept = [info for info in infos if info.rule.severity >= least]
    if exchange:
        exchange = _exchange(exchange)
    if form == "json":
        _json([_row(info, exchange) for info in kept])
    elif form == "text":
        kept.sort(key=lambda info: (order[info.pack], -info.rule.severity))
        _table(kept, exchange, language(lang))
    elif packs or severity or exchange:
        click.echo("\n".join(pages.rule_table(kept, exchange, language(lang))))
    else:
        click.echo(pages.rules_page(policies, infos, frameworks, language(lang)), nl=False)


@command.command("show")
@click.argument("rule")
@click.option("--pack", "packs", multiple=True, metavar="PACK|FILE|FOLDER", help="The policy that has it; repeatable.")  # fmt: skip
@click.option("--format", "form", type=FORMATS, default="text", show_default=True)
@report_options.language
def show_command(rule: str, packs: tuple[str, ...], form: str, lang: str) -> None:
    """Explain one RULE: what it checks, why, its evidence, who can answer, the fix, its controls and cases."""
    from bfaudit.catalogue import pages, without_policy  # noqa: PLC0415
    from bfaudit.errors import UsageError  # noqa: PLC0415
    from bfaudit.exchanges import known  # noqa: PLC0415
    from bfaudit.lang import language  # noqa: PLC0415
    from bfaudit.words import did_you_mean  # noqa: PLC0415

    _, infos, frameworks = _load(packs)
    infos = [*infos, *without_policy(known())]
    found = next((info for info in infos if info.rule.id == rule), None)
    if found is None:
        hint = did_you_mean(rule, [info.rule.id for info in infos]) or "see `bfaudit rules list`"
        raise UsageError(f"no rule `{rule}`", hint=hint)
    if form == "json":
        _json(_row(found, None))
        return
    text = "\n".join(pages.one_rule(found, frameworks, language(lang)))
    if form == "markdown":
        click.echo(text)
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.markdown import Markdown  # noqa: PLC0415

    Console().print(Markdown(text))


def _load(packs: tuple[str, ...]) -> tuple[Any, Any, Any]:
    from bfaudit.catalogue import catalogue  # noqa: PLC0415
    from bfaudit.exchanges import known  # noqa: PLC0415
    from bfaudit.policy.listing import shipped, shipped_cases, shipped_frameworks  # noqa: PLC0415
    from bfaudit.policy.read import read  # noqa: PLC0415

    policies = read(packs) if packs else shipped()
    frameworks = shipped_frameworks()
    return policies, catalogue(policies, known(), shipped_cases()), frameworks


def _exchange(name: str) -> str:
    from bfaudit.errors import UsageError  # noqa: PLC0415
    from bfaudit.exchanges import known  # noqa: PLC0415
    from bfaudit.words import did_you_mean  # noqa: PLC0415

    adapter = known().get(name.lower())
    if adapter is None:
        hint = did_you_mean(name, list(known())) or "see `bfaudit exchanges list`"
        raise UsageError(f"unknown exchange `{name}`", hint=hint)
    return adapter.id


def _row(info: Any, exchange: str | None) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415

    rule = msgspec.to_builtins(info.rule)
    answers = {one.exchange: one.answers for one in info.answers}
    row = {
        **{name: rule[name] for name in rule if name != "place"},
        "severity": info.rule.severity.word,
        "evidence": list(info.reads),
        "facts": list(info.facts),
        "answers": answers,
        "cases": [{"name": name, "outcome": outcome} for name, outcome in info.cases],
    }
    if exchange:
        row["answers"] = {exchange: answers.get(exchange, "status only")}
    return row


def _json(value: Any) -> None:
    import msgspec  # noqa: PLC0415

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def _table(infos: list[Any], exchange: str | None, lang: Language) -> None:
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from bfaudit.catalogue.pages import answers  # noqa: PLC0415

    say = lang.say
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(say("rule"), overflow="fold", no_wrap=True)
    for heading in (say("severity"), say("policy"), say("the violation")):
        table.add_column(heading, overflow="fold")
    if exchange:
        table.add_column(say("{exchange} answers", exchange=exchange))
    for info in infos:
        rule, last = info.rule, [answers(info, exchange, lang)] if exchange else []
        title = lang.sentence(" ".join(rule.title.split()))
        table.add_row(rule.id, say(rule.severity.word), info.pack, title, *last)
    Console(markup=False, emoji=False).print(table)
