"""Stage `report`: one page that opens with the networks trained on the user's images, then how the cell was found.

It holds figures 1 and 4 of the paper and the search's own plots.
"""

from base64 import b64encode
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.runtime.session import Session, stage_flow
from nasgem_core.encoders.fitting import split_pairs
from nasgem_core.figures.cell import draw_cell
from nasgem_core.figures.encoder import draw_losses, draw_pair_histogram, draw_similarity_fit
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.page import Facts, Picture, Table, render_page
from nasgem_core.figures.pareto import draw_pareto
from nasgem_core.figures.progress import draw_progress, draw_rounds
from nasgem_core.figures.similarity import draw_similarity, similarity_correlations
from nasgem_core.figures.surface import Surface, draw_surface
from nasgem_core.search.bootstrap import score_sample
from nasgem_core.search.objective import Objective
from nasgem_core.seeding import derive_seed
from tasks.mlflow_runs.records import finite
from tasks.stages.ablation import CURVES_FILE
from tasks.stages.encoder import GUIDED, PLAIN, encoder_value
from tasks.stages.finalists_report import finalists_facts, finalists_pictures, finalists_tables
from tasks.stages.imagenet_table import comparison
from tasks.stages.labels import read_labels
from tasks.stages.pairs import unpack_pairs
from tasks.stages.predictor import fit_predictor_task, predictor_of
from tasks.stages.results import Results, best_cells_table, charged_words, estimate_text, finalists_table, found_by
from tasks.stages.trained import TrainedCells
from tasks.store.artifacts import DATA, METRICS, read_picture, write_bytes, write_json

REPORT = DATA / "report"
PAGE_FILE = REPORT / "report.html"
METRICS_FILE = METRICS / "report.json"
_SURFACE_CELLS = 50_000
_FIT_PAIRS = 4_000


@stage_flow("report")
def report(session: Session) -> None:
    """Read every other stage, write data/report; finish the search's run in MLflow."""
    results = Results(session.config)
    pictures = _pictures(session, results)
    for name, picture in pictures.items():
        write_bytes(REPORT / f"{name}.png", picture.png)
    metrics = _metrics(results)
    write_json(METRICS_FILE, "nasgem.metrics/1", metrics)
    header, rows = best_cells_table(results.distinct)
    found = Facts("How the cell was found", _facts(session, results))
    page = render_page("NASGEM search", [*comparison(), found, *_tables(results), *pictures.values()])
    write_bytes(PAGE_FILE, page.encode())
    files = [PAGE_FILE, METRICS_FILE, *(REPORT / f"{name}.png" for name in pictures)]
    session.records.stage("report", finite(metrics), artifacts=files)
    session.records.search(_search_metrics(results), artifacts=[PAGE_FILE, REPORT / "best_cell.png"])
    create_table_artifact(
        [dict(zip(header, row, strict=True)) for row in rows], key="best-cells", description="Best measured cells"
    )
    create_markdown_artifact(_drawing(pictures["best_cell"]), key="best-cell", description="The chosen cell")


def _pictures(session: Session, results: Results) -> dict[str, Picture]:
    best, distinct, searched = results.best, results.distinct, results.searched
    objective = session.objective
    chosen = int(np.flatnonzero(distinct.key == best["key"])[0])
    embeddings = {kind: encoder.embed(distinct.cells) for kind, encoder in results.encoders.items()}
    title = f"Cell {best['key'][:8]}: accuracy {best['accuracy']:.3f}, {best['macs'] / 1e6:.2f} M MACs"
    drawn = {
        "best_cell": (draw_cell(results.best_cell, title), "The chosen cell", "the chosen cell drawn as a graph"),
        "pareto": (
            _draw_pareto(objective, distinct, chosen),
            "Accuracy and cost",
            f"accuracy against {objective.plotted} in {objective.unit} of every trained cell with the Pareto front",
        ),
        "progress": (
            draw_progress(
                searched.score,
                results.baseline.score,
                [_phase(number, session.config.estimator.rounds) for number in searched.round],
            ),
            "Search and random search",
            "best score so far against the number of trained cells",
        ),
        "rounds": (
            _draw_rounds(results),
            "Predictions before training",
            "predicted against measured scores of each round",
        ),
        "similarity": (
            draw_similarity(
                embeddings[GUIDED], embeddings[PLAIN], {"score": distinct.score, "accuracy": distinct.accuracy}
            ),
            "Figure 1: differences of score and accuracy against similarity",
            "differences of pairs of trained cells against the cosine similarity of their embeddings",
        ),
        "surface": (
            _draw_surface(session, results, chosen),
            "Figure 4: predicted score surface",
            "mean predicted score over two principal components of the embeddings",
        ),
        "pairs": (_draw_pairs(), "Kernel similarity of the pairs", "histogram of the kernel similarities"),
        "encoder": (_draw_fit(results), "Encoder: cosine against kernel", "cosine similarity against the kernel's"),
        "losses": (_draw_losses(results), "Encoder: losses", "losses over the optimiser's steps"),
    }
    pictures = {name: Picture(words, figure_png(figure), text) for name, (figure, words, text) in drawn.items()}
    pictures |= finalists_pictures()
    figure6 = CURVES_FILE.with_name("figure6.png")
    if figure6.is_file():
        pictures["ablation"] = Picture(
            "Figure 6: similarity loss for n and d", read_picture(figure6), "held-out similarity loss over training"
        )
    return pictures


def _phase(number: int, rounds: int) -> str:
    return "bootstrap" if number > rounds else f"round {number}"


