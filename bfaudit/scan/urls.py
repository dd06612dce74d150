"""Where requests of an exchange go: the official hosts, or where the user openly redirects them."""

import re
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from bfaudit.errors import UsageError
from bfaudit.exchanges.base import Adapter

VARIABLE = "BFAUDIT_EXCHANGE_URL_"


def overrides(
    options: Iterable[str], environ: Mapping[str, str], known: Collection[str]
) -> dict[str, str]:
    """Redirections by exchange id, from `ID=URL` options and `BFAUDIT_EXCHANGE_URL_<ID>`; options win.

    Raises UsageError for an unknown exchange, a malformed URL, and plain http beyond loopback.
    """
    found: dict[str, str] = {}
    for name, value in sorted(environ.items()):
        if name.startswith(VARIABLE) and value:
            found[_known(name.removeprefix(VARIABLE).lower(), known, name)] = _checked(value, name)
    for option in options:
        exchange, equals, url = option.partition("=")
        if not equals:
            raise UsageError(
                f"--exchange-url {option!r} is not ID=URL",
                hint="write the exchange id, an equals sign and a URL",
            )
        where = f"--exchange-url {exchange}"
        found[_known(exchange.strip().lower(), known, where)] = _checked(url.strip(), where)
    return found


def address(
    adapters: Mapping[str, Adapter], urls: Mapping[str, str], exchange: str
) -> tuple[str, bool] | None:
    """Where an exchange is asked, and whether that is a redirection; None for an exchange that nobody knows."""
    if exchange not in adapters:
        return None
    return urls.get(exchange) or adapters[exchange].url(exchange), exchange in urls


def refuse_redirections(urls: Mapping[str, str]) -> None:
    """Raises UsageError where any exchange is redirected beyond loopback."""
    for exchange, url in urls.items():
        if not _loopback(urlsplit(url).hostname or ""):
            raise UsageError(
                f"{exchange} is redirected, and the run is --untrusted",
                hint="somebody else's manifests are scanned at the official hosts only",
            )


def _known(exchange: str, known: Collection[str], where: str) -> str:
    if exchange not in known:
        raise UsageError(f"{where}: unknown exchange", hint=f"known: {', '.join(sorted(known))}")
    return exchange


def _checked(url: str, where: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise UsageError(f"{where}: not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{where}: not an http or https URL")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(f"{where}: a URL with user, query or fragment is not accepted")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise UsageError(
            f"{where}: plain http is accepted for loopback only",
            hint="signed requests must not cross a network unencrypted; use https",
        )
    return url.rstrip("/")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def redirect(urls: Any, base: str) -> Any:
    """ccxt's table of URLs with scheme, host and port replaced by `base`, and its path put in front."""
    if isinstance(urls, dict):
        return {name: redirect(value, base) for name, value in urls.items()}
    if isinstance(urls, list):
        return [redirect(value, base) for value in urls]
    return re.sub(r"^[a-z]+://[^/]+", base, urls) if isinstance(urls, str) else urls
