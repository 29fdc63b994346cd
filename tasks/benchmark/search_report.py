"""How the benchmark's searches of tables are shown: the pick's accuracy, and regret against queries."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasgem_core.figures.image import figure_png
from nasgem_core.figures.page_parts import Picture, Table
from nasgem_core.figures.regret import draw_regret
from nasgem_core.figures.style import counted
from tasks.benchmark.files import mean_picks


def pick_tables(searches: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Return one table for each table of cells: the mean true accuracy of each search's pick, best first."""
    tables = []
    for table, found in mean_picks(searches).items():
        of_table = [row for row in searches if row["table"] == table]
        ranked = sorted(found.items(), key=lambda item: -item[1][0])
        rows = [
            [name, f"{100 * mean:.3f}" + (f" \N{PLUS-MINUS SIGN} {100 * half:.3f}" if np.isfinite(half) else "")]
            for name, (mean, half) in ranked
        ]
        best = 100 * (of_table[0]["picked_accuracy"] + of_table[0]["regret"][-1])
        each = counted(len(of_table) // len(found), "search", "searches")
        note = f"{each} each; the best cell of the table has {best:.3f} %"
        title = f"{table}: true accuracy of the pick after {len(of_table[0]['regret'])} queries, %"
        tables.append(Table(title, ["search", "accuracy"], rows, note=note))
    return tables


def search_pictures(searches: Sequence[Mapping[str, Any]]) -> dict[str, Picture]:
    """Return the plots of regret by file name."""
    pictures = {}
    for table in dict.fromkeys(row["table"] for row in searches):
        regrets: dict[str, list[np.ndarray]] = {}
        for row in searches:
            if row["table"] == table:
                regrets.setdefault(row["search"], []).append(np.asarray(row["regret"]))
        title = f"{table}: regret against queries"
        figure = draw_regret(title, {name: np.stack(values) for name, values in regrets.items()})
        words = f"regret of {', '.join(regrets)} on {table} against the number of queries"
        pictures[f"{table}_regret"] = Picture(title, figure_png(figure), words)
    return pictures
