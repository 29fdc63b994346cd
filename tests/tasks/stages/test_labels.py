import json

import numpy as np
import pytest

from nasgem_core.config.search import CellsConfig, LabelsConfig, PairsConfig
from nasgem_core.kernel.wl import wl_similarity
from tasks.stages.labels import METRICS_FILE, label_pairs, read_labels, similarity_summary, write_labels
from tasks.stages.pairs import generate_pairs, unpack_pairs
from tasks.store.fingerprint import fingerprint


@pytest.fixture
def packed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return generate_pairs.fn(CellsConfig(vertices=6), PairsConfig(count=100), 3)


def test_labels_are_the_kernel_s_similarities(packed):
    similarity = label_pairs.fn(packed, LabelsConfig(iterations=2))["similarity"]
    pairs = unpack_pairs(packed)
    np.testing.assert_allclose(similarity, wl_similarity(pairs.left, pairs.right, 2), rtol=1e-6)
    assert similarity.dtype == np.float32


def test_the_files_hold_pairs_labels_and_their_spread(packed):
    labelled = label_pairs.fn(packed, LabelsConfig())
    write_labels(packed, labelled)
    pairs, similarity = read_labels()
    assert fingerprint([pairs, similarity]) == fingerprint([packed, labelled["similarity"]])
    metrics = json.loads(METRICS_FILE.read_text())
    assert metrics["pairs"] == sum(metrics["histogram"]["counts"]) == 100


def test_the_summary_by_hand():
    found = similarity_summary(np.array([0.0, 0.5, 1.0, 0.51], dtype=np.float32))
    assert found["mean"] == pytest.approx(0.5025) and found["histogram"]["counts"][10] == 2
    assert len(found["histogram"]["edges"]) == 21
