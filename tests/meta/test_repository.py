"""What the repository as a whole must and must not hold."""

import re
import subprocess
from pathlib import Path

import pytest

from bfaudit.cli import commands

ROOT = Path(__file__).resolve().parents[2]
KEY_LIKE = re.compile(
    r"\bmx0[A-Za-z0-9]{12,}\b"  # MEXC
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\n\s*[A-Za-z0-9+/]{20,}"
    r"|\b(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[0-9]{2})[A-Za-z0-9]{60,}\b"
)
LONG_BUT_PUBLIC = ("requirements.lock", "requirements-dev.lock")


def _tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_key_like_string():
    """Nothing in the repository looks like an API key, secret or private key."""
    found = []
    for path in _tracked():
        if path.name in LONG_BUT_PUBLIC or path.suffix in (".png", ".pdf"):
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            if KEY_LIKE.search(line) and "sha256" not in line and "sha512" not in line:
                found.append(f"{path.relative_to(ROOT)}:{number}: {line[:60]}")

    assert found == []


def test_every_command_is_in_the_readme():
    """A command that nobody reads of is a command that nobody finds."""
    readme = (ROOT / "README.md").read_text("utf-8")

    assert [] == [name for name in commands() if f"bfaudit {name}" not in readme]


def test_dependencies_have_a_reason():
    """Every runtime dependency is explained in docs/decisions."""
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    block = project[
        project.index("dependencies = [") : project.index("]", project.index("dependencies = ["))
    ]
    reasons = (ROOT / "docs" / "decisions" / "dependencies.md").read_text("utf-8")

    assert [] == [
        name for name in re.findall(r'"([a-z-]+)[=>]', block) if f"`{name}`" not in reasons
    ]


def test_the_lock_has_a_hash_for_everything():
    """Every pinned package is pinned by hash."""
    for name in LONG_BUT_PUBLIC:
        lock = (ROOT / name).read_text("utf-8")
        packages = re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)

        assert len(packages) > 20
        for entry in re.split(r"^(?=[A-Za-z0-9._-]+==)", lock, flags=re.MULTILINE)[1:]:
            assert "--hash=sha256:" in entry
