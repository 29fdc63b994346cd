"""Stage `gemnet`: the networks for transfer of the chosen cell, each sized to a budget of multiply-adds."""

from prefect.artifacts import create_table_artifact

from flows.runtime.session import Session, stage_flow
from nasgem_core.figures.cell import draw_cell
from nasgem_core.figures.image import figure_png
from tasks.run.progress import say
from tasks.stages.best_cell import read_best_cell
from tasks.stages.gemnet import FOLDER, METRICS_FILE, PICTURE_FILE, build_gemnets, write_gemnets


@stage_flow("gemnet")
def gemnet(session: Session) -> None:
    """Read the chosen cell, write data/gemnet."""
    config = session.config.gemnet
    specs = build_gemnets(read_best_cell(), config)
    cell = specs[0].cell
    picture = figure_png(
        draw_cell(cell, f"Cell {cell.canonical_key[:8]}, repeated in {', '.join(s.name for s in specs)}")
    )
    metrics = write_gemnets(specs, picture)
    rows = []
    for spec, budget in zip(specs, config.macs, strict=True):
        row = metrics[spec.name]
        say(f"  {spec.name}: {row['macs'] / 1e6:.1f}M MACs of {budget / 1e6:g}M, {row['params'] / 1e6:.2f}M params")
        rows.append({"network": spec.name, "budget": budget, **row, "channels": str(list(spec.channels))})
    create_table_artifact(rows, key="gemnet", description="Networks of the chosen cell")
    values = {f"{name}.{key}": float(value) for name, row in metrics.items() for key, value in row.items()}
    files = [METRICS_FILE, PICTURE_FILE, *(FOLDER / f"{spec.name}.json" for spec in specs)]
    session.records.stage("gemnet", values, artifacts=files)
