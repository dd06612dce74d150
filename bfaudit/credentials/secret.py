"""A secret that does not show itself."""

from collections.abc import Callable
from typing import Any, NoReturn

HIDDEN = "***"


class Secret:
    """A resolved credential. Whatever prints, formats, copies or encodes it gets `***`; only `reveal` tells."""

    __slots__ = ("__weakref__", "_reveal")
    _reveal: Callable[[], str]

    def __init__(self, text: str) -> None:
        # A closure, so that looking through the object's fields does not show the text either.
        object.__setattr__(self, "_reveal", lambda: text)

    def reveal(self) -> str:
        """The secret itself; for the scan alone."""
        return self._reveal()

    def signature(self, message: bytes) -> str:
        """HMAC-SHA256 of a message under the secret, in hexadecimal: proves it without telling it."""
        import hmac  # noqa: PLC0415 - brings OpenSSL

        return hmac.new(self.reveal().encode(), message, "sha256").hexdigest()

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> NoReturn:
        raise TypeError("the length of a secret is secret")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a secret does not change")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac  # noqa: PLC0415

        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    def __hash__(self) -> NoReturn:
        raise TypeError("a secret cannot be hashed")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret cannot be pickled")
