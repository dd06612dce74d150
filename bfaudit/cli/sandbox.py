"""`bfaudit sandbox`: play the exchanges on this machine, for trials, demonstrations and tests."""

import os
import shlex
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bfaudit.sandbox import Sandbox, Scenario


@click.command("sandbox")
@click.option("--scenario", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What to play; default: the example fleet.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port on 127.0.0.1; 0 is any free one.")  # fmt: skip
@click.option("--env-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the pretended credentials there as KEY=VALUE lines, readable by you only.")  # fmt: skip
def command(scenario: Path | None, port: int, env_file: Path | None) -> None:
    """Play the exchanges of a scenario on this machine until Ctrl-C. No exchange is contacted."""
    from bfaudit.sandbox import Sandbox  # noqa: PLC0415 - aiohttp only when it is used

    with Sandbox(_load(scenario), port) as box:
        if env_file is not None:
            write_environment(env_file, box.environment)
        click.echo(describe(box, env_file))
        try:
            wait_for_interrupt()
        except KeyboardInterrupt:
            click.echo(f"\nstopped after {len(box.requests)} requests", err=True)


def wait_for_interrupt() -> None:
    """Wait until Ctrl-C, which raises `KeyboardInterrupt`."""
    threading.Event().wait()


def _load(path: Path | None) -> "Scenario":
    from bfaudit.resources import examples  # noqa: PLC0415
    from bfaudit.sandbox import load_scenario  # noqa: PLC0415

    if path is not None:
        return load_scenario(path)

    return load_scenario((examples() / "backfuture.scenario.yaml").read_text(encoding="utf-8"))


def describe(box: "Sandbox", env_file: Path | None) -> str:
    """What to know to use a running sandbox: its URLs, and the options that lead bfaudit to them."""
    lines = [f"{exchange:10} {url}" for exchange, url in box.urls.items()]
    options = [f"  --exchange-url {exchange}={url}" for exchange, url in box.urls.items()]
    source = [f"set -a; . {shlex.quote(str(env_file))}; set +a", ""] if env_file else []
    audit = " \\\n".join(["bfaudit audit MANIFEST", *options])
    return "\n".join([*lines, "", *source, audit])


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write KEY=VALUE lines that a shell can source, readable by their owner only."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        # One line each: a PEM key's line breaks are written as \n, which a scan reads as such.
        lines = ((name, text.replace("\n", "\\n")) for name, text in environment.items())
        file.writelines(f"{name}={shlex.quote(text)}\n" for name, text in lines)
