"""Manifests for the tests, and secrets made at run time."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable

from bfaudit.credentials import SCHEMES
from bfaudit.manifest import Known, LoadedManifests, assemble

PAIR = ("key", "secret")
KNOWN = Known({"mexc": PAIR, "kucoin": (*PAIR, "passphrase"), "binance": PAIR}, SCHEMES)

CREDENTIALS = "credentials: {key: env:A, secret: env:B}"


def manifest(*connections: str, top: str = "") -> str:
    """A manifest of connections, each given as the lines of its fields."""
    head = f"apiVersion: bfaudit/v1\nkind: Manifest\n{top}"
    if not connections:
        return f"{head}connections: []\n"
    items = ("\n    ".join(connection.strip().splitlines()) for connection in connections)
    return f"{head}connections:\n" + "".join(f"  - {item}\n" for item in items)


def connection(*more: str, name: str = "A") -> str:
    """The lines of a valid connection, and more of them."""
    return "\n".join([f"name: {name}", "exchange: mexc", CREDENTIALS, *more])


def load(*texts: str | bytes) -> LoadedManifests:
    """Manifests as if read from a.yaml, b.yaml, ..."""
    return assemble([(f"{chr(97 + n)}.yaml", text) for n, text in enumerate(texts)], KNOWN)


def told(loaded: LoadedManifests) -> Iterable[str]:
    """Every problem as its place and message."""
    return [str(problem) for problem in loaded.problems]


def _digest(seed: str) -> bytes:
    return hashlib.sha512(seed.encode()).digest()


def canaries() -> dict[str, str]:
    """Secrets of every shape that exchanges hand out; different from any real one, the same in every run."""
    hexes = _digest("canary").hex()
    base = b64encode(_digest("base")).decode()
    alnum = "".join(c for c in base * 2 if c.isalnum())
    begin = "-----BEGIN {}PRIVATE KEY-----"
    return {
        "32 hex": hexes[:32],
        "32 HEX": hexes[:32].upper(),
        "24 hex": hexes[:24],
        "64 hex": hexes[:64],
        "64 letters and digits": alnum[:64],
        "18 letters and digits": "Ab1cD2eF3gH4iJ5kL6",
        "prefixed": "mx0" + hexes[:19],
        "base64": base,
        "dashed": "-".join([hexes[:8], hexes[8:16], hexes[16:24], hexes[24:29]]),
        "pem": begin.format("EC "),
        "pkcs8": begin.format(""),
    }
