"""The image, and what the action installs: linted, and their steps executed without a container."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.harness import ROOT, environment

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
BUILD, _, LAST = DOCKERFILE.partition("\nFROM ${BASE}\n")
MEGABYTES = 260
"""What the installation may take, without the base; most of it is ccxt and the engine of the rules."""


def instructions(stage):
    """Each instruction of a stage with its words, continued lines joined."""
    lines = [line for line in stage.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines()]


def test_hadolint_finds_nothing():
    """Its rules at every level, and those of shellcheck for what RUN runs."""
    tool = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    done = subprocess.run(
        [tool, "--no-color", "--failure-threshold", "style", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stdout), done.stdout + done.stderr


def test_what_no_linter_knows():
    """A base by version that may be given by digest; a user by number; dependencies by hash; nothing secret, nothing fetched."""
    base = re.search(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)[1]
    names = [name for name, _ in instructions(LAST)]

    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", base)
    assert {"${BASE}"} == {words.split()[0] for name, words in instructions(BUILD + "\nFROM ${BASE}\n") if name == "FROM"}  # fmt: skip
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", LAST, re.MULTILINE)
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert re.search(r'^ENTRYPOINT \["bfaudit"\]$', LAST, re.MULTILINE)
    assert not {"RUN", "EXPOSE", "VOLUME", "ADD"} & set(names)
    assert "--require-hashes" in BUILD
    assert not re.search(r"(?i)\b(curl|wget|secret|password|token)\b", DOCKERFILE)
    for name, words in instructions(DOCKERFILE):
        assert name not in ("ARG", "ENV") or not re.search(r"(?i)key|proxy", words)


def test_the_context_is_what_is_copied():
    """Nothing of the checkout enters the image that no COPY names: no manifest, no snapshot, no `.env`."""
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    copied = {name for source, _ in copies() for name in source}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert "*" == ignored[0]
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert {source.partition("/")[0] for source in included} <= copied
    assert all((ROOT / name).exists() for name in copied)


def copies():
    """What the build copies from the checkout, and where to."""
    for name, words in instructions(BUILD):
        if name == "COPY":
            *sources, place = words.split()
            yield sources, place


@pytest.fixture
def ran(tmp_path):
    """Runs a shell's line as a build would, with this Python for the base's; where no index answers it is left out."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("python", "python3"):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (tools / name).chmod(0o755)

    def run(*line, cwd, **env):
        path = f"{tools}:{os.environ['PATH']}"
        done = subprocess.run(
            [str(word) for word in line],
            cwd=cwd,
            env=environment(PATH=path, PIP_NO_COMPILE="1", PYTHONWARNINGS="default", **env),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        said = done.stdout + done.stderr
        offline = re.search(r"NewConnectionError|ConnectTimeout|Temporary failure in name", said)
        if done.returncode and offline and not os.environ.get("CI"):
            pytest.skip("no package index answers")
        assert 0 == done.returncode, said
        return said

    return run


def test_the_steps_of_the_image(tmp_path, ran):
    """Every COPY and RUN of the build, in a folder of its own; what they install audits the example fleet."""
    context, target = tmp_path / "build", tmp_path / "opt"
    context.mkdir()
    for name, words in instructions(BUILD):
        if name == "COPY":
            *sources, place = words.split()
            for source in sources:
                copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
                copy(ROOT / source, context / place / (source if place == "./" else ""))
        elif name == "RUN":
            line = words.replace("/opt/bfaudit", str(target))
            ran("sh", "-euc", line, cwd=context)
    elsewhere = tmp_path / "work"
    elsewhere.mkdir()
    env = {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    told = ran(target / "bin" / "bfaudit", "demo", "--output-dir", "out", cwd=elsewhere, **env)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 1e6

    assert "MISSED" not in told
    assert (elsewhere / "out" / "report.html").exists()
    assert size < MEGABYTES


def test_the_action_installs(tmp_path, ran):
    """What it installs is this revision, and runs away from it."""
    said = ran(ROOT / ".github/action/install.sh", cwd=tmp_path, RUNNER_TEMP=str(tmp_path), PYTHONPATH="")  # fmt: skip
    command = tmp_path / "bfaudit" / "bin" / "bfaudit"

    assert re.search(r"^bfaudit \d", said, re.MULTILINE)
    assert "complete and clean" in ran(command, "exit-codes", cwd=tmp_path, PYTHONPATH="")
