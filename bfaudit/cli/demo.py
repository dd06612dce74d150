"""`bfaudit demo`: a real audit of the example fleet on the embedded sandbox."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from bfaudit.cli import report_options
from bfaudit.cli.output import write
from bfaudit.lang import Language, language
from bfaudit.model import Audit, Result


@click.command("demo")
@click.option(
    "--output-dir",
    default="out",
    show_default=True,
    metavar="FOLDER",
    help="Where the reports and the snapshot go.",
)
@report_options.language
def command(output_dir: str, lang: str) -> int:
    """Audit the example fleet: real ccxt over real HTTP, against a sandbox on this machine.

    Nothing leaves the machine. The fleet has planted mistakes; the reports show them.
    """
    from bfaudit import resources  # noqa: PLC0415
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import pipeline, reporting  # noqa: PLC0415
    from bfaudit.sandbox import Sandbox, load_scenario  # noqa: PLC0415

    spoken = language(lang)
    manifest = _relative(str(resources.examples() / "backfuture.yaml"))
    text = (resources.examples() / "backfuture.scenario.yaml").read_text("utf-8")
    scenario = load_scenario(text)
    policies = pipeline.policies(("baseline", "inventory"))
    loaded = pipeline.load_fleet([manifest], keep_going=False)
    with Sandbox(scenario) as box:
        begins = spoken.say("sandbox on {url}, auditing {manifest} ...", url=box.url, manifest=manifest)  # fmt: skip
        click.echo(begins, err=True)
        here = {one.exchange for one in loaded.connections}
        snapshot = pipeline.scan_fleet(
            loaded,
            exchange_urls=[f"{name}={url}" for name, url in box.urls.items() if name in here],
            environ=box.environment,
        )
    audit = pipeline.judge(snapshot, policies)
    ends_with = pipeline.code(audit, fail_on=("high",), max_unknown=0, exit_zero=False)
    folder = Path(output_dir)
    reports = {name: folder / f"report.{suffix}" for name, suffix in REPORTS.items()}
    wanted = [("text", "-"), *((name, str(path)) for name, path in reports.items())]
    told = {"language": spoken}
    reporting.report(audit, wanted, reporting.sources_of(snapshot), ends_with, told)
    write(str(folder / "snapshot.json"), snapshots.encode(snapshot))
    found = _planted(audit, scenario.planted, spoken)
    _say(found, [*reports.values(), folder / "snapshot.json"], ends_with, spoken)
    return 0 if all(fact.hit for fact in found) else 70


REPORTS = {"html": "html", "markdown": "md", "json": "json"}


def _relative(path: str) -> str:
    """A path as a user would type it, where it is below the current folder."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


class _Fact(NamedTuple):
    """Something that was planted in the fleet, and whether the audit says so."""

    outcome: str
    hit: bool
    text: str


def _planted(audit: Audit, planted: Sequence[Any], lang: Language) -> list[_Fact]:
    results: dict[tuple[str, str], Result] = {
        (result.connection, result.rule.id): result for result in audit.results
    }
    found = []
    for one in planted:
        result = results.get((one.connection, one.rule))
        hit = result is not None and result.outcome == one.outcome
        says = lang.sentence(one.says) or one.rule
        text = f"{one.connection}: {says} ({one.rule})"
        found.append(_Fact(one.outcome, hit, text))
    return found


def _say(found: Sequence[_Fact], files: Sequence[Path], ends_with: int, lang: Language) -> None:
    from bfaudit.cli.exit_codes import CODES  # noqa: PLC0415

    say = lang.say
    planted = {
        "fail": say("Planted mistakes"),
        "unknown": say("What no exchange tells"),
        "pass": say("What is right"),
    }
    marks = {True: say("found"), False: say("MISSED")}
    width = max(map(len, marks.values()))
    for outcome, title in planted.items():
        facts = [fact for fact in found if fact.outcome == outcome]
        hits = sum(fact.hit for fact in facts)
        click.echo(
            "\n" + say("{title}, found: {n} of {total}", title=title, n=hits, total=len(facts))
        )
        for fact in facts:
            click.echo(f"  {marks[fact.hit]:{width}}  {fact.text}")
    click.echo("\n" + say("Written:"))
    for path in files:
        click.echo(f"  {path}")
    meaning = say(CODES[ends_with])
    click.echo("\n" + say("A real audit would end with exit code {code}: {meaning}.", code=ends_with, meaning=meaning))  # fmt: skip
    click.echo(say("This demonstration ends with 0."))
    click.echo("\n" + say("Next:"))
    check = f"bfaudit check {files[-1]} --format markdown"
    for command, what in (
        (f"open {files[0]}", say("in a browser")),
        (check, say("judge it again, offline")),
        ("bfaudit sandbox", say("keep a sandbox running to try policies")),
        ("bfaudit audit MANIFEST", say("audit your own keys, by reads only")),
    ):
        click.echo(f"  {command:{len(check)}}  {what}")
