"""Audits made by hand: one per thing that a report must be able to say."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from bfaudit.facts import FACTS
from bfaudit.model import (
    Attestation,
    Audit,
    Connection,
    ExchangeScanned,
    Fact,
    Facts,
    Grant,
    Judgement,
    Observation,
    Outcome,
    Place,
    Reason,
    Rejected,
    RequestMade,
    Result,
    Rule,
    Scanned,
    Severity,
    Snapshot,
    Status,
)

SCANNED = datetime(2026, 11, 20, 10, 2, 3, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
FILE = "connections/fleet.yaml"
KEY_INFO = {"mexc": "GET /api/v3/account", "kucoin": "GET /api/v1/user/api-key"}
UNTOLD = {
    "key.last_used_at": "the exchange does not report it",
    "key.expires_at": "the exchange does not report it",
}

MANIFEST = """\
apiVersion: bfaudit/v1
kind: Manifest
connections:
  - name: MEXC Spot Main
    exchange: mexc
    requires: [read, trade]
    servers: [203.0.113.10]
  - name: KuCoin Futures Conservative
    exchange: kucoin
    requires: [read, futures]
    servers: [203.0.113.10, 203.0.113.11]
  - name: Recovery PRO Connection
    exchange: mexc
    requires: [read, trade]
    servers: [203.0.113.10]
  - name: BTC ETH New Groups
    exchange: mexc
    requires: [read, trade]
    servers: []
