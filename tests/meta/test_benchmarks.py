"""The benchmarks of all adapters and of the pipeline measure what they say: every exchange, the same calls, every key its own answer."""

import subprocess
import sys

from tests.cli.harness import ROOT
from tests.scan.fourteen import FOURTEEN

sys.path.insert(0, str(ROOT / "benchmarks"))

import adapters


def test_every_adapter_is_measured():
    """The fourteen whose exchanges describe a key."""

    assert FOURTEEN == tuple(sorted(adapters.PERMISSIONS))


def test_a_call_too_few_is_seen():
    """HTX needs three, each of which depends on the one before; a floor without the last one is void."""
    job = {"keys": 3, "workers": 2, "born": int(adapters.time.time()) - 86_400}
    with adapters.Server({**job, "exchanges": ["htx"]}) as server:
        job |= {"exchange": "htx", "url": server.found["urls"]["htx"], "ca": server.found["ca"]}
        whole = adapters.run({**job, "case": "r"}, server, record=True)
        calls = [each[:-1] for each in whole["calls"]]
        less = adapters.run({**job, "case": "f"}, server, calls=calls, public=[])

    assert ([], {"3": 3}) == (whole["void"], whole["server"]["keys"])
    assert ([], {"2": 3}) == (less["void"], less["server"]["keys"])
    assert 2 == len(adapters.differences(less["server"], whole["server"]))


def test_the_whole_pipeline_is_measured():
    """From manifest to reports, and the requests alone, with every signature right."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/pipeline.py"), "--keys", "100", "--repetitions", "1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    assert ["bfaudit", "floor", "bfaudit"] == [line.split()[0] for line in done.stdout.splitlines()]
