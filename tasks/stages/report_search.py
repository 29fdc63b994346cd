"""The chapter of the report that says how the cell was found."""

import numpy as np
from matplotlib.figure import Figure

from nasgem_core.figures.image import figure_png
from nasgem_core.figures.inline import inline_svg
from nasgem_core.figures.page_parts import Facts, Part, Picture, Table, Vector
from nasgem_core.figures.pareto import draw_pareto
from nasgem_core.figures.progress import draw_progress, draw_rounds
from nasgem_core.search.objective import Objective
from tasks.stages.finalists_report import finalists_facts, finalists_tables
from tasks.stages.report_cells import anchor_of, linked_cells_table, point_titles
from tasks.stages.results import Results, charged_words, estimate_text, finalists_table, found_by

_FRONT = (
    "Up and to the left is better: no cell is both cheaper and more accurate than one on the line. Point at a cell to "
    "read its name, click it to see it."
)
_ABOVE_BAND = (
    "Where the blue line is above the band, the search has found a better cell than random search would have with as "
    "many trainings."
)
_LATER_POINTS = (
    "The higher the points of later rounds are than those of round 0, the better the cells were that the predictor "
    "picked. With bootstrap.baseline, random search is shown too."
)


def search_pictures(results: Results, objective: Objective) -> dict[str, Picture]:
    """Return the figures of the search by the names of their files."""
    searched, rounds = results.searched, results.config.estimator.rounds
    phases = [_phase(number, rounds) for number in searched.round]
    return {
        "pareto": Picture(
            "Accuracy and cost",
            figure_png(_draw_pareto(results, objective)),
            _pareto_words(objective),
            "Up and to the left is better.",
        ),
        "progress": Picture(
            "Search and random search" if len(results.baseline) else "Best score so far",
            figure_png(draw_progress(searched.score, results.baseline.score, phases)),
            "best score so far against the number of trained cells",
            _ABOVE_BAND if len(results.baseline) else _LATER_POINTS,
        ),
        "rounds": Picture(
            "Predictions before training",
            figure_png(_draw_rounds(results)),
            "predicted against measured scores of each round",
            "The closer the points are to a rising line, the better the predictor knew which cells to train.",
        ),
    }


def search_parts(results: Results, objective: Objective, pictures: dict[str, Picture]) -> list[Part]:
    """Return the chapter: figures, facts and tables; the plot of all cells has points that lead to their drawings."""
    titles = point_titles(results.distinct)
    pareto = inline_svg(_draw_pareto(results, objective, linked=True), "pareto", titles)
    parts: list[Part] = [
        Facts("In figures", search_facts(results, objective)),
        Vector("Accuracy and cost", pareto, _pareto_words(objective), _FRONT),
    ]
    parts += [pictures[name] for name in ("progress", "rounds", "finalists") if name in pictures]
    header, rows = finalists_table(results.metrics("bootstrap"))
    if rows:
        note = "Mean over the trainings that decided; what the chosen cell is worth is its expected score."
        parts.append(Table("Finalists, trained again from other seeds", header, rows, note))
    parts += finalists_tables()
    rounds = results.metrics("estimator")["rounds"]
    names = ["round", "new_cells", "kendall_tau", "spearman_rho", "squared_error", "constant_squared_error"]
    parts.append(
        Table(
            "Rounds, judged before their cells joined the set",
            ["round", "new cells", "Kendall tau", "Spearman rho", "squared error", "of a constant guess"],
            [[_round_figure(name, row[name]) for name in names] for row in rounds],
            "Kendall tau: 1 if the predictor ranked the new cells as their trainings did, 0 if it guessed.",
        )
    )
    parts.append(Table("Best measured cells", *linked_cells_table(results.distinct, 20)))
    return parts


def search_facts(results: Results, objective: Objective) -> dict[str, str]:
    """Return the single figures of the search by their names."""
    best, summary, own = results.best, results.metrics("bootstrap"), results.searched_best["key"]
    whose = "" if own == best["key"] else f", of {own[:8]}, the search's choice"
    facts = {
        "chosen cell": best["key"][:8],
        **finalists_facts(),
        "accuracy": f"{best['accuracy']:.4f}",
        "MACs": f"{best['macs'] / 1e6:.3f} M",
        "params": f"{best['params'] / 1e3:.1f} k",
        "score": f"{best['score']:.4f}",
        "cells trained": str(len(results.searched)),
        "found by": found_by(best),
        "the score is": objective.formula,
        **{f"{label} charged": words for label, words in charged_words(best).items()},
        "rounds": _rounds_words(results),
    }
    if "expected_score" in summary:
        facts["expected score"] = (
            f"{estimate_text(summary, 'expected_score')} (95 %, trained again after the choice{whose})"
        )
    if "expected_margin" in summary:
        facts["above random search"] = f"{estimate_text(summary, 'expected_margin', sign='+')} (expected scores{whose})"
    elif "margin_over_random" in summary:
        facts["above random search"] = f"{summary['margin_over_random']:+.4f}{whose}"
    return facts


def number_or_dash(value: float | None) -> str:
    """Return a figure of a table as text."""
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _round_figure(name: str, value: float | None) -> str:
    return f"{value:.6f}" if value is not None and name.endswith("squared_error") else number_or_dash(value)


def _phase(number: int, rounds: int) -> str:
    return "bootstrap" if number > rounds else f"round {number}"


def _pareto_words(objective: Objective) -> str:
    return f"accuracy against {objective.plotted} in {objective.unit} of every trained cell with the Pareto front"


def _draw_pareto(results: Results, objective: Objective, *, linked: bool = False) -> Figure:
    trained = results.distinct
    return draw_pareto(
        objective.plotted_costs(trained.cells),
        trained.accuracy,
        trained.kinds.tolist(),
        objective.penalty,
        words=f"{objective.plotted} ({objective.unit}, log scale)",
        chosen=int(np.flatnonzero(trained.key == results.best["key"])[0]),
        links=[f"#{anchor_of(key)}" for key in trained.key] if linked else (),
    )


def _draw_rounds(results: Results) -> Figure:
    searched = results.searched
    numbers = sorted({number for number in searched.round.tolist() if number > 0})
    groups = [searched[searched.round == number] for number in numbers]
    return draw_rounds(
        [group.predicted for group in groups],
        [group.score for group in groups],
        [_phase(number, results.config.estimator.rounds) for number in numbers],
    )


def _rounds_words(results: Results) -> str:
    done, config = len(results.metrics("estimator")["rounds"]), results.config.estimator
    ended = f": the last {config.patience} brought no better cell" if done < config.rounds else ""
    return f"{done} of {config.rounds}{ended}"
