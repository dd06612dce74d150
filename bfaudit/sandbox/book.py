"""What an exchange keeps: accounts, their keys, and what its owner holds of each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from bfaudit.sandbox.crypto import PublicKey, derive, pem, private_key
from bfaudit.sandbox.scenario import Account, Key, created_at, expires_at


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the owner of a key holds; `public` is what the exchange holds of an asymmetric secret."""

    key: str
    secret: str
    passphrase: str | None = None
    public: PublicKey | None = None


Maker = Callable[[str, Key], Credentials]
"""Makes the credentials of a key, out of nothing but a seed and the key's type."""


class Held:
    """A key as its exchange holds it."""

    def __init__(self, account: Account, key: Key, credentials: Credentials, now: datetime) -> None:
        self.account = account
        self.key = key
        self.name = key.name
        self.text = credentials.key
        self.secret = credentials.secret.encode()
        self.passphrase = credentials.passphrase or ""
        self.public = credentials.public
        self.permissions = frozenset(key.permissions)
        self.created = created_at(key, now)
        self.expires = expires_at(key, now)
        self.expired = self.expires is not None and self.expires <= now
        self.days_left = (self.expires - now).days if self.expires else None
        """Whole days until it expires; None where it never does."""
        self.networks = tuple(ip_network(address, strict=False) for address in key.ips)

    @property
    def created_ms(self) -> int:
        """When it was created, in milliseconds since 1970."""
        return int(self.created.timestamp() * 1000)

    @property
    def expires_ms(self) -> int | None:
        """When it expires, in milliseconds since 1970; None for never."""
        return int(self.expires.timestamp() * 1000) if self.expires else None

    def allows(self, address: str) -> bool:
        """Whether a caller with this address may use it."""
        return not self.networks or _within(address, self.networks)


Network = IPv4Network | IPv6Network


@lru_cache(maxsize=65536)
def _within(address: str, networks: tuple[Network, ...]) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in networks)


class Book:
    """The accounts and keys of one exchange, for look-ups."""

    def __init__(
        self,
        exchange: str,
        credentials: Maker,
        accounts: Iterable[Account],
        now: datetime,
        modes: Iterable[str] = (),
    ) -> None:
        self.exchange = exchange
        self.modes = frozenset(modes)
        self.accounts = {account.name: account for account in accounts}
        self.keys: dict[str, Held] = {}
        self._keys_of: dict[str, list[Held]] = {name: [] for name in self.accounts}
        self._subs: dict[str, list[Account]] = {}
        for account in self.accounts.values():
            if account.parent is not None:
                self._subs.setdefault(account.parent, []).append(account)
            for key in account.keys:
                held = Held(account, key, credentials(seed_of(exchange, key), key), now)
                self.keys[held.text] = held
                self._keys_of[account.name].append(held)

    def uid(self, account: Account) -> str:
        """The account's number: its own, or nine digits derived from its name."""
        if account.uid is not None:
            return str(account.uid)
        number = int.from_bytes(derive(f"{self.exchange} uid {account.name}", 6))
        return str(100_000_000 + number % 900_000_000)

    def parent_uid(self, account: Account) -> str | None:
        """The number of its master account; None for a master."""
        return self.uid(self.accounts[account.parent]) if account.parent else None

    def subs(self, master: Account) -> Sequence[Account]:
        """The sub-accounts of a master account."""
        return self._subs.get(master.name, ())

    def keys_of(self, account: Account) -> Sequence[Held]:
        """The keys of an account that are not deleted."""
        return [held for held in self._keys_of[account.name] if held.key.state != "deleted"]


def seed_of(exchange: str, key: Key) -> str:
    """What the credentials of a key are derived from."""
    return f"{exchange}/{key.name}"


def secret_of(seed: str, key: Key, hmac_secret: str) -> tuple[str, PublicKey | None]:
    """The secret of a key and, for an asymmetric one (then in PEM), what the exchange keeps of it."""
    if key.type == "hmac":
        return hmac_secret, None
    private = private_key(key.type, seed)
    return pem(private), private.public_key()
