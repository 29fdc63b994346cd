"""Task of Figure 6 (paper 4.5): the similarity loss over training for n vertices and d dimensions."""

from dataclasses import replace
from typing import Any

import numpy as np

from nasgem_core.config.search import CellsConfig, EncoderConfig, LabelsConfig, PairsConfig
from nasgem_core.encoders.fitting import fit_encoder
from nasgem_core.kernel.pairs import draw_pairs
from nasgem_core.kernel.wl import wl_similarity
from nasgem_core.seeding import derive_seed
from tasks.run.placement import Placement
from tasks.run.progress import progress_bar
from tasks.store.artifacts import DATA, METRICS, write_json
from tasks.store.caching import cached_task

CURVES_FILE = DATA / "ablation" / "curves.json"
METRICS_FILE = METRICS / "ablation.json"
SCHEMA = "nasgem.ablation/1"


@cached_task("encoder ablation")
def fit_for_ablation(
    *,
    cells: CellsConfig,
    pairs: PairsConfig,
    labels: LabelsConfig,
    encoder: EncoderConfig,
    seed: int,
    placement: Placement,
) -> dict[str, Any]:
    """Fit one encoder of the grid on pairs of its own; returns steps and held-out losses."""
    drawn = draw_pairs(cells, pairs, derive_seed(seed, "pairs"))
    similarity = wl_similarity(drawn.left, drawn.right, labels.iterations).astype(np.float32)
    with progress_bar(f"Figure 6: n = {cells.vertices}, d = {encoder.dimension}", encoder.iterations) as bar:
        fitted = fit_encoder(
            drawn, similarity, encoder, derive_seed(seed, "fit"), device=placement.device, on_progress=bar.update
        )
    report = fitted.report
    return {
        "vertices": cells.vertices,
        "dimension": encoder.dimension,
        "held_out_pairs": report.held_out_pairs,
        "steps": [point.step for point in report.curve],
        "losses": [point.held_out_similarity_loss for point in report.curve],
        "similarity_loss": report.similarity_loss,
        "constant_similarity_loss": report.constant_similarity_loss,
        "r_squared": report.r_squared,
    }


def grid_encoder(encoder: EncoderConfig, dimension: int, iterations: int) -> EncoderConfig:
    """Return the encoder of one place of the grid."""
    return replace(encoder, dimension=dimension, iterations=iterations)


def write_ablation(curves: list[dict[str, Any]]) -> None:
    """Write the stage's files."""
    write_json(CURVES_FILE, SCHEMA, {"curves": curves})
    rows = {
        f"n{curve['vertices']}_d{curve['dimension']}": {
            name: curve[name] for name in ("similarity_loss", "constant_similarity_loss", "r_squared")
        }
        for curve in curves
    }
    write_json(METRICS_FILE, "nasgem.metrics/1", rows)
