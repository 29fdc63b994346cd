"""A search as one of several that are compared, whether it is read from its folder or from MLflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nasgem_core.errors import DataError

COSTS = {
    "macs": ("MACs (M)", 1e6, ".3f"),
    "params": ("params (k)", 1e3, ".1f"),
    "latency_ms": ("latency (ms)", 1.0, ".4g"),
}
"""What a cell costs: words, unit and form, by the name of the figure."""
TOP1 = "top1_"
"""What the names of figures begin with that are the mean accuracies of trained networks."""
_JUDGED = ("proxy.", "score.")
"""Sections on whose values a score depends."""


@dataclass(frozen=True, eq=False)
class ComparedSearch:
    """What a search came to.

    Args:
        name: by which it is shown.
        parameters: all of them as text, by dotted name.
        accuracy: [N] of the cells that it trained, in the order of training; NaN where a training failed.
        score: [N] likewise.
        figures: of the whole search, such as `expected_score`, by name; as in `data/metrics/bootstrap.json`.
            Those of trained networks begin with `TOP1`.
        chosen: key of the chosen cell, empty where there is none yet.
        costs: of the chosen cell as the small network of the search, by the names in `COSTS`, as far as known.
    """

    name: str
    parameters: Mapping[str, str]
    accuracy: np.ndarray
    score: np.ndarray
    figures: Mapping[str, float] = field(default_factory=dict)
    chosen: str = ""
    costs: Mapping[str, float] = field(default_factory=dict)

    @property
    def best_score(self) -> np.ndarray:
        """The best score among the first 1, 2, ... trained cells, [N]; NaN until one has a score."""
        return np.fmax.accumulate(self.score)

    @property
    def best_accuracy(self) -> np.ndarray:
        """The accuracy of the cell with that score, [N]."""
        best = self.best_score
        new = np.isfinite(best) & (np.diff(best, prepend=-np.inf) != 0) & (self.score == best)
        last = np.maximum.accumulate(np.where(new, np.arange(len(best)), -1))
        return np.where(last < 0, np.nan, self.accuracy[last])


def named_apart(searches: Sequence[ComparedSearch]) -> None:
    """Raise `DataError` unless there are two or more searches with names of their own."""
    names = [search.name for search in searches]
    if len(names) < 2:
        raise DataError(f"{len(names)} searches: name two or more, by their folders or their runs in MLflow")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"two of the searches are {twice!r}: name each once")


def outcome_rows(searches: Sequence[ComparedSearch]) -> list[list[str]]:
    """Return a row for each figure that a search is judged by, with its words and the value of each search."""
    rows = [
        ["chosen cell", *(search.chosen[:8] or "-" for search in searches)],
        ["its score, trained again", *(_with_interval(search.figures, "expected_score") for search in searches)],
        ["above random search", *(_with_interval(search.figures, "expected_margin", "+") for search in searches)],
    ]
    trained = dict.fromkeys(name for search in searches for name in search.figures if name.startswith(TOP1))
    rows += [
        [f"top-1 of {name.removeprefix(TOP1)} (%)", *(_percent(search.figures.get(name)) for search in searches)]
        for name in trained
    ]
    rows += [
        [words, *(format(search.costs[name] / unit, form) if name in search.costs else "-" for search in searches)]
        for name, (words, unit, form) in COSTS.items()
    ]
    rows += [
        ["trained cells", *(str(len(search.score)) for search in searches)],
        ["best score of one training", *(_number(_last(search.best_score)) for search in searches)],
        ["accuracy of that training", *(_number(_last(search.best_accuracy)) for search in searches)],
    ]
    return [row for row in rows if set(row[1:]) != {"-"}]


def differing_rows(searches: Sequence[ComparedSearch]) -> list[list[str]]:
    """Return a row for each parameter that is not the same in all searches."""
    names = dict.fromkeys(name for search in searches for name in search.parameters)
    rows = [[name, *(search.parameters.get(name, "-") for search in searches)] for name in names]
    return [row for row in rows if len(set(row[1:])) > 1]


def judged_differently(searches: Sequence[ComparedSearch]) -> list[str]:
    """Return the parameters that differ and that scores depend on, so that these do not compare; the images first."""
    names = [name for name, *_ in differing_rows(searches) if name.startswith(_JUDGED)]
    return sorted(names, key=lambda name: name != "proxy.dataset")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _last(values: np.ndarray) -> float:
    return float(values[-1]) if len(values) else float("nan")


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None or np.isnan(value) else f"{value:{sign}.4f}"


def _with_interval(figures: Mapping[str, float], name: str, sign: str = "") -> str:
    half = figures.get(f"{name}_half_width")
    return _number(figures.get(name), sign) + ("" if half is None else f" +- {half:.4f}")
