"""Stage `nasgem_bench` (paper, section 4): a table of small cells with their measured accuracies.

Hours of training that no search needs, so this stage is not part of the search and is run by its own name.
"""

import numpy as np

from flows.runtime.session import Session, stage_flow
from flows.stages.train_cells import Settings, Source, train_cells
from nasgem_core.benchmarks.nasgem_bench import draw_cells, enumerate_cells, training_blocks
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.figures.image import save_figure
from nasgem_core.figures.pareto import draw_pareto
from nasgem_core.search.objective import objective_class
from nasgem_core.seeding import derive_seed
from tasks.mlflow_runs.records import finite
from tasks.run.progress import say
from tasks.stages.nasgem_bench import (
    FOLDER,
    LABEL,
    METRICS_FILE,
    RUNS_FILE,
    TABLE_FILE,
    bench_summary,
    bench_table,
    write_bench,
)
from tasks.stages.networks import proxy_networks
from tasks.stages.proxy import run_seed
from tasks.stages.trained import TrainedCells

FIGURE_FILE = FOLDER / "accuracy.png"


@stage_flow("nasgem_bench")
def nasgem_bench(session: Session) -> None:
    """Draw distinct cells, train each, some repeatedly, and write data/nasgem_bench."""
    config, seed = session.config.nasgem_bench, session.config.seed
    training = config.training(session.config.proxy)
    existing = enumerate_cells(config.vertices)
    drawn = draw_cells(existing, config.cells, derive_seed(seed, "nasgem_bench"))
    say(f"  {len(existing)} cells of at most {config.vertices} vertices exist, {len(drawn)} are drawn")
    objective = objective_class("macs").open(
        "macs", proxy_networks(training, session.images), session.config.score.penalty
    )
    runs = TrainedCells.concatenate(
        [
            train_cells(
                session,
                drawn[part],
                Source("nasgem_bench", f"run {run}", run),
                settings=Settings(objective, training, run_seed(seed, run)),
            )
            for part, run in training_blocks(len(drawn), config.repeated, config.runs)
        ]
    )
    table = bench_table(runs)
    summary = bench_summary(runs, existing, training, session.images.content_hash, seed)
    write_bench(runs, table, summary)
    _draw(table, session.config.score.penalty)
    session.records.stage("nasgem_bench", finite(summary), artifacts=[METRICS_FILE, TABLE_FILE, RUNS_FILE, FIGURE_FILE])


def _draw(table: TabularSpace, penalty: float) -> None:
    """Draw accuracy against multiply-adds, with a colour for each size."""
    sizes = table.cells.num_vertices
    order = np.argsort(sizes, kind="stable")
    origins = [f"{size} vertices" for size in sizes[order]]
    save_figure(draw_pareto(table.metrics["macs"][order], table.metrics[LABEL][order], origins, penalty), FIGURE_FILE)
