"""The wheel: it carries everything, and works away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = {"policies": "policies", "reports/templates": "templates", "examples": "examples"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_it_carries_policies_templates_examples_and_schemas(wheel):
    """What is beside the package in the checkout is inside it in the wheel."""
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"bfaudit/_data/{inside}/{path.relative_to(ROOT / outside).as_posix()}"
        for outside, inside in DATA.items()
        for path in (ROOT / outside).rglob("*")
        if path.is_file()
    }
    wanted |= {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "bfaudit/locale").rglob("*.mo")
    }
    wanted |= {f"bfaudit/schemas/{path.name}" for path in (ROOT / "bfaudit/schemas").glob("*.json")}

    assert wanted - names == set()
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


def test_it_works_away_from_the_checkout(wheel, tmp_path):
    """Installed elsewhere, it audits its example fleet and finds its policies and templates."""
    target, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    zipfile.ZipFile(wheel).extractall(target)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BFAUDIT_")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bfaudit", "demo", "--output-dir", "out"],
        cwd=elsewhere,
        env={**kept, "PYTHONPATH": str(target), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert str(target) in done.stdout + done.stderr
    assert (elsewhere / "out" / "report.html").stat().st_size > 10_000
