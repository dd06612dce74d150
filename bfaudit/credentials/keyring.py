"""`keyring:SERVICE/NAME`: a secret in the system's keyring (extra `keyring`): Keychain, Secret Service, KWallet, ..."""

from threading import Lock

from bfaudit.credentials.base import ResolveContext, Scheme
from bfaudit.credentials.secret import Secret
from bfaudit.errors import CredentialError

_ONE_AT_A_TIME = Lock()
"""A locked keyring asks its owner: once, not once per thread."""


def _resolve(rest: str, context: ResolveContext) -> Secret:
    service, _, name = rest.rpartition("/")
    text = context.once(("keyring", rest), lambda: _read(service, name))
    if not text.strip():
        raise CredentialError(f"{name} of {service} in the keyring is empty")
    return Secret(text.strip())


def _read(service: str, name: str) -> str:
    try:
        import keyring  # noqa: PLC0415 - an extra
        from keyring import errors  # noqa: PLC0415
    except ImportError:
        raise CredentialError(
            "`keyring:` needs the package keyring, which is not installed",
            hint="pip install 'bfaudit[keyring]'",
        ) from None
    try:
        with _ONE_AT_A_TIME:
            text = keyring.get_password(service, name)
    except errors.NoKeyringError:
        raise CredentialError(
            "this host has no keyring that can be used",
            hint="`keyring diagnose` lists those that are found; on a server `vault:` or `file:` fit better",
        ) from None
    except errors.KeyringLocked:
        raise CredentialError("the keyring is locked", hint="unlock it, and run again") from None
    except Exception as error:  # noqa: BLE001 - backends raise whatever their platform does
        raise CredentialError(
            f"the keyring cannot be read ({type(error).__name__})", hint="see `keyring diagnose`"
        ) from None
    if text is None:
        raise CredentialError(
            f"the keyring has no {name} of {service}", hint=f"keyring set {service} {name}"
        )
    return text


SCHEME = Scheme(
    name="keyring",
    syntax="keyring:SERVICE/NAME",
    form=r"[^\0\r\n]*[^/\0\r\n]/[^/\0\r\n]+",
    resolve=_resolve,
    blocking=True,
)
