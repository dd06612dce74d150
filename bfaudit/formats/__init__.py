"""One file per output format, each with one constant `FORMAT`; the folder is the list of what `--format` takes."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from bfaudit.formats.base import Format, Options

__all__ = ["FORMATS", "Format", "Options"]

_NOT_FORMATS = frozenset({"base", "context", "rows", "templating"})


def _discover() -> Mapping[str, Format]:
    found: dict[str, Format] = {}
    for module in sorted(iter_modules(__path__), key=lambda entry: entry.name):
        if module.name in _NOT_FORMATS:
            continue
        made: Format = import_module(f"{__name__}.{module.name}").FORMAT
        if made.id in found:
            raise AssertionError(f"two formats for {made.id}")
        found[made.id] = made
    return found


FORMATS: Mapping[str, Format] = _discover()
"""Every format of this folder by its id. Two files with one id are a bug."""
