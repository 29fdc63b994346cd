"""What is on a Pareto front: nothing that is dominated, everything else, and equal ones together."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgem_core.pareto_front import pareto_front

VALUES = st.sampled_from([0.1, 0.2, 0.3, 0.4, float("nan")])
POINTS = st.lists(st.tuples(st.sampled_from([1.0, 2.0, 3.0, 4.0, float("nan"), float("inf")]), VALUES), max_size=12)


def dominated(a, b) -> bool:
    """Say whether b dominates a, each (cost, accuracy)."""
    return b[0] <= a[0] and b[1] >= a[1] and b != a


@settings(max_examples=200, deadline=None)
@given(POINTS)
def test_the_front_is_what_nothing_dominates(points):
    costs, accuracy = (np.array([point[i] for point in points], dtype=float) for i in (0, 1))
    known = [i for i, point in enumerate(points) if np.isfinite(point).all()]
    expected = {i for i in known if not any(dominated(points[i], points[j]) for j in known)}
    front = pareto_front(costs, accuracy)
    assert set(front.tolist()) == expected
    assert len(front) == len(expected)
    assert (np.diff(costs[front]) >= 0).all()


@settings(max_examples=50, deadline=None)
@given(POINTS, st.randoms(use_true_random=False))
def test_the_order_of_the_points_makes_no_difference(points, random):
    mixed = random.sample(points, len(points))

    def values(listed):
        front = pareto_front(*(np.array([point[i] for point in listed], dtype=float) for i in (0, 1)))
        return sorted(listed[i] for i in front)

    assert values(points) == values(mixed)


def test_equal_ones_are_all_on_the_front():
    assert pareto_front(np.array([2.0, 1.0, 2.0, 2.0]), np.array([0.5, 0.4, 0.5, 0.4])).tolist() == [1, 0, 2]
