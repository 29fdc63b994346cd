"""What the command line shows of a search's results."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.cli.printing import out, print_table
from flows.runtime.environment import prepare_environment
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.text import cell_text
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError, NasgemError, ParameterError
from nasgem_core.search.at_budget import formula_of
from tasks.run.documents import read_document
from tasks.run.parameters import load_config
from tasks.stages.best_cell import FINALIST_FILE, best_cell_file
from tasks.stages.finalists_words import choice_words, finalists_summary
from tasks.stages.results import (
    Results,
    best_cells_table,
    cells_table,
    charged_words,
    column_words,
    cost_text,
    estimate_text,
    finalists_table,
    found_by,
    read_selected,
)
from tasks.store.artifacts import DATA

if TYPE_CHECKING:
    from flows.selection import Selection


def show_results() -> None:
    """Print the best cells, the chosen one, what random search found, and where everything is."""
    from flows.cli.next_steps import print_next_steps

    results = Results(load_config())
    summary = results.metrics("bootstrap")
    print_table("Best measured cells", *best_cells_table(results.distinct))
    repeated = "finalists" in summary
    if repeated:
        print_table("Finalists, trained again: the highest mean is chosen", *finalists_table(summary))
    _print_cell(results.best_cell)
    searched, chosen = results.searched_best, "Chosen"
    if best_cell_file() == FINALIST_FILE:
        out.print_words(f"\nChosen among finalists: {choice_words(finalists_summary())}.")
        chosen = "The search's choice"
    score = (
        f"expected score {estimate_text(summary, 'expected_score')}" if repeated else f"score {searched['score']:.4f}"
    )
    out.print_words(f"\n{chosen}: cell {searched['key'][:8]}, {score} ({formula_of(results.config.score)})")
    if repeated:
        out.print_words(
            "The expected score, with its 95 % interval, is from trainings after the choice; the first training gave "
            f"{searched['score']:.4f}."
        )
    if "random_best_score" in summary:
        out.print_words(_random_search_words(summary))
    show_places()
    print_next_steps(results.best_cell.canonical_key[:8], results.config)


def _random_search_words(summary: Mapping[str, Any]) -> str:
    if "expected_margin" in summary:
        chance = estimate_text(summary, "random_expected_score")
        margin = estimate_text(summary, "expected_margin", sign="+")
        return (
            f"Random search with {summary['random_cells'] + summary['repeated_trainings']} trainings: expected score "
            f"{chance}, so the search is {margin} above it."
        )
    return (
        f"Random search with {summary['random_cells']} trainings: {summary['random_best_score']:.4f}, "
        f"so the search is {summary['margin_over_random']:+.4f} above it."
    )


def show_benchmark() -> None:
    """Print Kendall's tau of all predictors, and where everything is."""
    from tasks.benchmark.files import FOLDER, read_searches
    from tasks.benchmark.search_report import pick_tables
    from tasks.benchmark.trial_report import tau_tables

    for table in [*tau_tables(), *pick_tables(read_searches())]:
        print_table(table.title, table.header, [[str(value) for value in row] for row in table.rows])
        if table.note:
            out.print(table.note)
    out.print(f"\nReport    {FOLDER / 'benchmark.html'}  (one file; plots and trials.parquet too)")


def show_places() -> None:
    """Print where the results are and the line that opens MLflow on them."""
    from tasks.mlflow_runs.tracking import tracking_uri, ui_command

    report = DATA / "report" / "report.html"
    out.print(
        f"\nReport    {report}  (one file; its pictures are next to it too)"
        if report.is_file()
        else "\nReport    not written yet"
    )
    out.print(f"Results   {DATA}/  (one folder per stage, metrics in {DATA / 'metrics'})")
    uri = tracking_uri(Path.cwd()).replace(f"{Path.cwd()}/", "")
    out.print(f"MLflow    {ui_command(uri)}", soft_wrap=True)


def show_cell(name: str, picture: Path | None) -> None:
    """Print one cell, with its costs and measurements where they are known."""
    prepare_environment(only_reads=True)
    config = load_config()
    cell, row = find_cell(name, config)
    _print_cell(cell)
    out.print(f"\nkey       {cell.canonical_key}")
    for line in (*_cost_lines(cell, config), *_trained_lines(cell)):
        out.print(line, soft_wrap=True)
    if row is not None:
        state = f"failed: {row['reason']}" if row["failed"] else f"{row['accuracy']:.4f}, score {row['score']:.4f}"
        out.print(f"accuracy  {state}\nfound by  {found_by(row)}")
        for label, words in charged_words(row).items():
            out.print(f"{label:<9} {words}; the score charges it, not the MACs")
    if picture is not None:
        from nasgem_core.figures.cell import draw_cell
        from nasgem_core.figures.image import save_figure

        save_figure(draw_cell(cell, f"Cell {cell.canonical_key[:8]}"), picture)
        out.print(f"drawn     {picture}")


