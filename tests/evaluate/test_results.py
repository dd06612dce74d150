"""Results by runs are the sequence of results that they stand for."""

import pytest

from bfaudit.evaluate import evaluate, summary
from bfaudit.model import Outcome
from bfaudit.policy.read import read
from bfaudit.results import Results, Run
from tests.evaluate.fleets import NOW, scanned, snapshot
from tests.formats.test_bytes import generated
from tests.report.samples import SAMPLES

AUDITS = {"generated": generated, **{name: SAMPLES[name] for name in ("failing", "hostile")}}


@pytest.fixture(params=list(AUDITS))
def audit(request):
    """An audit, with results in whatever sequence it has them."""
    return AUDITS[request.param]()


def test_a_sequence(audit):
    """Length, order, positions from both ends, slices and equality are those of the plain results."""
    plain = tuple(audit.results)
    results = Results.of(plain)

    assert len(plain) == len(results)
    assert plain == tuple(results)
    assert plain == results
    assert results == audit.results
    assert [plain[0], plain[7], plain[-1]] == [results[0], results[7], results[-1]]
    assert plain[3:-2:5] == tuple(results[3:-2:5])
    assert results != plain[1:]
    with pytest.raises(IndexError):
        results[len(plain)]


def test_runs_are_sequences_too(audit):
    """Each of the results of one rule."""
    for run in Results.of(audit.results).runs:
        assert [run[at] for at in range(len(run))] == list(run) == list(run[:])
        assert {run.rule.id} == {one.rule.id for one in run}


def test_of_its_own_kind_is_itself(audit):
    """Nothing is copied twice."""
    results = Results.of(audit.results)

    assert results is Results.of(results)


@pytest.mark.parametrize("wanted", [{Outcome.FAIL}, {Outcome.UNKNOWN, Outcome.ERROR}, set()])
def test_having(audit, wanted):
    """What has an outcome is found as a filter would find it."""
    found = Results.of(audit.results).having(wanted)

    assert [one for one in audit.results if one.outcome in wanted] == list(found)


def test_some_connections_only(audit):
    """Exceptions and fingerprints go with their results."""
    names = {one.connection for one in list(audit.results)[::3]}
    runs = Results(run.only(names) for run in Results.of(audit.results).runs)

    assert tuple(one for one in audit.results if one.connection in names) == runs


def test_counts(audit):
    """Counting by numbers gives what counting results gives."""
    runs = Results.of(audit.results).runs
    counted = summary(audit)

    for outcome in Outcome:
        assert counted.outcomes[outcome] == sum(one.outcome is outcome for one in audit.results)
    excepted = [one for one in audit.results if one.outcome is Outcome.FAIL and one.exception]
    assert counted.excepted == len(excepted) == sum(run.excepted for run in runs)


def test_nothing():
    """An audit of nothing has no results."""
    assert () == Results()
    assert [] == list(Results.of(()))


def test_no_result_is_made_before_somebody_looks(monkeypatch):
    """Evaluating, counting and asking for findings of a fleet without any makes none."""
    made = []
    monkeypatch.setattr("bfaudit.results.Result", lambda *given: made.append(given))
    fleet = snapshot(*(scanned(f"MEXC Spot {number}") for number in range(50)))
    audit = evaluate(fleet, read(["baseline"]), NOW)
    assert isinstance(audit.results, Results)
    assert isinstance(audit.results.runs[0], Run)
    counts = summary(audit)

    assert [] == made
    assert sum(counts.outcomes.values()) == len(audit.results)
    assert counts.outcomes[Outcome.FAIL] == len(list(audit.results.having({Outcome.FAIL})))
    assert counts.outcomes[Outcome.FAIL] <= len(made) < len(audit.results)
