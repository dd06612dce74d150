"""Exceptions in force as the JSON report holds them, and back."""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from bfaudit.model import ApprovedException
from bfaudit.sealed import Location


class ExceptionRow(Struct, frozen=True, kw_only=True):
    """One exception in force."""

    id: str
    rules: tuple[str, ...]
    select: Mapping[str, tuple[str, ...]]
    type: str
    reason: str
    ticket: str
    requested_by: str
    approved_by: tuple[str, ...]
    created: date | None
    expires: date | None
    location: Location


def exception_row(each: ApprovedException) -> ExceptionRow:
    """An exception as a row."""
    told = {name: getattr(each, name) for name in each.__struct_fields__ if name != "place"}
    return ExceptionRow(location=Location.of(each.place), **told)


def exception_of(row: ExceptionRow) -> ApprovedException:
    """The exception of a row."""
    told = {name: getattr(row, name) for name in row.__struct_fields__ if name != "location"}
    return ApprovedException(place=row.location.place(), **told)
