"""One file per output format, each with one constant `FORMAT`; the folder is the list of what `--format` takes."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bfaudit.formats.base import Format, Options

__all__ = ["FORMATS", "Format", "Options"]

_NOT_FORMATS = frozenset(
    {
        "base",
        "columns",
        "context",
        "json_rows",
        "oscal_observations",
        "oscal_words",
        "rows",
        "sarif_results",
        "sarif_rules",
        "script",
        "templating",
        "terminal",
    }
)


class _Formats(Mapping[str, Format]):
    """Each is loaded when it is asked for: a run needs one or two of them."""

    def __init__(self) -> None:
        names = sorted({module.name for module in iter_modules(__path__)} - _NOT_FORMATS)
        self._modules = {name.replace("_", "-"): name for name in names}

    def __getitem__(self, name: str) -> Format:
        return _loaded(self._modules[name], name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


@cache
def _loaded(module: str, name: str) -> Format:
    made: Format = import_module(f"{__name__}.{module}").FORMAT
    if made.id != name:
        raise AssertionError(f"the format of {module}.py is called {made.id}")
    return made


FORMATS: Mapping[str, Format] = _Formats()
"""Every format of this folder by its id, which is the name of its file."""
