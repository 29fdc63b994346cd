"""How the benchmark's trials are shown: tables and plots by table of cells, best predictor first."""

from collections.abc import Iterator, Mapping

import numpy as np

from nasgem_core.figures.image import figure_png
from nasgem_core.figures.page_parts import Picture, Table
from nasgem_core.figures.predictors import draw_predictors
from nasgem_core.predictors.embedding_report import REPORTED
from tasks.benchmark.files import BIAS, RANKING, Summary, one_label, read_trials, summarise
from tasks.benchmark.tables import open_table

_TABLES = {
    "kendall_tau": ("Kendall tau", 3),
    "spearman_rho": ("Spearman rho", 3),
    "pearson_r": ("Pearson r", 3),
    "top_precision": ("precision in the top 1 %", 3),
    "rank_at_10": ("N@10, true rank of the best of ten", 1),
    "similarity_correlation": ("Spearman rho of similarity and difference in accuracy (Figure 1)", 3),
    "lipschitz_bound": ("bound of the Lipschitz constant K (Eq. 6)", 3),
    "embedding_variance": ("variance of embeddings (Eq. 13)", 3),
    "prediction_variance": ("variance of predictions (Eq. 13)", 4),
    "variance_bound": ("K^2 times the variance of embeddings, their bound (Eq. 13)", 2),
    "fit_seconds": ("seconds per fit, one core", 1),
    "seconds_per_million": ("seconds per million predictions, one core", 1),
}
"""Title and decimals of each measure."""
_DRAWN = ("kendall_tau", "top_precision")
_BIAS_TITLE, _BIAS_DECIMALS = "prediction bias (Figure 5)", 4
_LABEL = "one label"
_Figures = Mapping[str, Mapping[int, Mapping[str, tuple[float, float]]]]
"""By predictor, number of training cells and measure."""


def predictor_tables(ranking: Summary, bias: Summary, ceilings: Mapping[str, Mapping[str, float]]) -> list[Table]:
    """Return a table per table of cells and measure: a row per predictor, a column per number of training cells."""
    tables = []
    for table, by_predictor in ranking.items():
        for measure, (title, decimals) in _TABLES.items():
            ceiling = ceilings[table].get(measure, float("nan"))
            header, rows = _grid(by_predictor, measure, decimals)
            note = f"{_LABEL}, ranked by itself: {ceiling:.{decimals}f}" if np.isfinite(ceiling) else ""
            if rows:
                tables.append(Table(f"{table}: {title}", header, rows, note=note))
    for table, by_predictor in bias.items():
        tables.append(Table(f"{table}: {_BIAS_TITLE}", *_grid(by_predictor, BIAS, _BIAS_DECIMALS)))
    return tables


def predictor_pictures(
    ranking: Summary, bias: Summary, ceilings: Mapping[str, Mapping[str, float]], splits: int
) -> dict[str, Picture]:
    """Return the plots by file name."""
    pictures = {}
    for table, by_predictor in ranking.items():
        for measure in _DRAWN:
            ceiling = ceilings[table][measure]
            pictures[f"{table}_{measure}"] = _picture(table, measure, by_predictor, splits=splits, ceiling=ceiling)
    for table, by_predictor in bias.items():
        pictures[f"{table}_{BIAS}"] = _picture(table, BIAS, by_predictor, splits=splits)
    return pictures


def tau_tables() -> list[Table]:
    """Return the tables of Kendall's tau of the trials that were written last."""
    trials = read_trials()
    ranking = summarise(trials, RANKING)
    ceilings = {table: one_label(open_table(table)) for table in ranking}
    return [
        table for table in predictor_tables(ranking, {}, ceilings) if table.title.endswith(_TABLES["kendall_tau"][0])
    ]


def mean_taus(ranking: Summary) -> dict[str, float]:
    """Return Kendall's tau by a name that MLflow takes."""
    return {
        f"kendall_tau.{table}.{predictor}.{size}": found["kendall_tau"][0]
        for table, by_predictor in ranking.items()
        for predictor, by_size in by_predictor.items()
        for size, found in by_size.items()
    }


def _grid(by_predictor: _Figures, measure: str, decimals: int) -> tuple[list[str], list[list[str]]]:
    sizes = sorted({size for by_size in by_predictor.values() for size in by_size})
    largest = {
        name: by_size[max(by_size)][measure][0] if by_size else float("nan") for name, by_size in by_predictor.items()
    }
    # Most predictors have no embedding to report on.
    shown = [name for name in by_predictor if measure not in REPORTED or np.isfinite(largest[name])]
    order = sorted(shown, key=lambda name: -np.nan_to_num(largest[name], nan=-np.inf))
    rows = [[name, *_words(by_predictor[name], measure, sizes, decimals)] for name in order]
    return ["predictor", *(f"{size:,}" for size in sizes)], rows


def _words(
    by_size: Mapping[int, Mapping[str, tuple[float, float]]], measure: str, sizes: list[int], decimals: int
) -> Iterator[str]:
    for size in sizes:
        mean, half = by_size[size][measure] if size in by_size else (float("nan"), float("nan"))
        interval = f" \N{PLUS-MINUS SIGN} {half:.{decimals}f}" if np.isfinite(half) else ""
        yield f"{mean:.{decimals}f}{interval}" if np.isfinite(mean) else "-"


def _picture(table: str, measure: str, by_predictor: _Figures, *, splits: int, ceiling: float | None = None) -> Picture:
    title = _BIAS_TITLE if measure == BIAS else _TABLES[measure][0]
    curves = {name: {size: found[measure] for size, found in by_size.items()} for name, by_size in by_predictor.items()}
    figure = draw_predictors(f"{table}: {title}", title, curves, splits=splits, ceiling=ceiling)
    words = f"{title} of {len(curves)} predictors on {table} against the number of training cells"
    return Picture(f"{table}: {title}", figure_png(figure), words)
