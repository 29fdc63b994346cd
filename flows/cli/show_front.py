"""What `nasgem select --pareto` prints and draws."""

from pathlib import Path

from flows.cli.printing import out, print_table
from flows.runtime.environment import prepare_environment
from flows.stages.catalogue import require_outside_stages
from nasgem_core.errors import ParameterError
from tasks.run.parameters import load_config


def show_front(macs: str | None, penalty: float | None, top: int, picture: Path) -> None:
    """Print and draw the Pareto fronts of the networks that were trained, or else of the cells of the search.

    Args:
        macs: must be None, and so must `penalty`: a front has all budgets.
        penalty: as `macs`.
        top: dominated cells to list.
        picture: file of the plot.
    """
    if macs is not None or penalty is not None:
        raise ParameterError("--pareto shows the front for all budgets: leave out --macs and --penalty")
    prepare_environment(only_reads=True)
    from nasgem_core.figures.comparison import draw_fronts
    from nasgem_core.figures.image import save_figure
    from tasks.stages.front import front_table, read_compared

    require_outside_stages(picture, "name another file, such as data/selection/pareto.png")
    trained = read_compared(load_config())
    table = front_table(trained, top)
    print_table(table.title, table.header, [[str(value) for value in row] for row in table.rows])
    if table.note:
        out.print(table.note)
    picture.parent.mkdir(parents=True, exist_ok=True)
    save_figure(draw_fronts(trained.title, trained.compared, trained.accuracy), picture)
    out.print(f"drawn     {picture}")
