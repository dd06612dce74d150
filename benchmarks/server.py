"""The other side of `benchmarks/scan.py`: a fast HTTPS server on loopback that verifies every signature.

One process, one port per exchange. A key's secret, passphrase and identity are derived from the key, so the server
knows every key without being told, and its answer names the key that asked: a mix-up shows at either end.
It says where it listens in one line of JSON, and ends with its standard input.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import ipaddress
import json
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, cast

import certifi
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Identity(NamedTuple):
    """Who a key is, derived from the key alone."""

    secret: str
    passphrase: str
    label: str
    uid: str
    created_ms: int

    @property
    def created(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.created_ms)


def identity(key: str) -> Identity:
    secret = hashlib.sha256(key.encode()).hexdigest()
    told = hashlib.sha256(secret.encode()).hexdigest()
    number = int(told[:12], 16)
    # Whole seconds, because an exchange or two tells no more: three years of them.
    return Identity(
        secret,
        told[:16],
        f"key {told[-16:]}",
        str(number),
        1_600_000_000_000 + number % 94_000_000 * 1000,
    )


class Request(NamedTuple):
    """One request: its target as it came, and its headers with lower-case names."""

    target: str
    path: str
    query: str
    headers: Mapping[str, str]


def in_hex(secret: str, message: str) -> str:
    return hmac.digest(secret.encode(), message.encode(), "sha256").hex()


def in_base64(secret: str, message: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), message.encode(), "sha256")).decode()


def _query_signed(request: Request, who: Identity) -> bool:
    """MEXC, Binance: the signature ends the query and covers what is before it."""
    signed, _, signature = request.query.rpartition("&signature=")
    return "timestamp=" in signed and hmac.compare_digest(in_hex(who.secret, signed), signature)


def _mexc_signed(request: Request, who: Identity) -> bool:
    """The record of a key is asked for by name: another key's name is a mix-up."""
    key = request.headers["x-mexc-apikey"]
    named = request.path != "/api/v3/apiKeyInfo" or f"accessKey={key}&" in request.query
    return named and _query_signed(request, who)


def _kucoin_signed(request: Request, who: Identity) -> bool:
    given = request.headers
    message = f"{given['kc-api-timestamp']}GET{request.target}"
    return (
        hmac.compare_digest(in_base64(who.secret, message), given["kc-api-sign"])
        and hmac.compare_digest(in_base64(who.secret, who.passphrase), given["kc-api-passphrase"])
        and given["kc-api-key-version"] == "2"
    )


def _okx_signed(request: Request, who: Identity) -> bool:
    given = request.headers
    message = f"{given['ok-access-timestamp']}GET{request.target}"
    return (
        hmac.compare_digest(in_base64(who.secret, message), given["ok-access-sign"])
        and given["ok-access-passphrase"] == who.passphrase
    )


def _bybit_signed(request: Request, who: Identity) -> bool:
    given = request.headers
    stamp, window = given["x-bapi-timestamp"], given["x-bapi-recv-window"]
    message = f"{stamp}{given['x-bapi-api-key']}{window}{request.query}"
    return hmac.compare_digest(in_hex(who.secret, message), given["x-bapi-sign"])


def _text(body: object) -> str:
    return json.dumps(body, separators=(",", ":"))


