"""What the language definition says of our subset, the engine says too."""

from pathlib import Path

import pytest
import yaml

from bfaudit.policy import cel
from bfaudit.policy.cel import CompileError, Failure

TABLE = yaml.safe_load((Path(__file__).parent / "conformance.yaml").read_text("utf-8"))
CASES = [
    pytest.param(source, expected, id=f"{section}: {source}")
    for section, cases in TABLE.items()
    for source, expected in cases
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_conformance(source, expected):
    """Each condition has the answer that the definition gives; an error is never an answer."""
    try:
        answer = cel.compile(str(source), {}, {}).evaluate({})
    except CompileError as error:
        pytest.fail(f"does not compile: {error}")

    if expected == "error":
        assert isinstance(answer, Failure)
    else:
        assert expected is answer
