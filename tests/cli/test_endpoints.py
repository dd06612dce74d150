"""A redirected exchange is a finding of the strict policy, the genuine client is none, a look-alike beside it is one."""

from bfaudit.sandbox import Sandbox
from tests.cli.harness import ROOT, bfaudit, entry, key, manifest, redirected, scenario


def test_where_a_scan_asked_and_what_signed(tmp_path):
    """Through the whole command: the sandbox is no official host, ccxt is the pinned one."""
    fleet = manifest(tmp_path, entry("KuCoin Spot One", "kucoin", "ONE"))
    with Sandbox(scenario(key("ONE"))) as box:
        ran = bfaudit(
            "audit",
            fleet,
            "--policy",
            "strict",
            "--format",
            "json",
            *redirected(box),
            **box.environment,
        )
    found = {one["rule"]: one for one in ran.json["results"]}

    assert "fail" == found["official-endpoint"]["outcome"]
    assert "127.0.0.1" in found["official-endpoint"]["message"]
    assert "pass" == found["client-is-genuine"]["outcome"]


def test_a_look_alike_beside_us_is_a_finding(tmp_path):
    """Its folder on Python's path is enough; it need not be imported."""
    fleet = manifest(tmp_path, entry("KuCoin Spot One", "kucoin", "ONE"))
    (tmp_path / "ccxt_mexc_futures-0.1.8.dist-info").mkdir()
    with Sandbox(scenario(key("ONE"))) as box:
        environ = {**box.environment, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
        ran = bfaudit(
            "audit", fleet, "--policy", "strict", "--format", "json", *redirected(box), **environ
        )
    found = {one["rule"]: one for one in ran.json["results"]}

    assert "fail" == found["client-is-genuine"]["outcome"]
    assert "ccxt-mexc-futures 0.1.8" in found["client-is-genuine"]["message"]
