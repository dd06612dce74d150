"""TLS: never without verification; an own authority by option."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bfaudit.model import Reason, Status
from bfaudit.sandbox import Sandbox
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
    import asyncio

    from bfaudit.exchanges import known
    from bfaudit.scan.options import Options
    from bfaudit.scan.runner import scan

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


def test_the_name_must_match(authority):
    """A trusted certificate for another name is refused."""
    one, requests = _scan(authority, "127.0.0.1", ca_file=str(authority[0]))

    assert Reason.UNREACHABLE == one.reason
    assert [] == requests
