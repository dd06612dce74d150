"""Errors that a user can fix. Each names the file and the place, and may carry a hint."""

from bfaudit.model import Place


class BfauditError(Exception):
    """Base of every error that is the input's fault and not ours; the command ends with `exit_code`."""

    exit_code = 2

    def __init__(
        self, message: str, *, place: Place | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class UsageError(BfauditError):
    """The command line asks for something that cannot be done."""


class Problem(BfauditError):
    """One mistake in a file that a user wrote: place, source excerpt, what was expected."""

    def __init__(
        self,
        message: str,
        *,
        place: Place,
        excerpt: str = "",
        expected: str | None = None,
        hint: str | None = None,
        width: int = 1,
    ) -> None:
        super().__init__(message, place=place, hint=hint)
        self.excerpt = excerpt
        """The source line the place is on; empty where it must not be shown (a secret)."""
        self.expected = expected
        self.width = width
        """How many characters from the place's column the caret marks."""


class InvalidInput(BfauditError):
    """Every mistake found in the files of one run."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problem{'s' if len(problems) != 1 else ''} in the input")
        self.problems = problems


class NothingToAudit(BfauditError):
    """No connection is declared or selected."""

    exit_code = 3


class IntegrityError(BfauditError):
    """A snapshot or report fails its checksum."""

    exit_code = 5


class CredentialError(BfauditError):
    """A credential reference cannot be resolved. Not a manifest error: the connection becomes a row."""


class LeakRefused(BfauditError):
    """An output would hold a secret. It is not written."""

    exit_code = 70
