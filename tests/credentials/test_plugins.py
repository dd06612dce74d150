"""Schemes of other packages: real entry points of a package on the path."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from bfaudit.credentials import SCHEMES, ResolveContext, Scheme, fetched
from bfaudit.credentials.plugins import GROUP, Schemes
from bfaudit.errors import CredentialError

ROOT = Path(__file__).resolve().parents[2]
CANARY = "c4n4ry0f4plug1n"
MODULE = f"""
print("imported")
from bfaudit.credentials import Scheme, Secret
SCHEME = Scheme(name="store", syntax="store:ID", form="[a-z]+", resolve=lambda rest, context: Secret("{CANARY}"))
OTHER = Scheme(name="other", syntax="other:ID", resolve=lambda rest, context: Secret("{CANARY}"))
TEXT = Scheme(name="text", syntax="text:ID", resolve=lambda rest, context: "{CANARY}")
RAISES = Scheme(name="raises", syntax="raises:ID", resolve=lambda rest, context: {{}}["{CANARY}"])
FORM = Scheme(name="form", syntax="form:ID", form="(", resolve=lambda rest, context: Secret("x"))
NOTHING = None
"""
MANIFEST = """\
apiVersion: bfaudit/v1
kind: Manifest
connections:
  - name: One
    exchange: mexc
    account: main
    strategy: one
    requires: [read]
    credentials: {key: "KEY", secret: "env:ONE_SECRET"}
"""


@pytest.fixture
def package(tmp_path):
    """An installed package, as far as the interpreter can tell."""
    folder = tmp_path / "site"
    info = folder / "others_scheme-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "others_scheme.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: others-scheme\nVersion: 1.0\n")
    lines = ["store = others_scheme:SCHEME", "env = others_scheme:SCHEME", "gone = nowhere:SCHEME"]
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n" + "\n".join(lines) + "\n")
    return folder


def _validate(package, tmp_path, key):
    manifest = tmp_path / "fleet.yaml"
    manifest.write_text(MANIFEST.replace("KEY", key))
    return subprocess.run(
        [sys.executable, "-m", "bfaudit", "validate", manifest],
        env={"PYTHONPATH": f"{ROOT}:{package}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )


def test_validating_loads_nothing_that_is_not_used(package, tmp_path):
    """A manifest of built-in schemes imports no other's code, though one of them has taken the name `env`."""
    ran = _validate(package, tmp_path, "env:ONE_KEY")

    assert (0, "") == (ran.returncode, ran.stderr)
    assert "imported" not in ran.stdout


def test_what_is_used_is_checked_by_its_own_form(package, tmp_path):
    """Where it stands, with the syntax that the package tells."""
    assert "1 connection in 1 file is valid" in _validate(package, tmp_path, "store:abc").stdout
    wrong = _validate(package, tmp_path, "store:123")

    assert wrong.returncode == 2
    assert "this is not a complete `store:` reference" in wrong.stderr
    assert "store:ID" in wrong.stderr
    assert "123" not in wrong.stderr


def test_messages_list_schemes_without_loading_them(package, tmp_path):
    """They are known by name."""
    wrong = _validate(package, tmp_path, "stor:abc")

    assert wrong.returncode == 2
    assert "store:..." in wrong.stderr
    assert "imported" not in wrong.stdout


def _schemes(monkeypatch, package, *entries):
    monkeypatch.syspath_prepend(str(package))
    points = [EntryPoint(name, f"others_scheme:{value}", GROUP) for name, value in entries]
    return Schemes({"env": SCHEMES["env"]}, lambda: points)


def _why(schemes, name):
    with pytest.raises(CredentialError) as caught:
        fetched(schemes[name], "x", ResolveContext({}))
    told = f"{caught.value!r}{caught.value.hint}"

    assert CANARY not in told
    assert name in told
    return told


def test_a_scheme_of_a_package(monkeypatch, package):
    """It gives the secret."""
    schemes = _schemes(monkeypatch, package, ("store", "SCHEME"))

    assert CANARY == fetched(schemes["store"], "x", ResolveContext({})).reveal()
    assert {"env", "store"} == set(schemes)
    assert len(schemes) == 2
    assert "nope" not in schemes


def test_a_built_in_scheme_keeps_its_name(monkeypatch, package):
    """Whoever asks for it gets ours."""
    schemes = _schemes(monkeypatch, package, ("env", "SCHEME"))

    assert schemes["env"] is SCHEMES["env"]
    assert ["env"] == [scheme.name for scheme in schemes.values()]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("gone", "MISSING", "cannot be loaded (AttributeError)"),
        ("nothing", "NOTHING", "is no `bfaudit.credentials.Scheme`"),
        ("another", "OTHER", "calls itself by another name"),
        ("form", "FORM", "is no regular expression"),
        ("text", "TEXT", "gave no secret"),
        ("raises", "RAISES", "failed with KeyError"),
    ],
)
def test_a_broken_one_says_so(monkeypatch, package, name, value, why):
    """Whenever it is used; nothing that it raises is quoted."""
    schemes = _schemes(monkeypatch, package, (name, value))

    assert isinstance(schemes[name], Scheme)
    assert why in _why(schemes, name)


def test_two_of_one_name_are_neither(monkeypatch, package):
    """Which of them would read a secret is not left to chance."""
    schemes = _schemes(monkeypatch, package, ("store", "SCHEME"), ("store", "OTHER"))

    assert "given by several packages" in _why(schemes, "store")


@pytest.mark.parametrize("name", ["Store", "a b", "", "1x", "a:b"])
def test_names_that_no_reference_can_have(monkeypatch, package, name):
    """They are no schemes."""
    assert name not in _schemes(monkeypatch, package, (name, "SCHEME"))
