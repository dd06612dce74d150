"""Snapshots: the secret-free record of a scan as a versioned JSON file, and back. Its schema is `schemas/snapshot.schema.json`."""

from bfaudit.snapshot.restoring import decode, rescanned, restored
from bfaudit.snapshot.rows import SCHEMA, Declared
from bfaudit.snapshot.writing import (
    client_row,
    digest,
    encode,
    exchange_row,
    listed,
    ordered,
    recorded,
    rejected_row,
    written,
)

__all__ = [
    "SCHEMA",
    "Declared",
    "client_row",
    "decode",
    "digest",
    "encode",
    "exchange_row",
    "listed",
    "ordered",
    "recorded",
    "rejected_row",
    "rescanned",
    "restored",
    "written",
]
