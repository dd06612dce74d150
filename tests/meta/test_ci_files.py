"""The files by which teams install bfaudit: hooks, the action, the component, the image, the transcript."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bfaudit.sandbox import Sandbox
from tests.cli.harness import ROOT, bfaudit, entry, environment, key, manifest, redirected, scenario
from tools.first_use import PAGE, SHOWN

ENTRY = entry("KuCoin Spot One", "kucoin", "ONE")


@pytest.fixture
def tools(tmp_path):
    """A folder with the `bfaudit` command of this checkout."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "bfaudit"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m bfaudit "$@"\n')
    command.chmod(0o755)
    return folder


def _run(*words, cwd, tools, **env):
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment(PATH=f"{tools}:{os.environ['PATH']}", HOME=str(cwd), **env),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def _git(folder, tools, *words):
    named = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
    code, said = _run("git", *named, *words, cwd=folder, tools=tools)
    assert 0 == code, said
    return said.strip()


def _snapshot(folder, *permissions):
    with Sandbox(scenario(key("ONE", permissions))) as box:
        path = manifest(folder, ENTRY)
        place = folder / "snapshot.json"
        assert 0 == bfaudit("scan", path, "-q", "-o", place, *redirected(box), **box.environment).code  # fmt: skip
    return place


def test_the_hooks_run_under_pre_commit(tmp_path, tools):
    """The real pre-commit runs both hooks on a sample repository; only the installation is left out."""
    hooks, sample = tmp_path / "hooks", tmp_path / "sample"
    for folder in (hooks, sample):
        folder.mkdir()
        _git(folder, tools, "init", "-q")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    _git(hooks, tools, "add", ".")
    _git(hooks, tools, "commit", "-q", "-m", "x")
    (sample / "connections").mkdir()
    path = manifest(sample / "connections", ENTRY)
    _snapshot(sample, "General", "Spot", "Transfer")
    (sample / "fleet.yaml").unlink()
    config = {"repo": f"file://{hooks}", "rev": _git(hooks, tools, "rev-parse", "HEAD")}
    config["hooks"] = [
        {"id": f"bfaudit-{name}", "language": "system"} for name in ("validate", "check")
    ]
    (sample / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [config]}))
    _git(sample, tools, "add", ".")
    call = (sys.executable, "-m", "pre_commit", "run", "--all-files")
    env = {"PRE_COMMIT_HOME": str(tmp_path / "cache"), "PYTHONWARNINGS": "default"}
    code, said = _run(*call, cwd=sample, tools=tools, **env)

    assert 1 == code, said
    assert re.search(r"bfaudit validate\.+Passed", said), said
    assert re.search(r"bfaudit check\.+Failed", said), said
    assert "no-withdraw" in said
    path.write_text(path.read_text().replace("requires", "requiers"))
    _git(sample, tools, "add", ".")
    _, said = _run(*call, "bfaudit-validate", cwd=sample, tools=tools, **env)
    assert 'did you mean "requires"?' in said


