"""The policy tutorial is what really happens."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.cli.harness import ROOT, bfaudit, environment


def test_the_policy_tutorial_is_as_it_says(tmp_path):
    """The transcript of docs/policy-tutorial.md, made again."""
    made = bfaudit("demo", "--output-dir", tmp_path / "out")
    tools = tmp_path / "tools"
    tools.mkdir()
    command = tools / "bfaudit"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bfaudit "$@"\n')
    command.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    snapshot = str(tmp_path / "out" / "snapshot.json")
    done = subprocess.run(
        ["bash", ROOT / "docs/transcripts/policy.sh"],
        cwd=work,
        env=environment(PATH=path, SNAPSHOT=snapshot, COLUMNS="100"),
        capture_output=True,
        text=True,
        check=False,
    )
    page = Path(ROOT / "docs/policy-tutorial.md").read_text("utf-8")
    shown = re.search(r"(?s)```console\n(.*?)```", page).group(1)

    assert 0 == made.code, made.err
    assert shown.strip() == done.stdout.strip()
