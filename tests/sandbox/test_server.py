"""The sandbox as a server: start, stop, TLS, limits, the fleet of the examples."""

import asyncio
import datetime as dt
import ipaddress
import json
import ssl
import time
from dataclasses import replace
from pathlib import Path

import aiohttp
import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bfaudit.cli import sandbox as cli
from bfaudit.errors import InvalidInput, UsageError
from bfaudit.sandbox import Account, Key, Limits, Sandbox, Scenario, load_scenario
from bfaudit.sandbox.book import Book
from bfaudit.sandbox.call import Call, Refused
from bfaudit.sandbox.crypto import jwt_parts, jwt_verifies, private_key, verifies
from bfaudit.sandbox.exchanges import sites
from bfaudit.sandbox.limits import Limiter
from bfaudit.sandbox.load import scenario_schema
from bfaudit.sandbox.site import Quota

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "backfuture.scenario.yaml"


def _get(url, *, times=1, ssl_context=None, headers=None):
    async def run():
        async with aiohttp.ClientSession() as session:
            statuses = []
            for _ in range(times):
                async with session.get(url, ssl=ssl_context or True, headers=headers) as response:
                    statuses.append((response.status, await response.text()))
            return statuses

    return asyncio.run(run())


def test_prefixes():
    """Each exchange is under its id; anything else is not found."""
    with Sandbox(Scenario()) as box:
        assert {exchange: f"{box.url}/{exchange}" for exchange in sites()} == box.urls
        assert _get(f"{box.urls['mexc']}/api/v3/ping")[0][0] == 200
        assert _get(f"{box.urls['mexc']}/api/v3/nothing")[0][0] == 404
        assert _get(f"{box.urls['kucoin']}/api/v3/nothing")[0][0] == 404
        assert _get(f"{box.urls['binance']}/api/v3/nothing")[0][0] == 404
        assert _get(f"{box.url}/nobody/api")[0][0] == 404


def test_an_address_that_is_none_is_a_bad_request():
    """The header that sets the caller's address wants an address."""
    with Sandbox(Scenario()) as box:
        url = f"{box.urls['kucoin']}/api/ua/v1/user/my-ip"

        assert _get(url, headers={"X-Sandbox-From": "here"})[0][0] == 400
        assert (
            json.loads(_get(url, headers={"X-Sandbox-From": "192.0.2.1"})[0][1])["data"]
            == "192.0.2.1"
        )


def test_a_taken_port_is_a_usage_error():
    """Two sandboxes cannot have one port."""
    with (
        Sandbox(Scenario()) as box,
        pytest.raises(UsageError, match="cannot be used"),
        Sandbox(Scenario(), int(box.url.rpartition(":")[2])),
    ):
        pass


def test_stopping_does_not_wait_for_slow_answers():
    """A request under way does not hold up the end of the block."""
    scenario = load_scenario(
        "kind: Scenario\nfaults:\n  - {kind: slow, seconds: 60, exchange: mexc}\n"
    )

    async def impatient(url):
        async with aiohttp.ClientSession() as session:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.get(url), 0.2)

    started = time.monotonic()
    with Sandbox(scenario) as box:
        asyncio.run(impatient(f"{box.urls['mexc']}/api/v3/ping"))

    assert time.monotonic() - started < 10


def test_latency():
    """Every answer is delayed by the latency."""
    with Sandbox(Scenario(), latency=0.1) as box:
        started = time.monotonic()
        _get(f"{box.urls['mexc']}/api/v3/ping", times=2)

        assert time.monotonic() - started >= 0.2


