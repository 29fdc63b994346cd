"""What `dvc plots` draws: two tables of the search as CSV, and pictures of stages."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tasks.stages.results import Results
from tasks.store.artifacts import DATA, write_bytes

PROGRESS_FILE = DATA / "report" / "progress.csv"
CELLS_FILE = DATA / "report" / "cells.csv"
PLOTS = f"""\
plots:
  - Best score so far, and the mean of random search:
      x: trained
      y:
        {PROGRESS_FILE}: [search, random]
      x_label: trained cells
      y_label: score
  - Trained cells:
      template: scatter
      x: macs
      y:
        {CELLS_FILE}: accuracy
      x_label: multiply-adds of the network that was trained
  - {DATA}/imagenet/curves.png
  - {DATA}/coco/curves.png
"""
"""The end of dvc.yaml."""


def write_plotted(results: Results) -> tuple[Path, Path]:
    """Write the tables; returns their files."""
    # Imported late: with it comes matplotlib, of which dvc.yaml has no need.
    from nasgem_core.figures.progress import best_of_random, best_so_far

    search = best_so_far(results.searched.score)
    chance = best_of_random(results.baseline.score)[0]
    progress = [
        (place + 1, *(float(scores[place]) if place < len(scores) else "" for scores in (search, chance)))
        for place in range(max(len(search), len(chance)))
    ]
    _write(PROGRESS_FILE, ("trained", "search", "random"), progress)
    usable = results.distinct.usable
    rows = [(row["key"], row["origin"], row["macs"], row["accuracy"], row["score"]) for row in usable.rows()]
    _write(CELLS_FILE, ("cell", "origin", "macs", "accuracy", "score"), rows)
    return PROGRESS_FILE, CELLS_FILE


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())
