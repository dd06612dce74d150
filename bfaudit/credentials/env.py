"""`env:NAME`: a secret in an environment variable."""

from bfaudit.credentials.base import ResolveContext, Scheme
from bfaudit.credentials.secret import Secret
from bfaudit.errors import CredentialError


def _resolve(name: str, context: ResolveContext) -> Secret:
    value = context.environ.get(name)
    if value is None:
        raise CredentialError(f"the environment variable {name} is not set")
    if not value.strip():
        raise CredentialError(f"the environment variable {name} is empty")
    return Secret(value.strip())


SCHEME = Scheme(name="env", syntax="env:NAME", form=r"[A-Za-z_][A-Za-z0-9_]*", resolve=_resolve)
