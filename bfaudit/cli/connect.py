"""`bfaudit connect`: guides through one new connection, from the key's boxes to a passed connection test."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bfaudit import credentials, errors, literals
from bfaudit.cli import asking, options, scaffold
from bfaudit.cli.output import write
from bfaudit.manifest import writing
from bfaudit.manifest.fields import normal_name
from bfaudit.model import Audit, Connection, Outcome, Scanned, Status


@click.command("connect")
@click.argument("manifest", default=scaffold.MANIFEST)
@click.option("--exchange", metavar="ID", help="Where the key is from.")
@click.option("--name", metavar="NAME", help="A clear name for the connection. [default: exchange and strategy]")  # fmt: skip
@click.option("--strategy", metavar="NAME", help="The strategy or bot that uses the key.")
@click.option("--account", metavar="NAME", help="The account or sub-account, in your words. [default: main]")  # fmt: skip
@click.option("--requires", metavar="WORDS", help="Permissions it needs, with commas. [default: read,trade]")  # fmt: skip
@click.option("--server", "servers", multiple=True, metavar="NAME|IP", help="Where it runs; repeatable.")  # fmt: skip
@click.option("--owner", metavar="NAME", help="Who answers for the key.")
@click.option("--credential", "references", multiple=True, metavar="ROLE=REF", help="Where a credential lives, such as key=env:NAME; repeatable. [default: by the name]")  # fmt: skip
@click.option("--two-factor-by", metavar="NAME", help="Who has checked that the account has two-factor sign-in.")  # fmt: skip
@click.option("--no-test", is_flag=True, help="Only write; send nothing.")
@click.option("--yes", is_flag=True, help="Ask nothing; for scripts.")
@options.judging
@options.scanning
def command(manifest: str, **given: Any) -> int:
    """Add one connection to MANIFEST, and test it: shows "Online", or what to fix.

    No secret is asked for, only where each lives. A connection of this name that is declared already is tested again.
    The exit code is that of an audit of this one connection.
    """
    from bfaudit.cli import pipeline  # noqa: PLC0415

    policies = pipeline.policies(given["policies"])
    excepted = pipeline.exceptions(given["exceptions"], policies)
    path = Path(manifest)
    text, declared = _declared(path)
    draft = _draft(given, declared)
    same = {normal_name(one.name): one for one in declared}.get(normal_name(draft.name))
    if same is not None:
        click.echo(f"{same.name} is declared already: {same.place}")
    else:
        _append(path, text, draft, declared)
    if given["no_test"]:
        return 0
    loaded = pipeline.load_fleet([manifest], keep_going=False)
    one = next(each for each in loaded.connections if normal_name(each.name) == normal_name(draft.name))  # fmt: skip
    alone = type(loaded)((one,), [], (), loaded.files)
    asked = {
        **{name: given[name] for name in pipeline.SCANNING},
        "connection_test": True,
        "quiet": True,
    }
    rest = tuple(each for each in loaded.connections if each is not one)
    snapshot = pipeline.scan_fleet(alone, rest=rest, **asked)
    if snapshot.interrupted or not snapshot.connections:
        return 130
    audit = pipeline.judge(snapshot, policies, excepted)
    _tell(snapshot.connections[0], audit)
    return pipeline.code(
        audit,
        fail_on=given["fail_on"],
        max_unknown=given["max_unknown"],
        exit_zero=given["exit_zero"],
    )


def _declared(path: Path) -> tuple[str | None, tuple[Connection, ...]]:
    """The text and the connections of a manifest; none where there is no file yet."""
    from bfaudit.cli import pipeline  # noqa: PLC0415

    if not path.exists():
        return None, ()
    if path.is_dir():
        raise errors.UsageError(f"{path} is a folder", hint="name the manifest file to add to")
    try:
        loaded = pipeline.load_fleet([str(path)], keep_going=False)
    except errors.NothingToAudit:
        return path.read_bytes().decode(), ()
    return path.read_bytes().decode(), loaded.connections


def _draft(given: Mapping[str, Any], declared: tuple[Connection, ...]) -> writing.Draft:
    """The connection that is wanted, by options and, where somebody is there, by questions."""
    ask = asking.interactive(yes=given["yes"])
    if not ask and not given["exchange"]:
        raise errors.UsageError("--yes needs --exchange")
    exchange = asking.exchange(given["exchange"]) if given["exchange"] else asking.asked("Exchange", asking.exchange)  # fmt: skip
    adapter = asking.adapter(exchange)
    named = {normal_name(one.name) for one in declared}
    expected = given["name"] or asking.title(adapter.title, given["strategy"] or "spot-main")
    if normal_name(expected) not in named:
        click.echo(f"\nCreate the key at {adapter.title}:")
        steps = adapter.how_to or ("Create a key that reads and trades, and never withdraws.",)
        for step in (*steps, "Sign-in to the account has two factors."):
            click.echo(f"  [ ] {step}")
        click.echo()
        if ask:
            click.confirm("All done", default=True, abort=True, err=True)

    def answer(option: str, question: str, default: str) -> str:
        value = given[option]
        if value is None and ask:
            return asking.asked(question, asking.plain, default or None)
        return asking.plain(value) if value else default

    strategy = answer("strategy", "Strategy or bot that uses the key", "spot-main")
    name = answer("name", "Name of the connection", asking.title(adapter.title, strategy))
    account = answer("account", "Account or sub-account, in your words", "main")
    requires = asking.permissions(answer("requires", "Permissions it needs", "read,trade"))
    servers = given["servers"]
    if ask and not servers:
        told = click.prompt("Servers it runs on, names or public addresses (empty: later)", default="", show_default=False, err=True)  # fmt: skip
        servers = asking.words(told)
    checked_by = given["two_factor_by"]
    if ask and not checked_by:
        checked_by = click.prompt("Who has checked that two-factor sign-in is on (empty: nobody)", default="", show_default=False, err=True)  # fmt: skip
    return writing.Draft(
        name=name,
        exchange=exchange,
        account=account,
        strategy=strategy,
        requires=requires,
        servers=tuple(servers),
        owner=asking.plain(given["owner"]) if given["owner"] else "",
        credentials=_references(given["references"], name, adapter.credentials, ask=ask),
        two_factor=(asking.plain(checked_by), datetime.now(UTC).date()) if checked_by else None,
    )


def _references(
    given: tuple[str, ...], name: str, roles: tuple[str, ...], *, ask: bool
) -> dict[str, str]:
    """A reference for each credential. A secret in place of one is refused, and not repeated."""
    found = writing.variables(name, roles)
    for text in given:
        role, equals, reference = text.partition("=")
        if not equals or role not in roles:
            raise errors.UsageError(
                "--credential is ROLE=REFERENCE", hint=f"roles here: {', '.join(roles)}"
            )
        found[role] = _reference(reference)
    if ask and not given:
        click.echo("Where do the credentials live? Never paste one here.", err=True)
        for role in roles:
            found[role] = asking.asked(f"  {role}", _reference, found[role])
    return found


def _reference(text: str) -> str:
    try:
        credentials.split(text)
    except errors.CredentialError as error:
        hint = error.hint
        if literals.is_secret(text):
            hint = "it looks like a secret, and is in this shell's history now: replace the key"
        raise errors.UsageError(error.message, hint=hint) from None
    return text


def _append(
    path: Path, text: str | None, draft: writing.Draft, declared: tuple[Connection, ...]
) -> None:
    """Write the manifest with the connection; nothing is written that would not load."""
    from bfaudit import exchanges, manifest  # noqa: PLC0415

    made = writing.fresh([draft]) if text is None else writing.appended(text, draft)
    known = manifest.Known(exchanges.credentials_of(), credentials.SCHEMES, {})
    loaded = manifest.assemble([(str(path), made.encode())], known)
    if loaded.problems:
        raise errors.InvalidInput(loaded.problems)
    if len(loaded.connections) != len(declared) + 1:
        raise AssertionError("the manifest would not say what was meant")
    write(str(path.resolve()), made.encode())
    click.echo(f"{'wrote' if text is None else 'added to'} {path}:\n")
    click.echo(writing.entry(draft))


def _tell(scanned: Scanned, audit: Audit) -> None:
    online = scanned.status is Status.ONLINE and scanned.reason is None
    reason = f" ({scanned.reason})" if scanned.reason else ""
    click.echo(f"{'✓' if online else '✗'} {scanned.connection.name}: {scanned.status}{reason}")
    for label, said in (("why", scanned.detail), ("fix", scanned.advice)):
        if said:
            click.echo(f"  {label}  {said}")
    if scanned.reason == "unresolved-credential":
        click.echo("  set  " + " ".join(_unset(scanned.connection)), file=sys.stdout)
    exchange = scanned.connection.exchange
    for result in audit.results:
        if result.exception is not None or result.rule.id == "online":
            continue
        if result.outcome is Outcome.FAIL:
            advice = result.rule.remediation
            click.echo(f"✗ {result.rule.severity.word} {result.rule.id}: {result.judgement.message}")  # fmt: skip
            if fix := advice.get(exchange) or advice.get("text"):
                click.echo(f"  fix  {fix}")
        elif result.outcome in (Outcome.UNKNOWN, Outcome.ERROR) and online:
            why = next((one.unknown for one in result.judgement.observations if one.unknown), "")
            click.echo(f"? {result.rule.id}: not known{f': {why}' if why else ''}")


def _unset(connection: Connection) -> list[str]:
    import os  # noqa: PLC0415

    names = [each.removeprefix("env:") for each in connection.credentials.values() if each.startswith("env:")]  # fmt: skip
    return [name for name in names if not os.environ.get(name)]
