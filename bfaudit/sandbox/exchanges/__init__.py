"""The exchanges that the sandbox plays: one file each, with a constant `SITE`."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bfaudit.sandbox.site import Site


@cache
def sites() -> Mapping[str, Site]:
    """Every exchange of this folder by its id, in order of id."""
    found: dict[str, Site] = {}
    for module in iter_modules(__path__):
        site: Site = import_module(f"{__name__}.{module.name}").SITE
        if site.id in found:
            raise ValueError(f"two sandbox exchanges have the id {site.id}")
        found[site.id] = site
    return dict(sorted(found.items()))
