"""How to scan."""

from collections.abc import Mapping

from msgspec import Struct, field

from bfaudit.scan.asking import Patience


class Options(Struct, frozen=True, kw_only=True):
    """How to scan."""

    urls: Mapping[str, str] = field(default_factory=dict)
    """Redirections by exchange id."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Where `env:` references look."""
    allow_exec: bool = False
    """Whether `exec:` references may run programs."""
    workers: int = 32
    """Connections that are asked at once, per exchange: rate x round trip, so 32 saturates any documented limit."""
    connection_test: bool = False
    """Also make one balance read and one order read with every key that works."""
    allow_probes: bool = False
    patience: Patience = field(default_factory=Patience)
    ca_file: str | None = None
    """Certificate authorities to trust instead of the built-in bundle; verification is never off."""
    rate_limits: bool = True
