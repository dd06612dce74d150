"""The files of `bfaudit init`, as texts. None holds a secret; references name environment variables."""

import shlex
from collections.abc import Mapping
from importlib.resources import files as package_files
from pathlib import Path
from typing import NamedTuple

from bfaudit import __version__
from bfaudit.cli import asking, settings
from bfaudit.manifest import writing

MANIFEST = "connections/fleet.yaml"
SCHEMAS = ".bfaudit"


class Plan(NamedTuple):
    """What `init` was told."""

    exchanges: tuple[str, ...]
    strategies: tuple[str, ...]
    servers: Mapping[str, tuple[str, ...]]
    owner: str
    ci: str


def forge(folder: Path) -> str:
    """The CI of a repository, by the files and the remote it has; `github` where nothing tells."""
    for path in (folder.resolve(), *folder.resolve().parents):
        if (path / ".gitlab-ci.yml").exists():
            return "gitlab"
        if (path / ".github").is_dir():
            return "github"
        config = path / ".git" / "config"
        if config.is_file():
            return "gitlab" if "gitlab" in config.read_text("utf-8", "replace") else "github"
    return "github"


def drafts(plan: Plan) -> list[writing.Draft]:
    """One connection for each strategy at each exchange."""
    pairs = [(exchange, strategy) for exchange in plan.exchanges for strategy in plan.strategies]
    return [_draft(plan, exchange, strategy) for exchange, strategy in pairs]


def _draft(plan: Plan, exchange: str, strategy: str) -> writing.Draft:
    adapter = asking.adapter(exchange)
    name = asking.title(adapter.title, strategy)
    return writing.Draft(
        name=name,
        exchange=exchange,
        strategy=strategy,
        servers=tuple(plan.servers),
        owner=plan.owner,
        credentials=writing.variables(name, adapter.credentials),
    )


def files(plan: Plan) -> dict[str, str]:
    """Every file by its path."""
    made = {
        MANIFEST: writing.fresh(
            drafts(plan),
            schema=f"../{SCHEMAS}/manifest.schema.json",
            servers=plan.servers,
            comment=COMMENT,
        ),
        "policy.yaml": POLICY,
        "exceptions.yaml": EXCEPTIONS,
        settings.FILE: _config(),
    }
    for kind in ("manifest", "policy", "exceptions"):
        schema = package_files("bfaudit") / "schemas" / f"{kind}.schema.json"
        made[f"{SCHEMAS}/{kind}.schema.json"] = schema.read_text("utf-8")
    if plan.ci == "github":
        made[".github/workflows/bfaudit.yml"] = GITHUB.replace("%VERSION%", __version__)
    elif plan.ci == "gitlab":
        made[".gitlab-ci.yml"] = GITLAB.replace("%VERSION%", __version__)
    return made


def next_steps(plan: Plan, folder: Path) -> str:
    """What to do now."""
    inside = "" if folder == Path() else f"  cd {shlex.quote(str(folder))}\n"
    first = drafts(plan)[0]
    missing = " ".join(reference.removeprefix("env:") for reference in first.credentials.values())
    return (
        "\nNext:\n"
        f"{inside}"
        "  bfaudit validate connections                     # nothing is sent\n"
        f"  bfaudit exchanges show {first.exchange:<25} # how to create a correct key\n"
        f"  export {missing}\n"
        "  bfaudit audit connections                        # reads only\n"
    )


def _config() -> str:
    known = {option.general for option in settings.every()}
    lines = [
        "# Settings of bfaudit; `bfaudit config show` prints them all, and where each comes from.",
        'policy = ["policy.yaml"]',
    ]
    if ("exceptions",) in known:
        lines.append('exceptions = ["exceptions.yaml"]')
    lines += ['fail-on = "high"       # findings of this severity and above end with 1', ""]
    return "\n".join(lines)


COMMENT = """\
What each API key is FOR. bfaudit asks the exchanges what it MAY do, and compares.
`requires` is all that a key needs: whatever else it may do is excess.
`credentials` say where they live; never the credentials themselves."""

POLICY = f"""\
# yaml-language-server: $schema={SCHEMAS}/policy.schema.json
# Your own policy: everything of the built-in baseline, and what you add or change.
# `overrides` changes a rule of the baseline, `rules` adds rules of your own.
apiVersion: bfaudit/v1
kind: Policy
id: own
title: What our keys must satisfy
extends: [baseline]
"""

EXCEPTIONS = f"""\
# yaml-language-server: $schema={SCHEMAS}/exceptions.schema.json
# Dated, approved permissions to fail a rule. A finding under an exception stays in every report.
# One looks like this:
#   - id: EXC-1
#     rules: [ip-restricted]
#     select: {{connection: Spot Grid Tokyo}}
#     type: remediation-scheduled
#     reason: The bot moves to a fixed address.
#     ticket: SEC-1
#     requested_by: bob
#     approved_by: [alice]
#     created: 2026-11-01
#     expires: 2026-12-01
apiVersion: bfaudit/v1
kind: Exceptions
exceptions: []
"""

GITHUB = """\
# Checks the manifests and policy of every pull request; no secret, no request to an exchange.
# To audit the keys themselves, run `bfaudit audit` or `bfaudit scan` on the host that holds them.
name: bfaudit
on:
  pull_request:
  push: {branches: [main]}
permissions: {contents: read}
jobs:
  validate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {persist-credentials: false}
      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
        with: {python-version: "3.13"}
      - run: python -m pip install "bfaudit==%VERSION%"
      - run: bfaudit validate connections --policy policy.yaml
"""

GITLAB = """\
# Checks the manifests and policy of every merge request; no secret, no request to an exchange.
# To audit the keys themselves, run `bfaudit audit` or `bfaudit scan` on the host that holds them.
bfaudit:
  image: python:3.13.16-slim-trixie
  script:
    - python -m pip install "bfaudit==%VERSION%"
    - bfaudit validate connections --policy policy.yaml
"""
