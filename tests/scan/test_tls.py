"""TLS: never without verification; an own authority by option."""

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bfaudit.errors import UsageError
from bfaudit.exchanges import known
from bfaudit.model import Reason, Status
from bfaudit.sandbox import Sandbox
from bfaudit.scan.options import Options
from bfaudit.scan.runner import scan
from bfaudit.scan.transport import Wire
from tests.scan.fleet import HASTE, connection, scenario
from tests.scan.test_status import TRADES


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate for localhost that nobody trusts, and the server's side of it."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "ca.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


def _scan(authority, host, **options):
    _, context = authority
    played = scenario("mexc", {"permissions": TRADES["mexc"]})
    with Sandbox(played, ssl_context=context) as box:
        url = box.urls["mexc"].replace("127.0.0.1", host)
        given = Options(urls={"mexc": url}, environ=box.environment, patience=HASTE, **options)
        (one,) = asyncio.run(scan([connection("mexc")], known(), given)).connections
        return one, list(box.requests)


def test_an_unknown_authority_is_not_trusted(authority):
    """Nothing is sent to a server that cannot prove who it is."""
    one, requests = _scan(authority, "localhost")

    assert (Status.EXCHANGE_UNAVAILABLE, Reason.UNREACHABLE) == (one.status, one.reason)
    assert [] == requests


def test_an_own_authority_is_an_option(authority):
    """`--ca-file` names whom to trust."""
    one, requests = _scan(authority, "localhost", ca_file=str(authority[0]))

    assert Status.ONLINE == one.status
    assert requests


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_an_authority_that_is_none_is_said(authority, tmp_path, text):
    """A wrong file is the user's mistake, with its name; nothing is sent."""
    path = tmp_path / "ca.pem"
    path.write_text(text)

    with pytest.raises(UsageError, match=r"--ca-file .*ca\.pem: holds no certificate"):
        _scan(authority, "localhost", ca_file=str(path))


def test_authorities_are_read_once(authority, tmp_path):
    """Whatever the number of servers: the file is not needed for the second."""
    public, context = authority
    path = tmp_path / "ca.pem"
    path.write_bytes(public.read_bytes())
    played = scenario("mexc", {"permissions": TRADES["mexc"]})

    async def run(*boxes):
        async with Wire(str(path)) as wire:
            for box in boxes:
                host = f"localhost:{box.url.rpartition(':')[2]}"
                yield await wire.send("https", host, "/mexc/api/v3/time", "GET", {}, None, 5.0)
                path.unlink(missing_ok=True)

    async def all_of(*boxes):
        return [raw.http async for raw in run(*boxes)]

    with Sandbox(played, ssl_context=context) as one, Sandbox(played, ssl_context=context) as other:
        assert [200, 200] == asyncio.run(all_of(one, other))


def test_the_systems_authorities_are_not_trusted(authority, monkeypatch):
    """Whoever else this machine trusts: neither libcurl's own folder nor OpenSSL's variables add anybody."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))
    monkeypatch.setenv("SSL_CERT_DIR", str(authority[0].parent))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(authority[0]))

    assert Reason.UNREACHABLE == _scan(authority, "localhost")[0].reason


def test_the_name_must_match(authority):
    """A trusted certificate for another name is refused."""
    one, requests = _scan(authority, "127.0.0.1", ca_file=str(authority[0]))

    assert Reason.UNREACHABLE == one.reason
    assert [] == requests


class _Tunnel:
    """A proxy that tunnels, wherever one wants to go, to one port of loopback; keeps what it was asked."""

    def __init__(self, port):
        self.port, self.asked, self._tasks = port, [], []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._each, "127.0.0.1", 0)
        self.url = f"http://me:word@127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await asyncio.wait_for(asyncio.gather(*self._tasks), 5)
        await asyncio.sleep(0)

    async def _each(self, reader, writer):
        self._tasks.append(asyncio.current_task())
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_copied(reader, back), _copied(there, writer))


async def _copied(reader, writer):
    with suppress(ConnectionError):
        while data := await reader.read(4096):
            writer.write(data)
    writer.close()


def test_through_a_tunnel(authority, monkeypatch):
    """A proxy sees where we want to go and its own credentials, once for all keys; TLS is with the exchange."""
    public, context = authority
    played = scenario("mexc", {"permissions": TRADES["mexc"]})

    async def run(box):
        async with _Tunnel(int(box.url.rpartition(":")[2])) as tunnel:
            monkeypatch.setenv("https_proxy", tunnel.url)
            monkeypatch.setenv("no_proxy", "")
            given = Options(urls={"mexc": "https://localhost:9/mexc"}, environ=box.environment, patience=HASTE, ca_file=str(public), workers=1)  # fmt: skip
            fleet = [connection("mexc"), connection("mexc", name="again")]
            return await scan(fleet, known(), given), tunnel.asked

    with Sandbox(played, ssl_context=context) as box:
        snapshot, asked = asyncio.run(run(box))

    assert {Status.ONLINE} == {one.status for one in snapshot.connections}
    (head,) = asked
    assert head.startswith(b"CONNECT localhost:9 HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic bWU6d29yZA==\r\n" in head
    assert not any(word in head.lower() for word in (b"signature", b"apikey", b"timestamp"))
