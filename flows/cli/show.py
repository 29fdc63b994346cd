"""What the command line shows of a search's results."""

from pathlib import Path
from typing import Any

import pandas as pd

from flows.cli.printing import out, print_table
from flows.runtime.environment import prepare_environment
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.text import cell_text
from nasgem_core.errors import DataError, NasgemError
from tasks.run.parameters import load_config
from tasks.stages.results import Results, best_cells_table, read_selected
from tasks.stages.trained import latency_words
from tasks.store.artifacts import DATA


def show_results() -> None:
    """Print the best cells, the chosen one, random search beside it, and where everything lies."""
    results = Results(load_config())
    summary = results.metrics("bootstrap")
    print_table("Best measured cells", *best_cells_table(results.distinct))
    _print_cell(results.best_cell)
    line = f"Chosen: cell {results.best['key'][:8]}, score {results.best['score']:.4f} (accuracy - {_penalty(results)})"
    out.print(f"\n{line}")
    if "random_best_score" in summary:
        out.print(
            f"Random search with {summary['random_cells']} trainings: {summary['random_best_score']:.4f}, "
            f"so the search is {summary['margin_over_random']:+.4f} above it."
        )
    show_places()


def show_benchmark() -> None:
    """Print Kendall's tau of all predictors, and where everything lies."""
    from tasks.benchmark.files import FOLDER, read_searches
    from tasks.benchmark.search_report import pick_tables
    from tasks.benchmark.trial_report import tau_tables

    for table in [*tau_tables(), *pick_tables(read_searches())]:
        print_table(table.title, table.header, [[str(value) for value in row] for row in table.rows])
        if table.note:
            out.print(table.note)
    out.print(f"\nReport    {FOLDER / 'benchmark.html'}  (plots and trials.parquet beside it)")


def show_places() -> None:
    """Print where the results lie and the line that opens MLflow on them."""
    from tasks.mlflow_runs.tracking import tracking_uri, ui_command

    report = DATA / "report" / "report.html"
    out.print(f"\nReport    {report}  (pictures beside it)" if report.is_file() else "\nReport    not written yet")
    out.print(f"Results   {DATA}/  (one folder a stage, metrics in {DATA / 'metrics'})")
    uri = tracking_uri(Path.cwd()).replace(f"{Path.cwd()}/", "")
    out.print(f"MLflow    {ui_command(uri)}", soft_wrap=True)


def show_cell(name: str, picture: Path | None) -> None:
    """Print one cell, with its costs and measurements where they are known."""
    prepare_environment()
    config = load_config()
    cell, row = find_cell(name, config)
    _print_cell(cell)
    out.print(f"\nkey       {cell.canonical_key}")
    from tasks.stages.proxy import costs_of, open_images

    batch = CellBatch.from_cells([cell])
    costs = costs_of(batch, config.proxy, open_images(config.proxy, "data/raw"))
    out.print(f"MACs      {costs.macs[0] / 1e6:.3f} M\nparams    {costs.params[0] / 1e3:.1f} k (proxy network)")
    if row is not None:
        state = f"failed: {row['reason']}" if row["failed"] else f"{row['accuracy']:.4f}, score {row['score']:.4f}"
        out.print(f"accuracy  {state}")
        latency, told_by = latency_words(row)
        if told_by != "-":
            out.print(f"latency   {latency} ms, told by the {told_by}; the score charges it, not the MACs")
    if picture is not None:
        from nasgem_core.figures.cell import draw_cell
        from nasgem_core.figures.image import save_figure

        save_figure(draw_cell(cell, f"Cell {cell.canonical_key[:8]}"), picture)
        out.print(f"drawn     {picture}")


def show_selection(penalty: float, budget: int, measured: pd.DataFrame, predicted: list[dict[str, Any]]) -> None:
    """Print what was chosen under another penalty or budget."""
    bound = f"at most {budget / 1e6:g} M MACs" if budget else "no bound on MACs"
    out.print(f"penalty {penalty:g}, {bound}; nothing was trained")
    print_table("Best measured cells", *best_cells_table(measured))
    rows = [
        [
            cell["cell"].canonical_key[:8],
            f"{cell['predicted']:.4f}",
            *([f"{cell['latency_ms']:.5g}"] if "latency_ms" in cell else []),
            f"{cell['macs'] / 1e6:.3f}",
        ]
        for cell in predicted
    ]
    latency = ["latency ms, told by the model"] if "latency_ms" in (predicted or [{}])[0] else []
    print_table("Best predicted cells, not trained yet", ["cell", "predicted score", *latency, "MACs (M)"], rows)


def show_status() -> None:
    """Print a line a stage: whether its files are there, and since when."""
    prepare_environment()
    from datetime import datetime

    from flows.runtime.lock import folder_lock
    from flows.stages.catalogue import STAGE_NAMES
    from nasgem_core.errors import NasgemError

    rows = []
    for name in STAGE_NAMES:
        files = [path for path in (DATA / name).glob("*") if path.is_file() and not path.name.startswith(".")]
        newest = max((path.stat().st_mtime for path in files), default=None)
        moment = "not run yet" if newest is None else datetime.fromtimestamp(newest).strftime("%Y-%m-%d %H:%M")
        rows.append([name, moment, str(len(files)), f"{sum(path.stat().st_size for path in files) / 1e6:.1f}"])
    print_table("Stages", ["stage", "written", "files", "MB"], rows)
    try:
        with folder_lock():
            out.print("Nothing is running in this folder.")
    except NasgemError as error:
        out.print(str(error).split(":")[0] + ".")
    show_places()


def find_cell(name: str, config: Any) -> tuple[Cell, Any]:
    """Return a cell by the first digits of its key, "best" or a JSON file, and its row if it was trained.

    Raises:
        DataError: none or several have it, or the file cannot be read.
    """
    if name.endswith(".json"):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except OSError as error:
            raise DataError(f"{name} cannot be read: {error.strerror}") from None
        except ValueError:
            raise DataError(f"{name} is no text: give a file with a cell, such as best_cell.json") from None
        try:
            return _cell_of_file(text), None
        except NasgemError as error:
            raise DataError(f"{name}: {error}; give a file with a cell, such as best_cell.json") from None
    results = Results(config)
    if name == "best":
        return results.best_cell, results.best
    table = results.distinct
    rows = table[table["key"].str.startswith(name)]
    found = [(Cell.from_json(row["cell"]), row) for _, row in rows.iterrows()]
    found = found or [(cell, None) for cell in read_selected() if cell.canonical_key.startswith(name)]
    if len(found) != 1:
        known = f"{len(found)} cells start with it" if found else "no trained or selected cell starts with it"
        raise DataError(f"cell {name!r}: {known}; give more digits of a key, 'best', or a JSON file")
    return found[0]


def _cell_of_file(text: str) -> Cell:
    import json

    try:
        document = json.loads(text)
    except ValueError:
        document = text
    if isinstance(document, dict) and "cell" in document:
        return Cell.from_dict(document["cell"])
    return Cell.from_json(text)


def _penalty(results: Results) -> str:
    charged = "MACs in millions" if results.config.score.objective == "macs" else "latency in ms"
    return f"{results.config.score.penalty:g} log10({charged})"


def _print_cell(cell: Cell) -> None:
    out.print()
    out.print(cell_text(cell), markup=False, soft_wrap=True)