def test_tls(tmp_path):
    """With a context of its own it speaks TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sandbox")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "both.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cadata=certificate.public_bytes(Encoding.PEM).decode())
    with Sandbox(Scenario(), ssl_context=server) as box:
        assert box.url.startswith("https://127.0.0.1:")
        assert _get(f"{box.urls['mexc']}/api/v3/ping", ssl_context=client)[0][0] == 200


class _Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_windows_slide_exactly():
    """Weight is free again when it is `seconds` old, not at the turn of a minute."""
    clock = _Clock()
    site = replace(sites()["mexc"], quotas=(Quota(10, 60, "ip"),))
    limiter = Limiter(site, clock)

    class Asked:
        address = "192.0.2.1"

    waits = []
    for now in (0.0, 30.0, 59.0, 60.0, 61.0):
        clock.now = now
        try:
            limiter.spend(Asked, "default", 5)
            waits.append(None)
        except Refused as refused:
            waits.append(refused.answer.headers["Retry-After"])

    assert waits == [None, None, "1", None, "29"]


def test_enforced_limits_answer_429(ask, one_key):
    """Past the documented limit the exchange answers 429 and says when to come back."""
    other = {"limits": Limits(enforce=True)}
    with Sandbox(one_key("kucoin", permissions=("General",), other=other)) as box:
        url = f"{box.urls['kucoin']}/api/ua/v1/user/my-ip"
        statuses = [status for status, _ in _get(url, times=101)]
        private = ask(box, "kucoin", "privateGetUserApiKey")

        assert statuses == [200] * 100 + [429]
        assert private.http == 200


def test_credentials_are_derived():
    """The same key has the same credentials in every sandbox; a wrong one has others."""
    right = Scenario(accounts=(Account(exchange="kucoin", keys=(Key(name="a", env="A"),)),))
    wrong = Scenario(
        accounts=(
            Account(exchange="kucoin", keys=(Key(name="a", env=("A", "B"), wrong_secret=True),)),
        )
    )
    one, two = Sandbox(right).environment, Sandbox(wrong).environment

    assert {"A_KEY", "A_SECRET", "A_PASSPHRASE"} == set(one)
    assert one["A_KEY"] == two["A_KEY"] == two["B_KEY"]
    assert one["A_SECRET"] != two["A_SECRET"]
    assert one == Sandbox(right).environment


def test_a_fleet_of_thousands():
    """A scenario built in Python may be large."""
    keys = tuple(Key(name=f"k{n}", env=f"K{n}") for n in range(5000))
    box = Sandbox(Scenario(accounts=(Account(exchange="binance", keys=keys),)))

    assert len(box.environment) == 10_000
    assert len(set(box.environment.values())) == 10_000


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("kind: Scenario\naccounts:\n  - {exchange: kukoin}\n", (3, 16), "kukoin"),
        ("kind: Scenario\nseen_as: here\n", (2, 10), "not an IP address"),
        ("kind: Scenario\nfaults:\n  - {kind: odd}\n", (3, 12), "odd"),
        ("kind: Scenario\nmodes:\n  mexc: [odd]\n", (3, 9), "no mode 'odd'"),
        ("kind: Scenario\nplanet: x\n", (2, 1), 'unknown field "planet"'),
        ("kind: Scenario\nkind: Scenario\n", (2, 1), "given twice"),
        ("kind: Scenario\nnow: 2026-13-45T00:00:00Z\n", (2, 6), "datetime"),
        ("kind: Scenario\naccounts: !!set []\n", (2, 11), "tags are not allowed"),
        ("kind: Scenario\n? [a]\n: b\n", (2, 3), "must be a text"),
        ("kind: Scenario\ntitle: " + "[" * 5000, (2, 71), "inside each other"),
        ("kind: Scenario\ntitle: a\0b\n", (2, 9), "a NUL character"),
        (
            "kind: Scenario\naccounts:\n  - {exchange: mexc, keys: [{name: a, age_days: 1e12}]}\n",
            (3, 49),
            "no calendar",
        ),
        ("kind: [\n", (2, 1), "not valid YAML"),
        (
            "kind: Scenario\naccounts:\n  - {exchange: mexc, keys: [{name: a, ips: [x]}]}\n",
            (3, 45),
            "neither",
        ),
        ("kind: Scenario\naccounts:\n  - {exchange: mexc, parent: b}\n", (3, 30), "'b'"),
        (
            "kind: Scenario\naccounts:\n  - {exchange: mexc}\n  - {exchange: mexc}\n",
            (4, 5),
            "two accounts",
        ),
    ],
)
def test_mistakes_have_a_place(text, place, message):
    """A scenario that cannot be played is told where and why."""
    with pytest.raises(InvalidInput) as caught:
        load_scenario(text)

    first = caught.value.problems[0]
    assert message in first.message
    assert place == (first.place.line, first.place.column)


def test_a_file_that_is_no_text_is_told(tmp_path):
    """What an editor saved in another encoding is the file's fault, and not a bug."""
    file = tmp_path / "s.yaml"
    file.write_bytes("kind: Scenario\n".encode("utf-16"))
    with pytest.raises(InvalidInput, match="1 problem") as caught:
        load_scenario(file)

    assert f"{file}:1:1: UTF-16 text" == str(caught.value.problems[0])


def test_all_mistakes_are_told_at_once():
    """Duplicate names and prefixes, and a hint where a name is nearly right."""
    keys = (Key(name="a", env="A"), Key(name="a", env="A"))
    scenario = Scenario(accounts=(Account(exchange="mexc", keys=keys), Account(exchange="kukoin")))
    with pytest.raises(InvalidInput) as caught:
        Sandbox(scenario)

    assert [problem.message for problem in caught.value.problems] == [
        "the sandbox does not know the exchange 'kukoin'",
        "mexc has two keys 'a'",
        "two keys have the environment prefix A",
    ]
    assert caught.value.problems[0].hint == "did you mean kucoin?"