def _draw_pareto(objective: Objective, trained: TrainedCells, chosen: int) -> Figure:
    return draw_pareto(
        objective.plotted_costs(trained.cells),
        trained.accuracy,
        trained.kinds.tolist(),
        objective.penalty,
        words=f"{objective.plotted} ({objective.unit}, log scale)",
        chosen=chosen,
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


def _draw_surface(session: Session, results: Results, chosen: int) -> Figure:
    """Sample cells, embed them with both encoders, and predict with a predictor fitted on each embedding."""
    config, distinct, usable = session.config, results.distinct, results.distinct.usable
    surfaces = []
    for encoder in results.encoders.values():
        value = fit_predictor_task(
            encoder_value(encoder),
            usable.cells,
            usable.measured(session.objective),
            config.predictor,
            seed=derive_seed(config.seed, "predictor", "surface"),
        )
        sample = score_sample(
            encoder,
            predictor_of(value),
            config.cells,
            session.objective,
            count=min(_SURFACE_CELLS, config.bootstrap.candidates),
            seed=derive_seed(config.seed, "bootstrap"),
        )
        embeddings = encoder.embed(distinct.cells)
        surfaces.append(Surface(sample.embeddings, sample.predicted, embeddings, distinct.score, embeddings[chosen]))
    return draw_surface(surfaces[0], surfaces[1])


def _draw_pairs() -> Figure:
    return draw_pair_histogram({"pairs": read_labels()[1]})


def _draw_fit(results: Results) -> Figure:
    """Show pairs that neither encoder was fitted on."""
    packed, similarity = read_labels()
    encoder = results.encoders[GUIDED]
    seed = derive_seed(results.config.seed, "encoder")
    held_out = split_pairs(len(similarity), encoder.config.holdout, seed)[0][:_FIT_PAIRS]
    pairs = unpack_pairs(packed)
    left, right = encoder.embed(pairs.left[held_out]), encoder.embed(pairs.right[held_out])
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosine = (left * right).sum(axis=1) / np.maximum(norms, 1e-12)
    return draw_similarity_fit(similarity[held_out], cosine)


def _draw_losses(results: Results) -> Figure:
    curve = results.encoders[GUIDED].report.curve
    return draw_losses(
        np.array([point.step for point in curve]),
        {
            "similarity/training": np.array([point.similarity_loss for point in curve]),
            "similarity/held-out": np.array([point.held_out_similarity_loss for point in curve]),
            "reconstruction/training": np.array([point.reconstruction_loss for point in curve]),
        },
    )


def _metrics(results: Results) -> dict[str, Any]:
    """Figure 1 in numbers: how differences of score and of accuracy go with similarity, for both embeddings."""
    usable = results.distinct.usable
    return {
        f"{figure}_{kind}_{name}": value
        for figure, measured in (("figure1", usable.score), ("figure1_accuracy", usable.accuracy))
        for kind, encoder in results.encoders.items()
        for name, value in similarity_correlations(encoder.embed(usable.cells), measured).items()
    }


def _search_metrics(results: Results) -> dict[str, float]:
    """Return what searches are compared by."""
    encoder = {"encoder_r_squared": results.metrics("encoder")[GUIDED]["r_squared"]}
    return finite({**results.metrics("bootstrap"), **encoder})


def _facts(session: Session, results: Results) -> dict[str, str]:
    best, summary, own = results.best, results.metrics("bootstrap"), results.searched_best["key"]
    whose = "" if own == best["key"] else f", of {own[:8]}, the search's choice"
    facts = {
        "chosen cell": best["key"][:8],
        **finalists_facts(),
        "accuracy": f"{best['accuracy']:.4f}",
        "MACs": f"{best['macs'] / 1e6:.3f} M",
        "params": f"{best['params'] / 1e3:.1f} k",
        "score": f"{best['score']:.4f}",
        "the score is": session.objective.formula,
        **{f"{label} charged": words for label, words in charged_words(best).items()},
        "found by": found_by(best),
        "cells trained": str(len(results.searched)),
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


def _rounds_words(results: Results) -> str:
    done, config = len(results.metrics("estimator")["rounds"]), results.config.estimator
    ended = f": the last {config.patience} brought no better cell" if done < config.rounds else ""
    return f"{done} of {config.rounds}{ended}"


def _tables(results: Results) -> list[Table]:
    header, rows = best_cells_table(results.distinct, 20)
    tables = [Table("Best measured cells", header, rows)]
    header, rows = finalists_table(results.metrics("bootstrap"))
    if rows:
        note = "Mean over the trainings that decided; what the chosen cell is worth is its expected score."
        tables.append(Table("Finalists, trained again from other seeds", header, rows, note))
    tables += finalists_tables()
    rounds = results.metrics("estimator")["rounds"]
    names = ["round", "new_cells", "kendall_tau", "spearman_rho", "squared_error", "constant_squared_error"]
    tables.append(
        Table(
            "Rounds, judged before their cells joined the set",
            ["round", "new cells", "Kendall tau", "Spearman rho", "squared error", "of a constant guess"],
            [[_number(row[name]) for name in names] for row in rounds],
        )
    )
    encoders = results.metrics("encoder")
    shown = ("r_squared", "similarity_loss", "constant_similarity_loss", "edge_f1", "operation_accuracy")
    tables.append(
        Table(
            "Encoders on held-out pairs",
            ["encoder", "R2", "L_s", "L_s of a constant", "edge F1", "operation accuracy"],
            [[kind, *(_number(encoders[kind][name]) for name in shown)] for kind in (GUIDED, PLAIN)],
        )
    )
    return tables


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _drawing(picture: Picture) -> str:
    return f"![{picture.alternative}](data:image/png;base64,{b64encode(picture.png).decode()})"
