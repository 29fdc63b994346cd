"""Stage `ablation`: Figure 6, the similarity loss for each n and d."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from flows.runtime.session import Session, stage_flow
from nasgem_core.figures.ablation import draw_ablation
from nasgem_core.figures.image import save_figure
from nasgem_core.seeding import derive_seed
from tasks.run.progress import say
from tasks.stages.ablation import CURVES_FILE, METRICS_FILE, fit_for_ablation, grid_encoder, write_ablation

FIGURE_FILE = CURVES_FILE.with_name("figure6.png")


@stage_flow("ablation")
def ablation(session: Session) -> None:
    """Fit one encoder for each n and d, write data/ablation."""
    config = session.config
    grid = config.ablation
    if not grid.vertices:
        say("  skipped: ablation.vertices names no size of cells")
        write_ablation([])
        FIGURE_FILE.unlink(missing_ok=True)
        session.records.stage("ablation", {})
        return
    curves = [
        fit_for_ablation(
            cells=replace(config.cells, vertices=vertices),
            pairs=replace(config.pairs, count=grid.pairs),
            labels=config.labels,
            encoder=grid_encoder(config.encoder, dimension, grid.iterations),
            seed=derive_seed(config.seed, "ablation", vertices),
            placement=session.placement,
        )
        for vertices in grid.vertices
        for dimension in grid.dimensions
    ]
    write_ablation(curves)
    losses = {(curve["vertices"], curve["dimension"]): np.array(curve["losses"]) for curve in curves}
    figure = draw_ablation(np.array(curves[0]["steps"]), losses, pairs=curves[0]["held_out_pairs"])
    save_figure(figure, Path(FIGURE_FILE))
    metrics = {
        f"{name}_n{curve['vertices']}_d{curve['dimension']}": curve[name]
        for curve in curves
        for name in ("similarity_loss", "r_squared")
    }
    session.records.stage("ablation", metrics, artifacts=[METRICS_FILE, FIGURE_FILE])
