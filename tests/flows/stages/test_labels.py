import json

import numpy as np

from nasgem_core.kernel.wl import wl_similarity
from tasks.stages.labels import METRICS_FILE, read_labels
from tasks.stages.pairs import unpack_pairs


def test_each_pair_has_its_similarity(small_search):
    packed, similarity = read_labels()
    pairs = unpack_pairs(packed)
    expected = wl_similarity(pairs.left, pairs.right, small_search.config.labels.iterations)
    np.testing.assert_array_equal(similarity, expected.astype(np.float32))
    assert json.loads(METRICS_FILE.read_text())["pairs"] == small_search.config.pairs.count
