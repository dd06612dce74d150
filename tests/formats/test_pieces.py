"""Reports that may be long come in pieces: small ones, of texts that are made once each."""

import string
import tracemalloc
from collections import Counter
from itertools import pairwise

import pytest

from bfaudit.evaluate import evaluate
from bfaudit.formats import FORMATS, Options, json_rows, jsonl
from bfaudit.model import half
from bfaudit.pieces import AT_ONCE, Block, PerJudgement, blocks, whole
from bfaudit.policy.read import read
from bfaudit.report.findings import actual
from tests.evaluate.fleets import NOW, scanned, snapshot
from tests.formats.test_bytes import AUDITS

OPTIONS = Options(snapshot_digest=f"sha256:{'0' * 64}")
WORD = f"{string.ascii_letters}{string.digits}-_".encode()
STREAMED = sorted(name for name, form in FORMATS.items() if form.written is not None)


def fleet(size):
    """Connections that have much in common; each fifth may withdraw."""
    grants = ("granted", *["denied"] * 4)
    return snapshot(*(
        scanned(f"MEXC Spot {number:05}", known={"permissions.withdraw": grants[number % 5], "network.ip_restricted": True})
        for number in range(size)
    ))  # fmt: skip


def test_which_are_streamed():
    """Those that hold every result, and SARIF."""
    assert ["csv", "json", "jsonl", "ocsf", "oscal", "sarif"] == STREAMED


def test_blocks():
    """A row is a text of each column: of all rows, of its judgement, or its own; in pieces of bounded size."""
    size = AT_ONCE + 3
    own = [b"%d" % number for number in range(size)]
    numbers = [number % 2 for number in range(size)]
    columns = [b"<", b"a", PerJudgement([b"P", b"F"]), b"-", PerJudgement([b"1", b"2"]), own, b">"]
    made = list(blocks(columns, numbers))

    assert [AT_ONCE, 3] == [len(block.columns[0]) for block in made]
    assert 3 == len(made[0].columns)
    told = b"".join(b"<a%b%d>" % ((b"P-1", b"F-2")[number % 2], number) for number in range(size))
    assert told == whole(made)
    assert [] == list(blocks(columns[:-2], []))


@pytest.mark.parametrize("format_id", STREAMED)
def test_pieces_are_small(format_id):
    """No piece of a report holds more than a small part of it, and no more memory is needed."""
    audit = evaluate(fleet(3 * AT_ONCE), read(["baseline"]), NOW)
    tracemalloc.start()
    try:
        sizes = [len(bytes(piece)) for piece in FORMATS[format_id].written(audit, OPTIONS)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert max(sizes) < sum(sizes) / 5
    assert peak < sum(sizes) / 2


@pytest.mark.parametrize("name", list(AUDITS))
@pytest.mark.parametrize("format_id", STREAMED)
def test_no_word_stands_in_two_columns(format_id, name):
    """What is looked for in each text once would be found in the rows, but for fingerprints, which are digests."""
    audit = AUDITS[name]()
    halves = {half(rule).encode() for rule in {one.rule.id for one in audit.results}}
    for piece in FORMATS[format_id].written(audit, OPTIONS):
        if isinstance(piece, Block):
            for row in zip(*piece.columns, strict=True):
                for one, other in pairwise(filter(None, row)):
                    spans = one[-1:] in WORD and other[:1] in WORD
                    assert not spans or one[-16:] in halves


@pytest.mark.parametrize(("module", "passes"), [(json_rows, 2), (jsonl, 1)])
def test_each_judgement_is_told_once(monkeypatch, module, passes):
    """However many connections share it; in JSON once more, for the digest that stands first."""
    calls = Counter()

    def counting(observations):
        calls["actual"] += 1
        return actual(observations)

    monkeypatch.setattr(module, "actual", counting)
    audit = evaluate(fleet(500), read(["baseline"]), NOW)
    whole(FORMATS["json" if module is json_rows else "jsonl"].written(audit, OPTIONS))

    assert passes * sum(len(run.judgements) for run in audit.results.runs) == calls["actual"]
