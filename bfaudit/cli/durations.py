"""Times of the command line."""

import re
from datetime import timedelta
from typing import Any

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Duration(click.ParamType[timedelta]):
    """A time such as `24h`, `7d` or `1d12h`."""

    name = "DURATION"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        """The time that a text tells."""
        if isinstance(value, timedelta):
            return value
        text = str(value).strip()
        if not re.fullmatch(r"(\d{1,6}[smhdw])+", text, re.ASCII):
            self.fail(f"{value!r} is no time such as 24h or 7d", param, ctx)
        found = re.findall(r"(\d+)([smhdw])", text)
        return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in found), timedelta())


class Interval(Duration):
    """A time from the start of one round to the next: `30s`, `15m`, `6h`, `1d`."""

    name = "INTERVAL"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        """The time that a text tells; not none."""
        found = super().convert(value, param, ctx)
        if not found:
            self.fail(f"{value!r} is no time between rounds", param, ctx)
        return found
