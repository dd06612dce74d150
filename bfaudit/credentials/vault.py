"""`vault:MOUNT/PATH#FIELD`: a secret in HashiCorp Vault or OpenBao, KV version 2 or 1 (extra `vault`).

Read with the variables that Vault's own tools read: https://developer.hashicorp.com/vault/docs/commands#environment-variables.
"""

import time
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote, urlsplit

from bfaudit.credentials.base import ResolveContext, Scheme
from bfaudit.credentials.secret import Secret
from bfaudit.errors import CredentialError

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0
TRIES = 3
"""Requests in a row that reach no Vault, after which a scan does not try again."""
TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"
"""Where Kubernetes mounts it."""
_ADDRESS_HINT = "write https://HOST:8200; plain http is accepted for loopback only"


def _resolve(rest: str, context: ResolveContext) -> Secret:
    path, _, field = rest.partition("#")
    vault = context.once(("vault",), lambda: _Vault(context.environ))
    fields = context.once(("vault", path), lambda: vault.read(path))
    if field not in fields:
        raise CredentialError(f"{path} in Vault has no field {field}")
    value = fields[field]
    if not isinstance(value, str):
        raise CredentialError(f"{field} of {path} in Vault is not a text")
    if not value.strip():
        raise CredentialError(f"{field} of {path} in Vault is empty")
    return Secret(value.strip())