_BINANCE_RIGHTS = (
    *("enableReading", "enableWithdrawals", "enableInternalTransfer", "enableMargin"),
    *("enableFutures", "permitsUniversalTransfer", "enableVanillaOptions", "enableFixApiTrade"),
    *("enableFixReadOnly", "enableSpotAndMarginTrading", "enablePortfolioMarginTrading"),
)
_MEXC_INFO = _text({
    "note": "<label>", "apiKey": "<key>", "createTime": "<created>",
    "permissions": "SPOT_ACCOUNT_READ,SPOT_DEAL_READ,SPOT_DEAL_WRITE",
    "remainingValidity": 82, "ipWhiteList": "203.0.113.10,203.0.113.11", "status": "VALID",
})  # fmt: skip
_KUCOIN_INFO = _text({
    "code": "200000",
    "data": {
        "remark": "<label>", "apiKey": "<key>", "apiVersion": 3, "permission": "General,Spot",
        "ipWhitelist": "203.0.113.10", "createdAt": "<created>", "uid": "<uid>", "isMaster": True,
    },
})  # fmt: skip
_BINANCE_INFO = _text({
    "ipRestrict": True, "createTime": "<created>",
    **{name: name in ("enableReading", "enableSpotAndMarginTrading") for name in _BINANCE_RIGHTS},
})  # fmt: skip
_OKX_INFO = _text({
    "code": "0",
    "data": [{
        "acctLv": "2", "acctStpMode": "cancel_maker", "autoLoan": False, "ctIsoMode": "automatic",
        "enableSpotBorrow": False, "feeType": "0", "greeksType": "PA", "ip": "203.0.113.10",
        "kycLv": "3", "label": "<label>", "level": "Lv1", "levelTmp": "", "liquidationGear": "-1",
        "mainUid": "<uid>", "mgnIsoMode": "automatic", "opAuth": "0", "perm": "read_only,trade",
        "posMode": "net_mode", "roleType": "0", "settleCcy": "USDT", "settleCcyList": ["USD", "USDC"],
        "spotBorrowAutoRepay": False, "spotOffsetType": "", "spotRoleType": "0", "spotTraderInsts": [],
        "stgyType": "0", "traderInsts": [], "type": "0", "uid": "<uid>",
    }],
    "msg": "",
})  # fmt: skip
_BYBIT_INFO = _text({
    "retCode": 0, "retMsg": "",
    "result": {
        "id": "13770661", "note": "<label>", "apiKey": "<key>", "readOnly": 0, "secret": "",
        "permissions": {
            "ContractTrade": [], "Spot": ["SpotTrade"], "Wallet": [], "Options": [], "Derivatives": [],
            "CopyTrading": [], "BlockTrade": [], "Exchange": [], "NFT": [], "Affiliate": [], "Earn": [],
        },
        "ips": ["203.0.113.10"], "type": 1, "deadlineDay": 83, "expiredAt": "2099-05-15T03:21:05Z",
        "createdAt": "<moment>", "unified": 0, "uta": 1, "userID": "<uid>", "inviterID": 0,
        "vipLevel": "No VIP", "mktMakerLevel": "0", "affiliateID": 0, "rsaPublicKey": "",
        "isMaster": True, "parentUid": "0", "kycLevel": "LEVEL_DEFAULT", "kycRegion": "",
    },
    "retExtInfo": {}, "time": 1676891757649,
})  # fmt: skip


