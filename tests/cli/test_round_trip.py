"""The whole way of a team: init, validate, scan, check offline, baseline, and drift after a key was widened."""

from bfaudit.sandbox import Sandbox
from tests.cli.harness import bfaudit, key, redirected, scenario

ENV = "KUCOIN_GRID"


def _play(*permissions):
    return Sandbox(scenario(key(ENV, ("General", "Spot", *permissions))))


def test_from_init_to_drift(tmp_path):
    """Each command does its part on what the last one left, and every exit code is as promised."""

    def run(*arguments, **env):
        return bfaudit(*arguments, cwd=tmp_path, **env)

    begun = run(
        *["init", "--yes", "--ci", "none", "--exchange", "kucoin", "--strategy", "grid"],
        *["--server", "tokyo-1=203.0.113.10"],
    )
    assert 0 == begun.code, begun.err
    assert 0 == run("validate", "connections").code

    with _play("Futures") as box:
        scanned = run("scan", "connections", "-o", "old.json", *redirected(box), **box.environment)
    assert 0 == scanned.code, scanned.err

    checked = run("check", "old.json")
    assert 1 == checked.code
    assert "futures" in checked.out

    assert 2 == run("check", "old.json", "--baseline", "known.json").code
    made = run("baseline", "create", "old.json", "-o", "known.json")
    assert 0 == made.code, made.err
    known = run("check", "old.json", "--baseline", "known.json", "--max-unknown", "100%")
    assert 0 == known.code, known.out + known.err
    assert "the baseline has it" in known.out

    with _play("Futures", "Transfer") as box:
        again = run("scan", "connections", "-o", "new.json", *redirected(box), **box.environment)
    assert 0 == again.code, again.err

    drift = run("diff", "old.json", "new.json")
    assert 0 == drift.code
    assert "withdraw" in drift.out
    assert 1 == run("diff", "old.json", "new.json", "--fail-on-widened").code
    assert 0 == run("diff", "old.json", "old.json", "--fail-on-widened").code

    judged = run("check", "new.json", "--baseline", "known.json", "--previous", "old.json")
    assert 1 == judged.code
    assert "no-withdraw" in judged.out
    assert 4 == run("check", "old.json", "--baseline", "known.json", "--max-age", "1s").code
