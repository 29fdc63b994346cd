from collections import Counter
from itertools import combinations, combinations_with_replacement

from hypothesis import given
from pytest import MonkeyPatch

from nasgem_core.predictors.features import motifs
from tests.cells.graphs import cells
from tests.predictors.features.oracle import KINDS, features_of, graph_of, inner, kind, source_kind, target_kind

ENDS = KINDS + 1
PAIRS = list(combinations_with_replacement(range(ENDS), 2))


@given(cells(max_vertices=7))
def test_motifs_are_counted_by_the_operations_in_them(cell):
    found, graph = features_of(cell), graph_of(cell)
    chains, merges = Counter(), Counter()
    for v in inner(graph):
        for u in graph.predecessors(v):
            for w in graph.successors(v):
                chains[(source_kind(graph, u) * KINDS + kind(graph, v)) * ENDS + target_kind(graph, w)] += 1
    for v in graph:
        for u, w in combinations(graph.predecessors(v), 2):
            pair = tuple(sorted((source_kind(graph, u), source_kind(graph, w))))
            merges[target_kind(graph, v) * len(PAIRS) + PAIRS.index(pair)] += 1
    assert {name: value for name, value in found.items() if name.startswith("chain:") and value} == {
        f"chain:{i}": count for i, count in chains.items()
    }
    assert {name: value for name, value in found.items() if name.startswith("merge:") and value} == {
        f"merge:{i}": count for i, count in merges.items()
    }


@given(cells(max_vertices=6))
def test_of_many_operations_middles_and_targets_are_summed_over(cell):
    found = features_of(cell)
    with MonkeyPatch.context() as patch:
        patch.setattr(motifs, "MOST_ENUMERATED", KINDS - 1)
        names = motifs.motif_names(KINDS)
        few = features_of(cell)
    assert len(names) == ENDS * ENDS + len(PAIRS)
    for source in range(ENDS):
        for target in range(ENDS):
            chains = [found[f"chain:{(source * KINDS + middle) * ENDS + target}"] for middle in range(KINDS)]
            assert few[f"chain:{source * ENDS + target}"] == sum(chains)
    for i in range(len(PAIRS)):
        merges = [found[f"merge:{target * len(PAIRS) + i}"] for target in range(ENDS)]
        assert few[f"merge:{i}"] == sum(merges)
