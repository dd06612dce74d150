"""What is shipped: the same bytes every time, with a list of its parts, from no place that is named here."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools import sbom

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
HOSTS = r"pypi|pythonhosted|npmjs|registry\.npmjs|crates|rubygems|proxy\.golang"
REGISTRY = re.compile(rf"\b(?:{HOSTS})\.(?:org|com|io)\b")


def _built(folder, epoch):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
        check=True,
        capture_output=True,
    )
    (wheel,) = Path(folder).glob("*.whl")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_a_wheel_is_reproducible(tmp_path):
    """Two builds of one commit are equal, byte by byte."""
    first = _built(tmp_path / "a", "1700000000")

    assert first == _built(tmp_path / "b", "1700000000")
    assert first != _built(tmp_path / "c", "1800000000")


@pytest.fixture(scope="module")
def bill(tmp_path_factory):
    """The bill of materials, as `make sbom` writes it, made twice."""
    folder = tmp_path_factory.mktemp("sbom")
    texts = []
    for name in ("a.json", "b.json"):
        command = [sys.executable, "-W", "error", "tools/sbom.py", "--output", folder / name]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        texts.append((folder / name).read_text("utf-8"))
    return texts


def test_the_bill_of_materials_is_valid_and_deterministic(bill):
    """CycloneDX's own schema accepts it; two runs write the same."""
    first, second = bill

    assert first == second
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(first) is None


def test_the_bill_lists_what_the_lock_file_pins(bill):
    """Every package with its version, all its hashes, and a licence where it is installed here."""
    told = json.loads(bill[0])
    parts = {part["name"]: part for part in told["components"]}
    heads = re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE)

    assert dict(heads) == {name: part["version"] for name, part in parts.items()}
    assert set(re.findall(r"sha256:([0-9a-f]{64})", LOCK)) == {
        one["content"] for part in parts.values() for one in part["hashes"]
    }
    assert [] == [
        name for name, part in parts.items() if sbom.installed(name) and not part.get("licenses")
    ]


def test_the_bill_says_who_needs_what(bill):
    """bfaudit needs ccxt, ccxt needs aiohttp."""
    needs = {one["ref"]: one.get("dependsOn", []) for one in json.loads(bill[0])["dependencies"]}
    names = {ref: {other.split("/")[-1].split("@")[0] for other in needs[ref]} for ref in needs}
    (ccxt,) = (ref for ref in needs if ref.startswith("pkg:pypi/ccxt@"))

    assert {"ccxt", "msgspec", "click"} <= names["bfaudit"]
    assert "aiohttp" in names[ccxt]


def test_no_package_registry_is_named():
    """Where packages come from is for whoever installs them to say; hashes say which."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and REGISTRY.search(path.read_text("utf-8", "replace")):
            found.append(name)

    assert found == []