"""


def rule(id_: str, severity: Severity, title: str, require: str, **more: object) -> Rule:
    fields = {
        "policy": "baseline",
        "message": title,
        "rationale": f"Why {id_} matters, in one sentence that an auditor can follow.",
        "remediation": {"text": "Create the key again, without what it does not need."},
        "references": ("https://example.org/guide",),
        "controls": {"owasp-nhi-2025": ("NHI5",), "nist-800-53-r5": ("AC-6", "CM-7")},
        "place": Place("policies/baseline.yaml", 7, 5),
        **more,
    }
    return Rule(id=id_, severity=severity, title=title, require=require, **fields)


WITHDRAW = rule(
    "no-withdraw",
    Severity.CRITICAL,
    "Key may withdraw funds",
    "!key.can.withdraw",
    rationale="A stolen key that may withdraw empties the account in one request.",
    remediation={
        "text": "Create the key again without the withdrawal permission.",
        "mexc": "Open API Management, edit the key, untick Withdraw, save with 2FA, scan again.",
    },
)
ONLINE = rule(
    "online",
    Severity.HIGH,
    "Connection does not work",
    'connection.status == "Online"',
    remediation={"text": "Correct what the status names, then scan again."},
)
BOUND = rule(
    "ip-restricted",
    Severity.HIGH,
    "Key works from any address",
    "network.ip_restricted",
    remediation={"text": "Add the servers' addresses to the key's IP whitelist."},
)
ROTATED = rule(
    "key-age", Severity.MEDIUM, "Key is older than a year", "now - key.created < duration('8760h')"
)
USED = rule(
    "key-in-use",
    Severity.LOW,
    "Key has not been used for 90 days",
    "now - key.last_used < days(90)",
)
NAMED = rule(
    "label-matches", Severity.INFO, "Key is not named as declared", "key.label == connection.name"
)
RULES = (WITHDRAW, ONLINE, BOUND, ROTATED, USED, NAMED)


def scanned(
    name: str,
    exchange: str = "mexc",
    *,
    grants: str = "read trade",
    status: Status = Status.ONLINE,
    reason: Reason | None = None,
    line: int = 4,
    label: str | None = None,
    age: int = 120,
    addresses: tuple[str, ...] | None = ("203.0.113.10",),
    requires: tuple[str, ...] = ("read", "trade"),
    others: tuple[str, ...] = (),
    **more: object,
) -> Scanned:
    connection = Connection(
        name=name,
        exchange=exchange,
        account="main",
        strategy=name.lower().replace(" ", "-")[:40],
        requires=requires,
        servers=("203.0.113.10",),
        owner="trading-desk",
        attestations={"two_factor": Attestation("alice", date(2026, 11, 1), date(2027, 5, 1))},
        created=date(2026, 7, 1),
        place=Place(FILE, line, 5),
        places={
            "requires": Place(FILE, line + 2, 15),
            "servers": Place(FILE, line + 3, 14),
            "exchange": Place(FILE, line + 1, 15),
        },
    )
    request = KEY_INFO.get(exchange, "GET /key")
    known = {
        f"permissions.{word}": Fact(
            Grant.GRANTED if word in grants.split() else Grant.DENIED, request=request
        )
        for word in ("read", "trade", "futures", "transfer", "withdraw")
    }
    known |= {f"permissions.other:{name}": Fact(Grant.GRANTED, request=request) for name in others}
    known |= {
        "network.ip_restricted": Fact(addresses is not None, request=request),
        "network.ip_allowlist": Fact(addresses or (), request=request),
        "key.label": Fact(label or name, request=request),
        "key.created_at": Fact(
            SCANNED - timedelta(days=age), request=request, limitation="to the day"
        ),
    }
    online = status is Status.ONLINE
    unknown = {
        path: UNTOLD.get(path, f"{exchange} does not tell it" if online else f"the key is {status}")
        for path in FACTS
        if not path.startswith("test.") and not (online and path in known)
    }
    ending = reason.value if reason else "ok"
    fields = {
        "detail": "" if online else f"code 10072: {status.value}, as the exchange says",
        "advice": "" if online else "Copy the values again, or create a new key.",
        "fingerprint": sha256(name.encode(errors="replace")).hexdigest()[:16],
        "schemes": {"key": "env", "secret": "env"},
        "requests": (RequestMade(request, SCANNED, 84, 200 if online else 400, ending),),
        **more,
    }
    return Scanned(
        connection=connection,
        status=status,
        reason=reason,
        scanned_at=SCANNED,
        facts=Facts(known if online else {}, unknown),
        **fields,
    )


def result(
    judged: Rule,
    on: Scanned,
    outcome: Outcome,
    *seen: Observation,
    at: str = "",
    exception: str | None = None,
    **more: str,
) -> Result:
    name = on.connection.name
    return Result(
        rule=judged,
        connection=name,
        judgement=Judgement(
            outcome,
            more.get("message", judged.message),
            more.get("expected", judged.require),
            seen,
        ),
        place=on.connection.places.get(at, on.connection.place),
        exception=exception,
        identity=sha256(f"{judged.id}\0{name}".encode(errors="replace")).hexdigest()[:32],
    )


def saw(field: str, value: object, on: Scanned, limitation: str | None = None) -> Observation:
    request = KEY_INFO.get(on.connection.exchange, "GET /key")
    return Observation(field, value, None, "introspection", request, limitation)


def missing(field: str, why: str) -> Observation:
    return Observation(field, unknown=why)


def audit(connections: tuple[Scanned, ...], results: list[Result], **more: object) -> Audit:
    used = {scan.connection.exchange for scan in connections}
    fields = {
        "exchanges": tuple(
            ExchangeScanned(
                id=exchange,
                url=f"https://api.{exchange}.com",
                clock_offset_ms=-12,
                requests=4,
            )
            for exchange in sorted(used)
        ),
        **more,
    }
    return Audit(
        snapshot=Snapshot(generated_at=SCANNED, connections=connections, version="0.1.0", **fields),
        generated_at=NOW,
        results=tuple(
            sorted(results, key=lambda each: (-each.rule.severity, each.rule.id, each.connection))
        ),
        rules=RULES,
        policies=("baseline",),
    )


def healthy() -> Audit:
    """Every rule applies and passes."""
    scans = (
        scanned("MEXC Spot Main"),
        scanned("KuCoin Futures Conservative", "kucoin", grants="read futures", line=8,
                requires=("read", "futures"), addresses=("203.0.113.10", "203.0.113.11")),
    )  # fmt: skip
    return audit(
        scans,
        [
            result(each, scan, Outcome.PASS, saw("key.can.withdraw", False, scan))
            for each in RULES
            for scan in scans
        ],
    )


def failing() -> Audit:
    """Findings of every severity, alike ones, an exception, unknowns, an error, every status."""
    main = scanned("MEXC Spot Main", grants="read trade withdraw", age=400)
    kucoin = scanned(
        "KuCoin Futures Conservative", "kucoin", grants="read futures", line=8, addresses=None,
        requires=("read", "futures"), others=("earn",), label="futures key",
    )  # fmt: skip
    recovery = scanned("Recovery PRO Connection", line=12, grants="read trade withdraw", age=30)
    groups = scanned(
        "BTC ETH New Groups", line=16, status=Status.INVALID_KEY, reason=Reason.UNKNOWN_KEY
    )
    down = scanned(
        "KuCoin Spot Backup",
        "kucoin",
        line=20,
        status=Status.EXCHANGE_UNAVAILABLE,
        reason=Reason.TIMEOUT,
    )
    results = []
    for scan in (main, recovery):
        results += [
            result(WITHDRAW, scan, Outcome.FAIL, saw("key.can.withdraw", True, scan), at="requires"),
            result(ONLINE, scan, Outcome.PASS, saw("connection.status", "Online", scan)),
            result(BOUND, scan, Outcome.PASS, saw("network.ip_restricted", True, scan)),
            result(NAMED, scan, Outcome.PASS, saw("key.label", scan.connection.name, scan)),
            result(USED, scan, Outcome.UNKNOWN,
                   missing("key.last_used", "the exchange does not report it")),
        ]  # fmt: skip
    created = saw("key.created", SCANNED - timedelta(days=400), main, "to the day")
    results += [
        result(ROTATED, main, Outcome.FAIL, created, exception="EXC-2026-004, until 2026-12-31"),
        result(ROTATED, recovery, Outcome.PASS, saw("key.created", SCANNED, recovery)),
        result(WITHDRAW, kucoin, Outcome.PASS, saw("key.can.withdraw", False, kucoin)),
        result(ONLINE, kucoin, Outcome.PASS, saw("connection.status", "Online", kucoin)),
        result(BOUND, kucoin, Outcome.FAIL, saw("network.ip_restricted", False, kucoin),
               saw("network.allowlist", (), kucoin), at="servers"),
        result(ROTATED, kucoin, Outcome.FAIL, created),
        result(USED, kucoin, Outcome.FAIL, saw("key.last_used", None, kucoin)),
        result(NAMED, kucoin, Outcome.FAIL, saw("key.label", "futures key", kucoin)),
    ]  # fmt: skip
    for scan in (groups, down):
        why = f"the key is {scan.status}: {scan.reason}"
        results += [
            result(WITHDRAW, scan, Outcome.UNKNOWN, missing("key.can.withdraw", why)),
            result(ONLINE, scan, Outcome.FAIL, saw("connection.status", scan.status.value, scan),
                   at="exchange"),
            result(BOUND, scan, Outcome.UNKNOWN, missing("network.ip_restricted", why)),
            result(ROTATED, scan, Outcome.NOT_APPLICABLE),
            result(USED, scan, Outcome.NOT_APPLICABLE),
            result(NAMED, scan, Outcome.ERROR, missing("key.label", why),
                   message="The rule could not be evaluated: no such overload"),
        ]  # fmt: skip
    return audit((main, kucoin, recovery, groups, down), results)


HOSTILE = (
    "<script>alert(1)</script>",
    "](javascript:alert(1))",
    "a|b\n# heading\n| c |",
    "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link",
    "\u202etxt.exe\u2066 \u200bzero",
    "nul\0byte \ud800 lone",
    "@everyone `code` **bold** https://evil.example www.evil.example #1 ![x](http://evil.example/x)",
    '" onmouseover="alert(1)" x="',
    "'; alert(1); //</style></script><!--",
    "long-" + "x" * 5000,
)


def hostile() -> Audit:
    """Every text that an exchange or a manifest can choose tries to break out."""
    scans = tuple(
        scanned(text, text[:60], label=text, line=index + 4, addresses=(text,), others=(text[:60],),
                detail=text, advice=text, grants="read trade withdraw", fingerprint=text[:16])
        for index, text in enumerate(HOSTILE)
    )  # fmt: skip
    results = [
        result(WITHDRAW, scan, Outcome.FAIL, saw("key.label", scan.connection.name, scan))
        for scan in scans
    ] + [
        result(USED, scan, Outcome.UNKNOWN, missing("key.last_used", scan.connection.name),
               exception=None)
        for scan in scans
    ]  # fmt: skip
    rejected = tuple(Rejected(text, Place(text, 1, 1), text) for text in HOSTILE)
    return audit(scans, results, rejected=rejected)


def unanswered() -> Audit:
    """Nothing failed, most is unknown."""
    scans = tuple(scanned(f"Coinbase {word}", "coinbase", line=4) for word in ("Spot", "Vault"))
    results = [
        result(each, scan, Outcome.UNKNOWN, missing(field, f"Coinbase does not tell {field}"))
        for scan in scans
        for each, field in ((BOUND, "network.ip_restricted"), (USED, "key.last_used"))
    ] + [result(ONLINE, scan, Outcome.PASS) for scan in scans]
    return audit(scans, results)


def redirected() -> Audit:
    """A scan against a sandbox, stopped half-way, with a connection left out."""
    scans = (scanned("MEXC Spot Main"),)
    exchange = ExchangeScanned(id="mexc", url="http://127.0.0.1:8080", redirected=True, requests=2)
    return audit(
        scans,
        [result(WITHDRAW, scans[0], Outcome.PASS, saw("key.can.withdraw", False, scans[0]))],
        exchanges=(exchange,),
        rejected=(Rejected("Old Bot", Place(FILE, 30, 5), "unknown exchange `mexx`"),),
        interrupted=True,
    )


def empty() -> Audit:
    """No rule applied to anything."""
    return audit((), [])


SAMPLES = {
    made.__name__: made for made in (healthy, failing, hostile, unanswered, redirected, empty)
}
