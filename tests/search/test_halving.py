import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.search.halving import Judgement, best_first, going_on, halve

FAILED = Judgement(math.nan, math.nan)


def test_the_best_share_of_each_rung_goes_on():
    asked = []

    def judge(places, epochs):
        asked.append((list(places), epochs))
        # After two epochs the places are the accuracies; later the last is worst.
        return [Judgement(place / 10 if epochs == 2 else (place - 4) ** 2 / 10, 1.0) for place in places]

    found = halve(6, (2, 4, 8), 0.5, judge)
    assert asked == [([0, 1, 2, 3, 4, 5], 2), ([5, 4, 3], 4), ([5, 3], 8)]
    assert found.order == (5, 3, 4, 2, 1, 0) and found.rungs == (2, 4, 8)
    assert found.reached.tolist() == [1, 1, 1, 3, 2, 3] and found.until == [2, 2, 2, 8, 4, 8]
    assert np.isnan(found.accuracy[0, 1:]).all() and found.accuracy[3].tolist() == [0.3, 0.1, 0.1]
    assert found.last.tolist() == [0.0, 0.1, 0.2, 0.1, 0.0, 0.1]


def test_nothing_is_trained_where_one_candidate_is_left():
    judged = halve(3, (1, 2, 3), 0.1, lambda places, _: [Judgement(0.1, place) for place in places])
    # Accuracies are equal, so the loss decides.
    assert judged.rungs == (1,) and judged.order == (0, 1, 2)
    alone = halve(1, (1, 2), 0.5, lambda *_: pytest.fail("trained"))
    assert alone.order == (0,) and alone.rungs == () and alone.accuracy.shape == (1, 0) and alone.until == [0]


def test_failed_trainings_do_not_go_on():
    def judge(places, epochs):
        return [FAILED if place == 1 or (place == 3 and epochs == 2) else Judgement(place / 10, 0) for place in places]

    found = halve(4, (1, 2), 0.9, judge)
    assert found.order == (2, 0, 3, 1) and found.reached.tolist() == [2, 0, 2, 1]
    assert np.isnan(found.last[1]) and found.last[3] == 0.3
    none = halve(2, (1, 2), 0.5, lambda places, _: [FAILED for _ in places])
    assert none.order == (0, 1) and none.rungs == (1,) and not none.reached.any()


def test_ranks_and_counts():
    judged = [FAILED, Judgement(0.5, 2.0), Judgement(0.7, 3.0), Judgement(0.5, 1.0), Judgement(0.5, 1.0)]
    assert best_first(judged) == [2, 3, 4, 1, 0]
    assert [going_on(count, 0.5) for count in (1, 2, 5, 20)] == [1, 1, 3, 10] and going_on(30, 0.1) == 3


@given(st.integers(1, 30), st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True), st.floats(0.01, 0.99))
def test_every_candidate_is_ranked_once_and_those_that_went_further_come_first(count, rungs, keep):
    rungs = sorted(rungs)
    found = halve(count, rungs, keep, lambda places, e: [Judgement((p * 7 + e) % 11, p) for p in places])
    assert sorted(found.order) == list(range(count))
    reached = found.reached[list(found.order)]
    assert (np.diff(reached) <= 0).all()
    if count > 1:
        # The one that is chosen is the best of its last rung.
        assert found.accuracy[found.order[0], -1] == np.nanmax(found.accuracy[:, -1])
