"""A local server that speaks the protocols of the exchanges, signature checks included."""

from bfaudit.sandbox.load import load_scenario
from bfaudit.sandbox.scenario import (
    FAULT_KINDS,
    Account,
    Fault,
    Key,
    Limits,
    Planted,
    Scenario,
)
from bfaudit.sandbox.server import FROM, Record, Sandbox

__all__ = [
    "FAULT_KINDS",
    "FROM",
    "Account",
    "Fault",
    "Key",
    "Limits",
    "Planted",
    "Record",
    "Sandbox",
    "Scenario",
    "load_scenario",
]