def test_schema_is_current():
    """The schema in the repository is that of the types, and the example satisfies it."""
    schema = json.loads((ROOT / "bfaudit/schemas/scenario.schema.json").read_text())

    assert json.loads(json.dumps(scenario_schema())) == schema
    jsonschema.validate(yaml.safe_load(EXAMPLE.read_text()), schema)


def test_example_scenario_serves_the_example_manifest():
    """Each credential of the manifest is in the environment, each planted mistake names a connection."""
    manifest = yaml.load(EXAMPLE.with_name("backfuture.yaml").read_text(), yaml.BaseLoader)
    scenario = load_scenario(EXAMPLE)
    named = {
        reference.removeprefix("env:")
        for connection in manifest["connections"]
        for reference in connection["credentials"].values()
    }

    assert set(Sandbox(scenario).environment) == named
    assert {planted.connection for planted in scenario.planted} == {
        connection["name"] for connection in manifest["connections"]
    }


@pytest.mark.parametrize(
    ("exchange", "prefix", "call", "code"),
    [
        ("mexc", "MEXC_SPOT_MAIN", "spotPrivateGetAccount", None),
        ("mexc", "RECOVERY_PRO", "spotPrivateGetAccount", None),
        ("mexc", "MEXC_FUTURES_SCALPER", "spotPrivateGetAccount", 700002),
        ("mexc", "MEXC_FUTURES_SCALPER", "contractPrivateGetAccountAssets", 402),
        ("kucoin", "KUCOIN_FUTURES_CONSERVATIVE", "privateGetUserApiKey", "200000"),
        ("kucoin", "KUCOIN_SPOT_REBALANCER", "privateGetUserApiKey", "200000"),
        ("kucoin", "KUCOIN_ARBITRAGE_TOKYO", "privateGetUserApiKey", "400006"),
        ("kucoin", "KUCOIN_MARGIN_DESK", "privateGetUserApiKey", "400004"),
        ("binance", "BTC_ETH_NEW_GROUPS", "fapiPrivateV2GetAccount", None),
        ("binance", "BINANCE_SPOT_RETIRED", "sapiGetAccountApiRestrictions", None),
        ("binance", "BINANCE_SPOT_HEDGE", "sapiGetAccountApiRestrictions", None),
    ],
)
def test_example_fleet_behaves_as_planted(ask, exchange, prefix, call, code):
    """Each key of the example answers as its planted mistake wants."""
    with Sandbox(load_scenario(EXAMPLE)) as box:
        assert code == ask(box, exchange, call, prefix=prefix).body.get("code")


def test_es256_tokens():
    """JSON web tokens signed with P-256 are verified, for exchanges that use them."""
    token_of = pytest.importorskip("ccxt").Exchange.jwt
    key = private_key("ecdsa", "seed")
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    token = token_of({"sub": "me"}, text.encode(), "sha256", False, {"alg": "ES256"})

    assert jwt_parts(token)[1]["sub"] == "me"
    assert jwt_verifies(key.public_key(), token)
    assert not jwt_verifies(private_key("ecdsa", "other").public_key(), token)
    assert not jwt_verifies(key.public_key(), "a.b.!")
    assert jwt_parts("nonsense") is None


def test_ecdsa_signatures():
    """A DER signature over a message is verified."""
    key = private_key("ecdsa", "seed")
    signature = key.sign(b"message", ec.ECDSA(hashes.SHA256()))

    assert verifies(key.public_key(), signature, b"message")
    assert not verifies(key.public_key(), signature, b"another")


def test_command_writes_a_private_environment_file(tmp_path, monkeypatch):
    """The command tells URLs and options, writes the environment for its owner only, and ends cleanly."""

    class Interrupted:
        def wait(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(cli, "wait_for_interrupt", Interrupted().wait)
    file = tmp_path / "sandbox.env"
    file.write_text("")
    file.chmod(0o644)
    result = CliRunner().invoke(
        cli.command,
        ["--scenario", str(EXAMPLE), "--port", "0", "--env-file", str(file)],
    )

    assert result.exit_code == 0
    assert "--exchange-url mexc=http://127.0.0.1:" in result.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    names = {line.partition("=")[0] for line in file.read_text().splitlines()}
    assert set(Sandbox(load_scenario(EXAMPLE)).environment) == names


def test_a_form_in_the_body_is_read():
    """Some exchanges serve reads by POST, with a form."""
    site = sites()["kucoin"]
    book = Book(site.id, site.credentials, (), dt.datetime.now(dt.UTC))
    call = Call(
        book=book,
        method="POST",
        path="/x",
        query="",
        headers={},
        body=b"nonce=1&a=b+c",
        address="192.0.2.1",
        now_ms=0,
    )

    assert call.form == {"nonce": "1", "a": "b c"}
    assert call.target == "/x"
    with pytest.raises(LookupError):
        _ = call.account
