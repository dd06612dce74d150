"""Redirections: openly, and to nothing that would send a signed request in the clear."""

import pytest

from bfaudit.errors import UsageError
from bfaudit.sandbox import Sandbox
from bfaudit.scan.urls import overrides, redirect
from tests.scan.fleet import connection, scan_fleet, scenario

KNOWN = ("mexc", "kucoin")


@pytest.mark.parametrize(
    "option",
    [
        "mexc",
        "mexc=",
        "mexc=ftp://127.0.0.1",
        "mexc=http://example.com",
        "mexc=http://10.0.0.1:80/x",
        "mexc=http://localhost.example.com",
        "mexc=https://user:pass@example.com",
        "mexc=https://example.com/?a=b",
        "mexc=http://127.0.0.1:notaport",
        "mexico=https://example.com",
    ],
)
def test_refused(option):
    """Anything but https, or http to loopback, is a usage error."""
    with pytest.raises(UsageError):
        overrides([option], {}, KNOWN)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/mexc/",
        "http://localhost:1",
        "http://[::1]:9",
        "https://proxy.example.com/x",
    ],
)
def test_accepted(url):
    """https anywhere, http on loopback."""
    assert {"mexc": url.rstrip("/")} == overrides([f"mexc={url}"], {}, KNOWN)


def test_the_environment_counts_and_options_win():
    """BFAUDIT_EXCHANGE_URL_<ID> is the same option."""
    environ = {"BFAUDIT_EXCHANGE_URL_MEXC": "https://a.example", "OTHER": "x"}

    assert {"mexc": "https://a.example"} == overrides([], environ, KNOWN)
    assert {"mexc": "https://b.example"} == overrides(["mexc=https://b.example"], environ, KNOWN)


def test_every_url_moves_and_keeps_its_path():
    """Scheme, host and port are replaced, the path is put behind the new one."""
    urls = {"a": "https://api.x.com", "b": {"c": "https://{hostname}/v1"}, "d": [None]}

    assert {"a": "http://h/p", "b": {"c": "http://h/p/v1"}, "d": [None]} == redirect(
        urls, "http://h/p"
    )


def test_a_redirected_exchange_is_named():
    """A report always says that an exchange was not the real one."""
    played = scenario("mexc", {"permissions": ("SPOT_ACCOUNT_READ",)})
    seen = scan_fleet(played, [connection("mexc")])
    (exchange,) = seen.snapshot.exchanges

    assert exchange.redirected
    assert exchange.url.startswith("http://127.0.0.1")
    assert exchange.requests == len(seen.requests)


def test_a_stopped_sandbox_is_unreachable():
    """Nobody listening is `unreachable`, for that exchange's keys."""
    played = scenario("mexc", {"permissions": ("SPOT_ACCOUNT_READ",)})
    with Sandbox(played) as box:
        url = box.urls["mexc"]
    seen = scan_fleet(played, [connection("mexc")], urls={"mexc": url})

    assert "unreachable" == seen.one.reason
