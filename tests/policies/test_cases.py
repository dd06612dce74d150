"""The cases of the built-in rules: one YAML file per rule, no Python."""

from pathlib import Path

import pytest

from bfaudit.policy.cases import Ran, run
from bfaudit.policy.read import packs, read

FOLDER = Path(__file__).parent
POLICIES = [policy for name in packs() for policy in read([name]) if policy.id == name]
"""Each pack as it is by itself: an override of one pack is no change of another."""
FILES = sorted(FOLDER.glob("*.yaml"))
RAN = run([(file.name, file.read_bytes()) for file in FILES], POLICIES)


@pytest.mark.parametrize("ran", RAN, ids=lambda ran: f"{ran.rule}: {ran.case}")
def test_case(ran: Ran):
    """A rule says of a case what its file expects."""

    assert ran.wrong is None, f"{ran.place}: {ran.wrong}"


def test_every_rule_has_cases():
    """Each rule has a file of its own name, and no file is without its rule."""
    rules = {rule.rule.id for policy in POLICIES for rule in policy.rules}

    assert rules == {file.stem for file in FILES} == {ran.rule for ran in RAN}
