"""Certificates for tests of TLS: an authority, and servers that it should not be trusted for."""

import ssl
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Signer = tuple[x509.Name, ec.EllipticCurvePrivateKey]


def certificate(folder: Path, file: str, host: str, *, by: Signer | None = None, days: int = 1) -> tuple[Path, Path, Signer]:  # fmt: skip
    """A certificate and its key as files: signed by another or by itself, good until in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, file)])
    issuer, signing = by or (name, key)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .sign(signing, hashes.SHA256())
    )
    public, private = folder / f"{file}.pem", folder / f"{file}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return public, private, (name, key)


def server(public: Path, private: Path) -> ssl.SSLContext:
    """The server's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context


def contexts(folder: Path) -> tuple[Path, dict[str, ssl.SSLContext | None]]:
    """An authority's file, and servers for localhost: one that is fine, and each way not to be."""
    authority, _, signer = certificate(folder, "authority", "localhost")
    made: dict[str, ssl.SSLContext | None] = {
        "plain": None,
        "unknown": server(*certificate(folder, "unknown", "localhost")[:2]),
    }
    for name, host, days in (
        ("fine", "localhost", 1),
        ("elsewhere", "exchange.invalid", 1),
        ("expired", "localhost", -1),
        ("old", "localhost", 1),
    ):
        made[name] = server(*certificate(folder, name, host, by=signer, days=days)[:2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made["old"].minimum_version = ssl.TLSVersion.TLSv1
        made["old"].maximum_version = ssl.TLSVersion.TLSv1
    return authority, made
