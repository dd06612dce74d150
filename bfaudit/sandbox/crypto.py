"""Keys and signatures: derived credentials, and the checks that exchanges make of what was signed."""

import hashlib
import hmac
import string
from base64 import b64decode, b64encode, urlsafe_b64decode
from functools import lru_cache
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bfaudit.model import Json

ALPHANUMERIC = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
PrivateKey = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = ed25519.Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey
Digest = Literal["sha256", "sha384", "sha512"]


def derive(seed: str, length: int) -> bytes:
    """`length` bytes that depend on nothing but `seed`; sandbox credentials are no secrets."""
    return hashlib.shake_256(f"bfaudit sandbox {seed}".encode()).digest(length)


def derive_text(seed: str, length: int, alphabet: str = ALPHANUMERIC) -> str:
    """`length` characters of `alphabet` that depend on nothing but `seed`."""
    return "".join(alphabet[byte % len(alphabet)] for byte in derive(seed, length))


def hmac_hex(secret: bytes, message: bytes, digest: Digest = "sha256") -> str:
    """The HMAC as lower-case hex."""
    return hmac.digest(secret, message, digest).hex()


def hmac_base64(secret: bytes, message: bytes, digest: Digest = "sha256") -> str:
    """The HMAC as base64."""
    return b64encode(hmac.digest(secret, message, digest)).decode()


def same(expected: str, given: str) -> bool:
    """Whether two signatures are equal, whatever characters a caller sends."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


@lru_cache(maxsize=4096)
def private_key(kind: str, seed: str) -> PrivateKey:
    """An Ed25519, P-256 or RSA (2048 bits) key that depends on nothing but `seed`."""
    match kind:
        case "ed25519":
            return ed25519.Ed25519PrivateKey.from_private_bytes(derive(seed, 32))
        case "ecdsa":
            # 31 bytes: below the order of the curve whatever they are
            return ec.derive_private_key(int.from_bytes(derive(seed, 31)) + 1, ec.SECP256R1())
        case "rsa":
            return _rsa(_prime(f"{seed} p"), _prime(f"{seed} q"))
        case _:
            raise ValueError(f"no such kind of key: {kind}")


def _rsa(p: int, q: int) -> rsa.RSAPrivateKey:
    exponent = 65537
    d = rsa.rsa_recover_private_exponent(exponent, p, q)
    public = rsa.RSAPublicNumbers(exponent, p * q)
    dp, dq = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q)
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, rsa.rsa_crt_iqmp(p, q), public).private_key()


_SMALL = [n for n in range(3, 2000, 2) if all(n % m for m in range(3, int(n**0.5) + 1, 2))]


def _prime(seed: str) -> int:
    # both high bits set: two of them make a 2048-bit modulus
    candidate = int.from_bytes(derive(seed, 128)) | 3 << 1022 | 1
    while (
        any(candidate % small == 0 for small in _SMALL)
        or pow(2, candidate - 1, candidate) != 1
        or (candidate - 1) % 65537 == 0
    ):
        candidate += 2
    return candidate


def pem(key: PrivateKey) -> str:
    """A private key as PKCS#8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def verifies(public: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether a key signed a message: Ed25519, RSA PKCS#1 v1.5 or ECDSA (DER), both with SHA-256."""
    try:
        match public:
            case ed25519.Ed25519PublicKey():
                public.verify(signature, message)
            case rsa.RSAPublicKey():
                public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            case _:
                public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def from_base64(text: str) -> bytes:
    """Decoded base64; empty where `text` is none, which no signature is."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def jwt_parts(token: str) -> tuple[Json, Json] | None:
    """Header and claims of a JWT, not verified; None where it is not one."""
    try:
        header, claims, _signature = token.split(".")
        return msgspec.json.decode(_unpadded(header)), msgspec.json.decode(_unpadded(claims))
    except ValueError:
        return None


def jwt_verifies(public: PublicKey, token: str) -> bool:
    """Whether a key signed a JWT (ES256, RS256 or EdDSA)."""
    message, _, text = token.rpartition(".")
    try:
        signature = _unpadded(text)
    except ValueError:
        return False
    if isinstance(public, ec.EllipticCurvePublicKey):  # RFC 7518, 3.4: r and s, 32 bytes each
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        signature = utils.encode_dss_signature(r, s)
    return verifies(public, signature, message.encode())


def _unpadded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