class _Vault:
    """One Vault during one scan: logged in once, and again where the token has run out."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._client = _client(environ)
        self._lock = Lock()
        self._ends = 0.0
        """When the token of a login must be replaced, by the monotonic clock."""
        self._versions: dict[str, str] = {}
        """The KV version of each mount that was met."""
        self._unreached = 0
        self._login()

    def read(self, path: str) -> Mapping[str, Any]:
        """The fields of a path."""
        with self._lock:
            if time.monotonic() >= self._ends:
                self._login()
        mount, version = self._mount(path)
        rest = path.removeprefix(mount).lstrip("/")
        tries = [version] if version else ["2", "1"]
        refused = None
        for kind in tries:
            try:
                told = self._get(f"{mount}/data/{rest}" if kind == "2" else f"{mount}/{rest}", path)
            except _RefusedError as error:
                refused = refused or (error.message, error.hint)
                continue
            fields = told.get("data") if kind == "2" and isinstance(told, dict) else told
            if isinstance(fields, dict):
                return fields
        message, hint = refused or (f"Vault has no {path}, or its last version was deleted", None)
        raise CredentialError(message, hint=hint)

    def _mount(self, path: str) -> tuple[str, str | None]:
        """The mount of a path and its KV version, asked as `vault kv get` asks; None where Vault does not tell."""
        for mount in sorted(self._versions, key=len, reverse=True):
            if path.startswith(f"{mount}/"):
                return mount, self._versions[mount]
        try:
            told = self._get(f"sys/internal/ui/mounts/{path}", path)
        except _RefusedError:
            told = None
        mount = str(told.get("path", "")).strip("/") if isinstance(told, dict) else ""
        if not isinstance(told, dict) or not path.startswith(f"{mount}/") or not mount:
            return path.split("/", 1)[0], None
        if told.get("type") not in ("kv", "generic"):
            raise CredentialError(f"{mount} in Vault is no key-value store")
        version = str((told.get("options") or {}).get("version", "1"))
        self._versions[mount] = version
        return mount, version

    def _get(self, url: str, path: str) -> Any:
        """The `data` of an answer; None where there is none."""
        told = self._asked(lambda: self._client.read(quote(url)), path)
        return told.get("data") if isinstance(told, dict) else None

    def _login(self) -> None:
        environ = self._environ
        self._ends = float("inf")
        if token := environ.get("VAULT_TOKEN"):
            self._client.token = token.strip()
            return
        auth = self._client.auth
        if role := environ.get("VAULT_ROLE_ID"):
            mount = environ.get("VAULT_AUTH_MOUNT") or "approle"
            secret = environ.get("VAULT_SECRET_ID")
            told = self._asked(lambda: auth.approle.login(role, secret, mount_point=mount), None)
        elif role := environ.get("VAULT_K8S_ROLE"):
            mount = environ.get("VAULT_AUTH_MOUNT") or "kubernetes"
            token = _service_account(environ.get("VAULT_K8S_TOKEN_FILE") or TOKEN_FILE)
            told = self._asked(lambda: auth.kubernetes.login(role, token, mount_point=mount), None)
        else:
            raise CredentialError(
                "nothing to log in to Vault with",
                hint="set VAULT_TOKEN, VAULT_ROLE_ID and VAULT_SECRET_ID, or VAULT_K8S_ROLE",
            )
        seconds = told.get("auth", {}).get("lease_duration") or 0
        if seconds:
            self._ends = time.monotonic() + seconds * 0.9

    def _asked(self, ask: Any, path: str | None) -> Any:
        """What Vault answers. No text of an answer or of an exception is quoted: it may hold a token."""
        import requests  # noqa: PLC0415 - hvac brings it
        from hvac import exceptions as vault  # noqa: PLC0415

        what = path or "the login"
        if self._unreached >= TRIES:
            raise CredentialError(f"Vault was not reached {TRIES} times, and is not asked again")
        try:
            told = ask()
        except (vault.Forbidden, vault.Unauthorized, vault.InvalidRequest):
            raise _refusal(path) from None
        except (vault.VaultDown, vault.VaultNotInitialized):
            raise CredentialError("Vault is sealed or in maintenance") from None
        except vault.RateLimitExceeded:
            raise CredentialError("Vault limits our rate", hint="use fewer --workers") from None
        except vault.VaultError as error:
            raise CredentialError(f"Vault failed at {what} ({type(error).__name__})") from None
        except requests.exceptions.SSLError:
            raise CredentialError(
                "Vault's certificate is not trusted",
                hint="name the file of its authority in VAULT_CACERT",
            ) from None
        except requests.exceptions.RequestException as error:
            self._unreached += 1
            late = isinstance(error, requests.exceptions.Timeout)
            raise CredentialError(
                "Vault does not answer in time" if late else "Vault is not reached",
                hint="check VAULT_ADDR and the network",
            ) from None
        except (KeyError, TypeError, AttributeError):  # a login whose answer is none
            raise CredentialError(f"Vault's answer to {what} is not understood") from None
        self._unreached = 0
        if told is not None and not isinstance(told, dict):
            raise CredentialError(
                f"Vault's answer to {what} is not understood",
                hint="VAULT_ADDR must be the active node itself: redirects are not followed",
            )
        return told


class _RefusedError(CredentialError):
    """Vault knows us, and says no."""


def _refusal(path: str | None) -> CredentialError:
    if path is None:
        return CredentialError(
            "Vault refuses the login", hint="check the role, its secret id and VAULT_NAMESPACE"
        )
    return _RefusedError(
        f"Vault refuses to read {path}",
        hint="the token may have ended, or its policy lacks `read` on the path (KV 2: MOUNT/data/PATH)",
    )


def _client(environ: Mapping[str, str]) -> Any:
    try:
        import hvac  # noqa: PLC0415 - an extra
        import requests  # noqa: PLC0415
    except ImportError:
        raise CredentialError(
            "`vault:` needs the package hvac, which is not installed",
            hint="pip install 'bfaudit[vault]'",
        ) from None
    session = requests.Session()
    session.trust_env = False  # neither .netrc nor a CA bundle that was not named for Vault
    session.verify = _authority(environ)
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=32)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return hvac.Client(
        url=_address(environ),
        token="",
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        allow_redirects=False,  # the token would travel with them
        session=session,
        namespace=environ.get("VAULT_NAMESPACE") or None,
    )


def _authority(environ: Mapping[str, str]) -> str | bool:
    """Whom to trust; never nobody."""
    name = environ.get("VAULT_CACERT")
    if name and not Path(name).is_file():
        raise CredentialError(f"VAULT_CACERT: there is no file {name}")
    return name or True


def _address(environ: Mapping[str, str]) -> str:
    url = environ.get("VAULT_ADDR", "").strip()
    if not url:
        raise CredentialError("VAULT_ADDR is not set", hint=_ADDRESS_HINT)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    secure = parts.scheme == "https" or (parts.scheme == "http" and _loopback(host))
    if not host or not secure or parts.username or parts.password or parts.query:
        raise CredentialError("VAULT_ADDR is not an address that is accepted", hint=_ADDRESS_HINT)
    return url


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _service_account(file: str) -> str:
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise CredentialError(
            f"the service account's token {file} cannot be read",
            hint="outside Kubernetes use VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID",
        ) from None


SCHEME = Scheme(
    name="vault",
    syntax="vault:MOUNT/PATH#FIELD",
    form=r"(?!(?:sys|auth|identity|cubbyhole)/)(?!(?:.*/)?\.\.?(?:/|#))"
    r"[^/#?\0\r\n]+(?:/[^/#?\0\r\n]+)+#[^\0\r\n]+",
    resolve=_resolve,
    blocking=True,
)
