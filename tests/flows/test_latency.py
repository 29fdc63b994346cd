"""A search for latency: what the score charged is shown, so that it can be checked by hand."""

import math

import pytest

from tests.flows.workspace import assert_only_grown

pytestmark = pytest.mark.slow


@pytest.mark.nightly
def test_charged_latencies_are_shown_with_the_scores(searched):
    trained = searched.records()
    searched.succeed("nasgem", "latency", "--sampled", "12", "--repeats", "2", "--output", "data/latency/search")
    searched.configure("score", objective="latency")
    for stage in ("estimator", "bootstrap", "report"):
        assert "latency of unmeasured cells: median error" in searched.succeed("nasgem", "stage", stage)
    assert_only_grown(trained, searched.records())
    words = dict(line.split(maxsplit=1) for line in searched.succeed("nasgem", "show", "best").splitlines() if line)
    accuracy, score = (float(number) for number in words["accuracy"].split(", score "))
    milliseconds = float(words["latency"].split(" ms, from the ")[0])
    assert score == pytest.approx(accuracy - 0.1 * math.log10(milliseconds), abs=2e-4)
    assert "latency charged" in (searched.root / "data" / "report" / "report.html").read_text()
    shown = searched.succeed("nasgem", "select", "--top", "2", "--penalty", "0.2")
    lines = [line.split() for line in shown.splitlines()]
    (rank,) = [line for line in lines if line[:1] == ["1"]]
    assert float(rank[2]) == pytest.approx(float(rank[3]) - 0.2 * math.log10(float(rank[4])), abs=2e-4)
    assert "latency ms" in shown
