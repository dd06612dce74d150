"""`bfaudit policy`: test, lint and begin policies."""

import re
import sys
from pathlib import Path
from typing import Any

import click

from bfaudit.cli import options
from bfaudit.cli.output import write
from bfaudit.words import count


@click.group("policy")
def command() -> None:
    """Test, lint and begin policies."""


@command.command("test")
@click.argument("sources", nargs=-1, required=True, metavar="FOLDER|FILE...")
@options.policy
@click.option(
    "--run",
    "only",
    default="",
    metavar="REGEX",
    help="Only the cases whose rule or name holds this.",
)
@click.option(
    "--coverage",
    is_flag=True,
    help="Also fail for rules, outcomes and conditions that no case shows.",
)
@click.option(
    "--mutate", is_flag=True, help="Also fail for small changes of a rule that no case notices."
)
@click.option("--update", is_flag=True, help="Write into the files what the rules say now.")
@click.option("--junit", metavar="FILE", help="Also write the cases as JUnit XML.")
def test(sources: tuple[str, ...], **given: Any) -> int:
    """Run the cases of FOLDER or FILE against policies: those of --policy, else those found beside the cases, else all packs."""
    from bfaudit import errors  # noqa: PLC0415
    from bfaudit.cli import policy_files  # noqa: PLC0415
    from bfaudit.policy import cases, mutate, testing  # noqa: PLC0415

    texts, policies = policy_files.collect(sources, given["policies"])
    rules = {rule.rule.id: rule for policy in policies for rule in policy.rules}
    ran = cases.run(texts, policies, policy_files.pattern(given["only"]))
    if not ran:
        raise errors.NothingToAudit(
            "no case to run", hint="give a folder with cases, or another --run"
        )
    wrong = [each for each in ran if each.wrong is not None]
    if given["update"] and wrong:
        policy_files.update(texts, wrong)
    for each in wrong:
        click.echo(
            f"{'updated' if given['update'] else 'fail'}[{each.rule}] {each.case}\n  --> {each.place}\n   = {each.wrong}\n"
        )
    tested = {each.rule for each in ran}
    gaps = 0
    if given["coverage"]:
        chosen = {name: rule for name, rule in rules.items() if re.search(given["only"], name)}
        for gap in testing.untested(chosen, ran):
            gaps += 1
            click.echo(f"untested[{gap.rule}] {gap.what}")
    if given["mutate"]:
        for name in sorted(name for name in tested if re.search(given["only"], name)):
            mine = [each.prepared for each in ran if each.rule == name]
            for mutant in mutate.survivors(rules[name], mine):
                gaps += 1
                click.echo(f"survived[{name}] {mutant.where}: {mutant.what}")
    if given["junit"]:
        write(given["junit"], testing.junit(ran))
    failed = 0 if given["update"] else len(wrong)
    click.echo(
        f"{len(ran) - len(wrong)} of {count(len(ran), 'case')} hold, of {len(tested)} of {count(len(rules), 'rule')}"
    )
    if gaps:
        click.echo(f"{count(gaps, 'gap')} in the cases")
    return 1 if failed or gaps else 0


@command.command("lint")
@click.argument("sources", nargs=-1, required=True, metavar="PACK|FILE|FOLDER...")
def lint(sources: tuple[str, ...]) -> int:
    """Say what the rules of a policy could say better: 1 where there is anything."""
    from bfaudit.policy import lint as linter  # noqa: PLC0415
    from bfaudit.policy.read import frameworks, read  # noqa: PLC0415

    policies = read(sources)
    found = linter.lint(policies, list(frameworks()))
    for advice in found:
        click.echo(f"{advice.place}: [{advice.rule}] {advice.text}")
    rules = sum(len(policy.rules) for policy in policies)
    click.echo(
        f"{count(rules, 'rule')}, {count(len(found), 'remark')}",
        file=sys.stderr if found else sys.stdout,
    )
    return 1 if found else 0


@command.command("new")
@click.argument("name", metavar="ID")
@click.option(
    "--folder", default=".", show_default=True, metavar="FOLDER", help="Where the files go."
)
def new(name: str, folder: str) -> None:
    """Begin a rule: a policy file ID.yaml, and ID.cases.yaml with a case for every outcome."""
    from bfaudit import errors  # noqa: PLC0415
    from bfaudit.cli import policy_files  # noqa: PLC0415

    made = policy_files.scaffold(name)
    for file in made:
        if (Path(folder) / file).exists():
            raise errors.UsageError(
                f"{Path(folder) / file} is there already", hint="choose another id"
            )
    for file, text in made.items():
        write(str(Path(folder) / file), text.encode())
        click.echo(f"wrote {Path(folder) / file}")
    click.echo(f"next: edit them, then run: bfaudit policy test {folder} --coverage --mutate")
