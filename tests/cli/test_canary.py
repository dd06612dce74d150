"""A canary in every place that holds a secret; it may come out nowhere, however loud the run."""

import hashlib

import pytest

from bfaudit.sandbox import Fault, Sandbox
from tests.cli.harness import GOOD, bfaudit, entry, key, manifest, redirected, scenario

FORMATS = ("json", "html", "markdown", "text")


def _outputs(folder, ran):
    texts = [ran.out, ran.err]
    texts += [path.read_text("utf-8", "replace") for path in folder.rglob("*") if path.is_file()]
    return texts


def _audit(folder, played, *entries, env=None, command="audit"):
    with Sandbox(played) as box:
        path = manifest(folder, *entries)
        options = []
        for name in FORMATS[:-1]:
            options += ["--format", name, "--output", folder / f"report.{name}"]
        options += ["--format", "text", "--snapshot-out", folder / "snapshot.json", "-vv"]
        environment = {**box.environment, **(env or {})}
        return bfaudit(command, path, *redirected(box), *options, **environment), environment


@pytest.mark.parametrize(
    "kind", ["truncated", "html-200", "reset", "slow", "wrong-type", "server-error", None]
)
def test_secrets_of_the_environment(tmp_path, kind):
    """Whatever goes wrong on the way, no credential is in any output."""
    faults = (Fault(kind=kind, path="*api-key*", seconds=2),) if kind else ()
    ran, environment = _audit(
        tmp_path, scenario(key("ONE"), faults=faults), entry("KuCoin Spot One", "kucoin", "ONE")
    )

    assert ran.code in (0, 1, 4), ran.err
    for value in environment.values():
        assert not [text for text in _outputs(tmp_path, ran) if value in text]


@pytest.mark.parametrize("role", ["KEY", "SECRET", "PASSPHRASE"])
def test_a_wrong_credential(tmp_path, role):
    """A canary in place of a credential is refused by the exchange, and shown by nobody."""
    canary = "canary-in-place-of-a-credential"
    ran, _ = _audit(
        tmp_path,
        scenario(key("ONE")),
        entry("KuCoin Spot One", "kucoin", "ONE"),
        env={f"ONE_{role}": canary},
    )

    assert ran.code == 1, ran.err
    assert not [text for text in _outputs(tmp_path, ran) if canary in text]


def test_an_exchange_that_sends_the_secret_back(tmp_path):
    """A label that holds the key, the secret or the passphrase is scrubbed."""
    with Sandbox(scenario(key("ONE"))) as box:
        sent = " ".join(box.environment.values())
    ran, environment = _audit(
        tmp_path,
        scenario(key("ONE", GOOD, extra={"remark": sent})),
        entry("KuCoin Spot One", "kucoin", "ONE"),
    )

    assert ran.code == 0, ran.err + ran.out
    for value in environment.values():
        assert not [text for text in _outputs(tmp_path, ran) if value in text]
    assert "***" in (tmp_path / "report.json").read_text("utf-8")


def test_secrets_in_files(tmp_path):
    """A file reference is resolved, and neither its content nor a refusal shows it."""
    with Sandbox(scenario(key("ONE"))) as box:
        secrets = tmp_path / "keys.env"
        secrets.write_text("".join(f"{name}={value}\n" for name, value in box.environment.items()))
        text = entry("KuCoin Spot One", "kucoin", "ONE").replace("env:ONE_", "file:keys.env#ONE_")
        path = manifest(tmp_path, text)
        values = list(box.environment.values())
        secrets.chmod(0o644)
        open_file = bfaudit("audit", path, *redirected(box), "-vv")
        secrets.chmod(0o600)
        ran = bfaudit("audit", path, *redirected(box), "-vv")

    assert open_file.code == 1
    assert "keys.env" in open_file.out
    assert ran.code == 0, ran.out
    for value in values:
        assert value not in open_file.out + open_file.err + ran.out + ran.err


@pytest.mark.parametrize("command", ["validate", "audit", "scan", "plan"])
def test_a_literal_secret_in_a_manifest(tmp_path, command):
    """It is refused, and not echoed."""
    canary = f"mx0{hashlib.sha256(b'canary').hexdigest()[:32]}"
    text = entry("MEXC Spot One", "mexc", "ONE").replace("env:ONE_SECRET", canary)
    ran = bfaudit(command, manifest(tmp_path, text))

    assert ran.code == 2
    assert canary not in ran.out + ran.err
    assert "secret" in ran.err
