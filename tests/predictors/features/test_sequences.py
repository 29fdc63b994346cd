from collections import Counter
from math import log

import pytest
from hypothesis import given

from nasgem_core.predictors.features import sequences
from tests.cells.graphs import cells
from tests.predictors.features.oracle import ALMOST, KINDS, features_of, graph_of, kind, paths, walks

STEPS = 5


def number(operations) -> int:
    """Return the place of a sequence: after all shorter ones, its operations being digits."""
    value = 0
    for o in operations:
        value = value * KINDS + o
    return sum(KINDS**k for k in range(len(operations))) + value


@given(cells(max_vertices=6))
def test_sequences_are_those_of_all_paths(cell):
    found, graph = features_of(cell), graph_of(cell)
    routes = [[kind(graph, v) for v in path] for path in paths(graph)]
    counted = Counter(number(operations) for operations in routes if len(operations) <= 3)
    assert {i: found[f"sequence:{i}"] for i in range(40)} == pytest.approx(
        {i: log(1 + counted[i]) for i in range(40)}, **ALMOST
    )
    assert "sequence:40" not in found


@given(cells(max_vertices=6))
def test_ends_and_positions_are_those_of_all_walks(cell):
    found, graph = features_of(cell), graph_of(cell)
    suffix, prefix = Counter(), Counter()
    back, on = Counter(), Counter()
    for path, chance in walks(graph):
        operations = [kind(graph, v) for v in path]
        suffix[number(operations[::-1][:3])] += chance
        prefix[number(operations[:3])] += chance
        for step, o in enumerate(operations[::-1][:STEPS]):
            back[step, o] += chance
    for path, chance in walks(graph, forward=True):
        for step, v in enumerate(path[:STEPS]):
            on[step, kind(graph, v)] += chance
    for i in range(40):
        assert found[f"suffix:{i}"] == pytest.approx(suffix[i], **ALMOST)
        assert found[f"prefix:{i}"] == pytest.approx(prefix[i], **ALMOST)
    for step in range(STEPS):
        for o in range(KINDS):
            assert found[f"position:b{step}{o}"] == pytest.approx(back[step, o], **ALMOST)
            assert found[f"position:f{step}{o}"] == pytest.approx(on[step, o], **ALMOST)


@given(cells(max_vertices=6))
def test_of_many_operations_sequences_end_after_two(cell):
    found = features_of(cell)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences, "MOST_ENUMERATED", KINDS - 1)
        few = features_of(cell)
    whole = 1 + KINDS + KINDS**2
    assert f"sequence:{whole - 1}" in few and f"sequence:{whole}" not in few
    for i in range(whole):
        assert few[f"sequence:{i}"] == found[f"sequence:{i}"]
        for group in ("suffix", "prefix"):
            # Of two operations: all sequences of three that begin with these, and these alone.
            pair = i - 1 - KINDS
            longer = [found[f"{group}:{whole + pair * KINDS + o}"] for o in range(KINDS)] if pair >= 0 else []
            assert few[f"{group}:{i}"] == pytest.approx(found[f"{group}:{i}"] + sum(longer), **ALMOST)
