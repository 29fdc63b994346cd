"""Task "WL labeling" (Eq. 1) and the files of stage `labels`: the labelled pairs as one versioned file."""

from typing import Any

import numpy as np

from nasgem_core.config.search import LabelsConfig
from nasgem_core.kernel.wl import wl_similarity
from tasks.stages.pairs import packed_pairs, unpack_pairs
from tasks.store.artifacts import DATA, METRICS, read_arrays, write_arrays, write_json
from tasks.store.caching import cached_task

LABELLED_PAIRS_FILE = DATA / "labels" / "labelled_pairs.npz"
METRICS_FILE = METRICS / "labels.json"
SCHEMA = "nasgem.labelled_pairs/1"
_BINS = 20


@cached_task("WL labeling")
def label_pairs(packed: dict[str, Any], config: LabelsConfig) -> dict[str, Any]:
    """Return the kernel similarity of each pair, float32."""
    pairs = unpack_pairs(packed)
    return {"similarity": wl_similarity(pairs.left, pairs.right, config.iterations).astype(np.float32)}


def similarity_summary(similarity: np.ndarray) -> dict[str, Any]:
    """Return how the similarities spread: mean, deviation and a histogram over [0, 1]."""
    counts, edges = np.histogram(similarity, bins=_BINS, range=(0, 1))
    return {
        "pairs": len(similarity),
        "mean": float(similarity.mean()),
        "standard_deviation": float(similarity.std()),
        "histogram": {"edges": [round(float(edge), 3) for edge in edges], "counts": counts.tolist()},
    }


def write_labels(packed: dict[str, Any], labels: dict[str, Any]) -> None:
    """Write the stage's files."""
    arrays = {f"{side}_{name}": array for side in ("left", "right") for name, array in packed[side].items()}
    write_arrays(LABELLED_PAIRS_FILE, SCHEMA, {**arrays, **labels}, {"operations": packed["operations"]})
    write_json(METRICS_FILE, "nasgem.metrics/1", similarity_summary(labels["similarity"]))


def read_labels() -> tuple[dict[str, Any], np.ndarray]:
    """Return the packed pairs and their similarity [P]; raises `DataError` when the file is missing or foreign."""
    arrays, metadata = read_arrays(LABELLED_PAIRS_FILE, SCHEMA)
    similarity = arrays.pop("similarity")
    return packed_pairs(arrays, metadata["operations"]), similarity
