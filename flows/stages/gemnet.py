"""Stage `gemnet`: the networks for transfer of the chosen cell, each sized to a budget of multiply-adds."""

from prefect.artifacts import create_table_artifact

from flows.runtime.session import Session, stage_flow
from nasgem_core.backbones.channels import Budget
from nasgem_core.figures.cell import draw_cell
from nasgem_core.figures.image import figure_png
from nasgem_core.search.target_networks import TargetNetworks
from tasks.run.progress import say
from tasks.stages.best_cell import read_best_cell
from tasks.stages.gemnet import FOLDER, METRICS_FILE, PICTURE_FILE, build_gemnets, build_target, write_gemnets


@stage_flow("gemnet")
def gemnet(session: Session) -> None:
    """Read the chosen cell, write data/gemnet: the network at the score's budget, or those of the section's budgets."""
    config, networks = session.config.gemnet, session.networks
    if isinstance(networks, TargetNetworks):
        specs, budgets = [build_target(read_best_cell(), config, networks)], [networks.budget]
    else:
        specs, budgets = build_gemnets(read_best_cell(), config), [Budget(macs) for macs in config.macs]
    cell = specs[0].cell
    picture = figure_png(
        draw_cell(cell, f"Cell {cell.canonical_key[:8]}, repeated in {', '.join(s.name for s in specs)}")
    )
    metrics = write_gemnets(specs, picture)
    rows = []
    for spec, budget in zip(specs, budgets, strict=True):
        row = metrics[spec.name]
        say(f"  {spec.name}: {row['macs'] / 1e6:.1f}M MACs, {row['params'] / 1e6:.2f}M params; budget {budget.words}")
        rows.append({"network": spec.name, "budget": budget.words, **row, "channels": str(list(spec.channels))})
    create_table_artifact(rows, key="gemnet", description="Networks of the chosen cell")
    values = {f"{name}.{key}": float(value) for name, row in metrics.items() for key, value in row.items()}
    files = [METRICS_FILE, PICTURE_FILE, *(FOLDER / f"{spec.name}.json" for spec in specs)]
    session.records.stage("gemnet", values, artifacts=files)