def _filled(template: str, *numbers: str) -> Callable[[str, Identity], str]:
    """A template with the key's own values in place of `<name>`; `numbers` lose their quotes."""
    text = template.replace("{", "{{").replace("}", "}}")
    for name in numbers:
        text = text.replace(f'"<{name}>"', f"{{{name}}}")
    for name in ("label", "key", "uid", "created", "moment"):
        text = text.replace(f"<{name}>", f"{{{name}}}")

    def fill(key: str, who: Identity) -> str:
        moment = who.created.strftime("%Y-%m-%dT%H:%M:%SZ") if "{moment}" in text else ""
        return text.format(
            label=who.label, key=key, uid=who.uid, created=who.created_ms, moment=moment
        )

    return fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One exchange as far as a scan sees it. A new one is one more of these."""

    key_header: str
    signed: Callable[[Request, Identity], bool]
    answers: Mapping[str, Callable[[str, Identity], str]]
    """The signed reads, by path."""
    time: tuple[str, str]
    """The path of the public time, and its answer with `<now>` in it."""
    refusal: str
    """What a bad signature is answered."""


SITES: Mapping[str, Site] = {
    "mexc": Site(
        key_header="x-mexc-apikey",
        signed=_mexc_signed,
        answers={
            "/api/v3/apiKeyInfo": _filled(_MEXC_INFO, "created"),
            "/api/v3/uid": _filled(_text({"uid": "<uid>"})),
        },
        time=("/api/v3/time", '{"serverTime":<now>}'),
        refusal='{"code":700002,"msg":"Signature for this request is not valid."}',
    ),
    "kucoin": Site(
        key_header="kc-api-key",
        signed=_kucoin_signed,
        answers={"/api/v1/user/api-key": _filled(_KUCOIN_INFO, "created", "uid")},
        time=("/api/v1/timestamp", '{"code":"200000","msg":"success","data":<now>}'),
        refusal='{"code":"400005","msg":"Invalid KC-API-SIGN"}',
    ),
    "binance": Site(
        key_header="x-mbx-apikey",
        signed=_query_signed,
        answers={"/sapi/v1/account/apiRestrictions": _filled(_BINANCE_INFO, "created")},
        time=("/api/v3/time", '{"serverTime":<now>}'),
        refusal='{"code":-1022,"msg":"Signature for this request is not valid."}',
    ),
    "okx": Site(
        key_header="ok-access-key",
        signed=_okx_signed,
        answers={"/api/v5/account/config": _filled(_OKX_INFO)},
        time=("/api/v5/public/time", '{"code":"0","data":[{"ts":"<now>"}],"msg":""}'),
        refusal='{"code":"50113","msg":"Invalid Sign"}',
    ),
    "bybit": Site(
        key_header="x-bapi-api-key",
        signed=_bybit_signed,
        answers={"/v5/user/query-api": _filled(_BYBIT_INFO, "uid")},
        time=("/v5/market/time", '{"retCode":0,"retMsg":"OK","result":{},"retExtInfo":{},"time":<now>}'),
        refusal='{"retCode":10004,"retMsg":"Error sign, please check your signature generation algorithm."}',
    ),
}  # fmt: skip

STATS = "/benchmark/stats"
"""Tells what was counted since it was last asked for."""


@dataclass
class Counted:
    """What one exchange saw since it was last asked."""

    signed: int = 0
    bad: int = 0
    unknown: int = 0
    times: int = 0
    connections: int = 0
    keys: set[str] = field(default_factory=set)
    cpu: float = field(default_factory=time.process_time)

    def told(self) -> str:
        spent = time.process_time() - self.cpu
        return _text({**vars(self), "keys": len(self.keys), "cpu": spent})


class Port:
    """The listening side of one exchange: answers, latency and counters."""

    def __init__(self, site: Site, latency: float) -> None:
        self.site = site
        self.latency = latency
        self.counted = Counted()

    def answer(self, request: Request) -> tuple[int, str]:
        if (told := self._signed(request)) is not None:
            return told
        path, text = self.site.time
        if request.path == path:
            self.counted.times += 1
            return 200, text.replace("<now>", str(time.time_ns() // 1_000_000))
        if request.path == STATS:
            counted, self.counted = self.counted, Counted()
            return 200, counted.told()
        self.counted.unknown += 1
        return 404, '{"code":404,"msg":"no such path"}'

    def _signed(self, request: Request) -> tuple[int, str] | None:
        site, counted = self.site, self.counted
        answer = site.answers.get(request.path)
        if answer is None:
            return None
        key = request.headers.get(site.key_header, "")
        who = identity(key)
        try:
            right = site.signed(request, who)
        except KeyError:
            right = False
        if not right:
            counted.bad += 1
            return 401, site.refusal
        counted.signed += 1
        counted.keys.add(key)
        return 200, answer(key, who)


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, for requests without a body: all that reads need."""

    transport: asyncio.Transport

    def __init__(self, port: Port, loop: asyncio.AbstractEventLoop) -> None:
        self.port = port
        self.loop = loop
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.port.counted.connections += 1

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            request = parse(data[:end].decode("latin-1"))
            status, text = self.port.answer(request)
            body = text.encode()
            reply = b"HTTP/1.1 %d %s\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n\r\n%s" % (
                status, b"OK" if status == 200 else b"No", len(body), body)  # fmt: skip
            if self.port.latency and request.path != STATS:
                self.loop.call_later(self.port.latency, self.reply, reply)
            else:
                self.transport.write(reply)
            data = data[end + 4 :]
        self.rest = data

    def reply(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)


def parse(head: str) -> Request:
    first, *lines = head.split("\r\n")
    target = first.split(" ", 2)[1]
    path, _, query = target.partition("?")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(target, path, query, headers)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed P-256 certificate for 127.0.0.1 with its key, and a bundle of certifi's authorities and itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bfaudit benchmark")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain, bundle = folder / "server.pem", folder / "bundle.pem"
    chain.touch(mode=0o600)
    chain.write_bytes(private + pem)
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + pem)
    return chain, bundle


async def serve(latency: float) -> None:
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory(prefix="bfaudit-benchmark-") as folder:
        chain, bundle = certificate(Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        servers, urls = [], {}
        for exchange, site in SITES.items():
            port = Port(site, latency)
            server = await loop.create_server(
                lambda port=port: Connection(port, loop),
                "127.0.0.1", 0, ssl=context, backlog=2048,
            )  # fmt: skip
            servers.append(server)
            urls[exchange] = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        print(json.dumps({"urls": urls, "ca": str(bundle)}), flush=True)
        await loop.run_in_executor(None, sys.stdin.read)
        for server in servers:
            server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    uvloop.run(serve(parser.parse_args().latency))


if __name__ == "__main__":
    main()
