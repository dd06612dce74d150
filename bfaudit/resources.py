"""The files that ship with bfaudit: policies, report templates, examples."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent


def policies() -> Traversable:
    """The folder of built-in policies."""
    return _data("policies", checkout=_CHECKOUT / "policies")


def templates() -> Traversable:
    """The folder of report templates."""
    return _data("templates", checkout=_CHECKOUT / "reports" / "templates")


def examples() -> Traversable:
    """The folder of example manifests and scenarios."""
    return _data("examples", checkout=_CHECKOUT / "examples")


def cases() -> Traversable:
    """The folder of the cases of built-in rules; not in the wheel."""
    return _CHECKOUT / "tests" / "policies"


def _data(name: str, *, checkout: Path) -> Traversable:
    packaged = files("bfaudit") / "_data" / name
    return packaged if packaged.is_dir() else checkout