def _action(folder, tools, **inputs):
    named = {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    files = {"GITHUB_STEP_SUMMARY": folder / "summary.md", "GITHUB_OUTPUT": folder / "output"}
    for path in files.values():
        path.write_text("")
    env = {**named, **{name: str(path) for name, path in files.items()}}
    script = ROOT / ".github/action/run.sh"
    code, said = _run(script, cwd=folder, tools=tools, BFAUDIT_BIN=str(tools / "bfaudit"), **env)
    return code, said, *(path.read_text() for path in files.values())


def test_the_action_checks_a_snapshot(tmp_path, tools):
    """Annotations in the log, SARIF in a file, Markdown in the summary, the exit code as it is."""
    _snapshot(tmp_path, "General", "Spot", "Transfer")
    code, said, summary, output = _action(
        tmp_path, tools, command="check", paths="snapshot.json\n", policy="baseline\n"
    )

    assert 1 == code, said
    assert "::error file=fleet.yaml" in said
    assert "no-withdraw" in summary
    assert "exit-code=1\nsarif-file=bfaudit.sarif\n" == output
    assert '"version":"2.1.0"' in (tmp_path / "bfaudit.sarif").read_text().replace(" ", "")
    code, said, *_ = _action(
        tmp_path, tools, command="check", paths="snapshot.json", arguments="--exit-zero"
    )
    assert 0 == code, said


def test_the_action_reads_no_input_as_code(tmp_path, tools):
    """Inputs are words, whatever they hold; a command of another name is refused; nothing stale is left."""
    (tmp_path / "bfaudit.sarif").write_text("of an earlier run")
    code, *_, output = _action(tmp_path, tools, paths="$(touch hacked); `touch hacked`; --help")
    assert 2 == code
    assert "exit-code=2\n" == output
    assert 2 == _action(tmp_path, tools, command="scan")[0]
    assert not (tmp_path / "hacked").exists()


def test_the_action_validates(tmp_path, tools):
    """`validate` has no reports."""
    manifest(tmp_path, ENTRY)
    code, said, summary, _ = _action(tmp_path, tools, command="validate", paths="fleet.yaml", fail_on="high")  # fmt: skip

    assert 0 == code, said
    assert "" == summary


def test_the_action_is_sound():
    """Every input reaches the script, by environment only; every action is pinned by commit."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    steps = action["runs"]["steps"]
    script = (ROOT / ".github/action/run.sh").read_text()
    used = str(steps)

    for name in action["inputs"]:
        assert f"inputs.{name}" in used
    for step in steps:
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert re.search(r"@[0-9a-f]{40}$", step["uses"])
        for name in step.get("env", {}):
            if name.startswith("INPUT_"):
                assert name in script
    for name in ("run.sh", "install.sh"):
        path = ROOT / ".github/action" / name
        assert path.stat().st_mode & 0o111
        assert 0 == subprocess.run(["bash", "-n", path], check=False).returncode


def test_the_gitlab_component_is_sound():
    """Two documents, each input used, and formats that exist."""
    from bfaudit.formats import FORMATS

    spec, jobs = yaml.safe_load_all((ROOT / "templates/bfaudit.yml").read_text())
    text = str(jobs)

    assert set(spec["spec"]["inputs"]) == set(re.findall(r"\$\[\[ inputs\.([a-z-]+) \]\]", text))
    assert set(re.findall(r"--format ([a-z]+)", text)) <= set(FORMATS)


def test_the_examples_use_options_that_exist():
    """Every `bfaudit COMMAND --option` of the CI pages is one that the command has."""
    from bfaudit.cli import commands, group

    root = group()
    import click

    for page in sorted((ROOT / "docs/ci").glob("*.md")):
        text = page.read_text().replace("\\\n", " ")
        for name, rest in re.findall(r"\bbfaudit ([a-z-]+)((?: [^\n`']*)?)", text):
            if name not in commands():
                continue
            known = {opt for param in root.get_command(click.Context(root), name).params for opt in param.opts}  # fmt: skip

            assert set(re.findall(r" (--[a-z-]+)", rest)) <= known, page.name


def _normal(text):
    text = re.sub(r"127\.0\.0\.1:\d+|--port \d+", lambda m: re.sub(r"\d+$", "PORT", m[0]), text)
    text = re.sub(r"\b\d+(\.\d+)? (s|ms)\b", "TIME", text)
    return [line.rstrip() for line in text.strip().splitlines()]


def test_first_use_is_as_the_page_says(tmp_path, tools):
    """The transcript of docs/first-use.md, made again; `make first-use` writes it, with times."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    script = ROOT / "docs/transcripts/first-use.sh"
    work = tmp_path / "work"
    work.mkdir()
    code, said = _run("bash", script, cwd=work, tools=tools, BFAUDIT_INSTALLED="1", BFAUDIT_PORT=port, COLUMNS="100")  # fmt: skip
    shown = SHOWN.search(PAGE.read_text("utf-8"))[0]

    assert 0 == code, said
    assert _normal(shown) == _normal(said)
    assert 5 == len(re.findall(r"(?m)^\$ ", shown)) == len(re.findall(r"(?m)^\[took ", shown))
    assert str(Path.home()) not in shown