def _cost_lines(cell: Cell, config: SearchConfig) -> list[str]:
    """Return the costs of the network that a cell becomes in a search, or that it has none at the budget."""
    from tasks.stages.networks import search_networks
    from tasks.stages.proxy_images import open_images

    networks = search_networks(config, open_images(config.proxy, "data/raw"))
    try:
        costs = networks.complexity(CellBatch.from_cells([cell]))
    except ParameterError as error:
        return [f"network   none at score.budget: {error}"]
    network = f"GEMNet at score.budget = {config.score.budget}" if config.score.budget else "proxy network"
    return [f"MACs      {costs.macs[0] / 1e6:.3f} M", f"params    {costs.params[0] / 1e3:.1f} k ({network})"]


def _trained_lines(cell: Cell) -> list[str]:
    """Return what stage `imagenet` has found of the networks of a cell, where it is the one that was built."""
    from tasks.stages.imagenet_table import accuracy_text, read_networks
    from tasks.stages.imagenet_table import cost_text as network_cost

    networks = read_networks()[0]
    if not networks:
        return []
    from tasks.stages.imagenet_networks import GEMNET, built_cell  # with Torch

    rows = {name: row for name, row in networks.items() if name.startswith(GEMNET)}
    if not rows or cell != built_cell():
        return []
    return [
        f"trained   {name}: top-1 {accuracy_text(row['top1'])} %  {network_cost(row)}" for name, row in rows.items()
    ]


def show_selection(selection: "Selection") -> None:
    """Print what was chosen under another penalty or budget."""
    bound = f"at most {selection.max_macs / 1e6:g} M MACs" if selection.max_macs else "no bound on MACs"
    out.print_words(f"score: {selection.objective.formula}, {bound}; nothing was trained")
    print_table("Best measured cells", *cells_table(selection.measured[:10], selection.expected[:10]))
    found, added = selection.predicted, selection.predicted_columns
    header = ["cell", "predicted score", *map(column_words, added), "MACs M", "params k"]
    params = selection.objective.networks.complexity(found.cells).params
    rows = [
        [
            key[:8],
            f"{found.predicted[i]:.4f}",
            *(cost_text(column[i]) for column in added.values()),
            f"{found.macs[i] / 1e6:.3f}",
            f"{params[i] / 1e3:.1f}",
        ]
        for i, key in enumerate(found.cells.keys)
    ]
    print_table("Best predicted cells, not trained yet", header, rows)


def show_status() -> None:
    """Print one line per stage: whether its files are there, and since when."""
    prepare_environment(only_reads=True)
    from flows.runtime.lock import who_works_here
    from flows.stages.catalogue import STAGES
    from tasks.run.history import moment_text

    rows = []
    for name in STAGES:
        files = [path for path in (DATA / name).glob("*") if path.is_file() and not path.name.startswith(".")]
        newest = max((path.stat().st_mtime for path in files), default=None)
        moment = "not run yet" if newest is None else moment_text(newest)
        rows.append([name, moment, str(len(files)), f"{sum(path.stat().st_size for path in files) / 1e6:.1f}"])
    print_table("Stages", ["stage", "written", "files", "MB"], rows)
    out.print(f"{who_works_here() or 'Nothing is running in this folder'}.")
    show_places()


def find_cell(name: str, config: Any) -> tuple[Cell, dict[str, Any] | None]:
    """Return a cell by the first digits of its key, "best" or a JSON file, and its row of the table if it was trained.

    Raises:
        DataError: none or several have it, or the file cannot be read.
    """
    if name.endswith(".json"):
        try:
            document = read_document(Path(name))
            holds_one = isinstance(document, dict) and "cell" in document
            return Cell.from_dict(document["cell"] if holds_one else document), None
        except OSError as error:
            raise DataError(f"{name} cannot be read: {error.strerror}") from None
        except NasgemError as error:
            raise DataError(f"{name}: {error}; give a file with a cell, such as best_cell.json") from None
    results = Results(config)
    if name == "best":
        return results.best_cell, results.best
    trained = results.distinct
    places = [place for place, key in enumerate(trained.key) if key.startswith(name)]
    found: list[tuple[Cell, dict[str, Any] | None]]
    found = [(trained.cells.cell(place), trained.row(place)) for place in places]
    found = found or [(cell, None) for cell in read_selected() if cell.canonical_key.startswith(name)]
    if len(found) != 1:
        known = f"{len(found)} cells start with it" if found else "no trained or selected cell starts with it"
        raise DataError(f"cell {name!r}: {known}; give more digits of a key, 'best', or a JSON file")
    return found[0]


def _print_cell(cell: Cell) -> None:
    out.print()
    out.print(cell_text(cell), soft_wrap=True)
