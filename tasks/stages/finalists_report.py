"""The comparison of finalists in the report: its table and its picture."""

import numpy as np
import pandas as pd

from nasgem_core.figures.finalists import draw_finalists
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.page_parts import Picture, Table
from tasks.stages.best_cell import FINALIST_FILE, best_cell_file
from tasks.stages.finalists_results import ACCURACY, read_finalists
from tasks.stages.finalists_words import (
    agreement_words,
    choice_words,
    cost_words,
    epochs_text,
    finalists_summary,
    percent,
)
from tasks.stages.results import found_by, number_text
from tasks.stages.trained import KNOWN


def finalists_tables() -> list[Table]:
    """Return the table, best cell first; none where nothing was compared."""
    summary = finalists_summary()
    if not summary:
        return []
    table = read_finalists()
    rungs = _rungs(table)
    after = [f"after {epochs_text(epochs)} (%)" for epochs in rungs.values()]
    header = ["rank", "cell", "mean proxy score", *after, "MACs (M)", "params (M)", "found by"]
    rows = [
        [
            row["rank"],
            row["key"][:8],
            number_text(row["score"]),
            *(None if pd.isna(row[name]) else percent(row[name]) for name in rungs),
            f"{row['macs'] / 1e6:.2f}",
            f"{row['params'] / 1e6:.3f}",
            found_by(row),
        ]
        for row in table.to_dict("records")
    ]
    note = f"Top-1 on training images that were held out: {choice_words(summary)}."
    if rungs:
        note += f" As the best of several it is a little too high. {agreement_words(summary)} {cost_words(summary)}"
    return [Table("Finalists, compared on your images", header, rows, note)]


def finalists_facts() -> dict[str, str]:
    """Return what the chosen cell was chosen among, where it was chosen by this stage."""
    if best_cell_file() != FINALIST_FILE:
        return {}
    return {"chosen among": f"{finalists_summary()['cells']} finalists on your images"}


def finalists_pictures() -> dict[str, Picture]:
    """Return the picture of the accuracies, by the name of its file; none where nothing was trained."""
    table = read_finalists()
    rungs = _rungs(table)
    if not rungs:
        return {}
    searched = finalists_summary()["searched"]
    known = np.flatnonzero(table["origin"].str.startswith(KNOWN))[:1].tolist()
    own = np.flatnonzero(table["key"] == searched)[:1].tolist()
    words = [(row, f"the search's choice, {searched[:8]}") for row in own]
    words += [(row, f"best known block, {table['origin'][row].partition(': ')[2]}") for row in known]
    marked = {0: f"chosen: {table['key'][0][:8]}"}
    for row, text in words:
        marked[row] = f"{marked[row]}; {text}" if row in marked else text
    figure = draw_finalists(list(rungs.values()), table[list(rungs)].to_numpy(), marked)
    text = "top-1 of each finalist on held-out training images after each rung of epochs"
    return {"finalists": Picture("Finalists on your images", figure_png(figure), text)}


def _rungs(table: pd.DataFrame) -> dict[str, int]:
    """Return the epochs trained by the end of each rung, by the name of its column."""
    return {name: int(name.removeprefix(ACCURACY)) for name in table.columns if name.startswith(ACCURACY)}
