"""The appendix of the report: the paper's encoder, and figures 1, 4 and 6 of the paper."""

import numpy as np
from matplotlib.figure import Figure

from nasgem_core.encoders.fitting import split_pairs
from nasgem_core.figures.encoder import draw_losses, draw_pair_histogram, draw_similarity_fit
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.page_parts import Picture, Table
from nasgem_core.figures.similarity import draw_similarity
from nasgem_core.figures.surface import Surface, draw_surface
from nasgem_core.search.bootstrap import score_sample
from nasgem_core.search.objective import Objective
from nasgem_core.seeding import derive_seed
from tasks.stages.ablation import CURVES_FILE
from tasks.stages.encoder import GUIDED, PLAIN, encoder_value
from tasks.stages.labels import read_labels
from tasks.stages.pairs import unpack_pairs
from tasks.stages.predictor import fit_predictor_task, predictor_of
from tasks.stages.report_search import number_or_dash
from tasks.stages.results import Results
from tasks.store.artifacts import read_picture

_SURFACE_CELLS = 50_000
_FIT_PAIRS = 4_000


def encoder_words(results: Results) -> str:
    """Return in a sentence or two what the encoder did in this search."""
    kind = results.config.predictor.kind
    if kind == "perceptron":
        return (
            "The predictor of this search reads the encoder's embeddings: what they do not tell apart, it cannot rank."
        )
    return (
        f"The predictor of this search, {kind}, reads the cells themselves. The paper's predictor reads these "
        "embeddings; they do not change what was found here."
    )


def encoder_table(results: Results) -> Table:
    """Return the figures of both encoders on pairs that they were not fitted on."""
    encoders = results.metrics("encoder")
    shown = ("r_squared", "similarity_loss", "constant_similarity_loss", "edge_f1", "operation_accuracy")
    return Table(
        "Encoders on held-out pairs",
        ["encoder", "R2", "L_s", "L_s of a constant", "edge F1", "operation accuracy"],
        [[kind, *(number_or_dash(encoders[kind][name]) for name in shown)] for kind in (GUIDED, PLAIN)],
        "R2: 1 if the cosine of two embeddings is the kernel's similarity, 0 if it is no better than a constant.",
    )


def encoder_pictures(results: Results, objective: Objective) -> dict[str, Picture]:
    """Return the figures by the names of their files."""
    distinct = results.distinct
    embeddings = {kind: encoder.embed(distinct.cells) for kind, encoder in results.encoders.items()}
    measured = {"score": distinct.score, "accuracy": distinct.accuracy}
    pictures = {
        "similarity": Picture(
            "Figure 1: differences of score and accuracy against similarity",
            figure_png(draw_similarity(embeddings[GUIDED], embeddings[PLAIN], measured)),
            "differences of pairs of trained cells against the cosine similarity of their embeddings",
            "A line that falls to the right says that similar embeddings have similar scores, which is what a "
            "predictor needs.",
        ),
        "surface": Picture(
            "Figure 4: predicted score surface",
            figure_png(_draw_surface(results, objective)),
            "mean predicted score over two principal components of the embeddings",
            "The smoother the colours change, the easier the space is to search.",
        ),
        "pairs": Picture(
            "Kernel similarity of the pairs",
            figure_png(draw_pair_histogram({"pairs": read_labels()[1]})),
            "histogram of the kernel similarities",
            "The encoder learns best where all similarities occur.",
        ),
        "encoder": Picture(
            "Encoder: cosine against kernel",
            figure_png(_draw_fit(results)),
            "cosine similarity against the kernel's",
            "Points on the dashed line are pairs whose similarity the encoder has learnt.",
        ),
        "losses": Picture(
            "Encoder: losses",
            figure_png(_draw_losses(results)),
            "losses over the optimiser's steps",
            "Held-out losses that rise while those of training fall are overfitting.",
        ),
    }
    figure6 = CURVES_FILE.with_name("figure6.png")
    if figure6.is_file():
        pictures["ablation"] = Picture(
            "Figure 6: similarity loss for n and d",
            read_picture(figure6),
            "held-out similarity loss over training",
            "Lower is better: larger cells (n) and shorter embeddings (d) are harder to learn.",
        )
    return pictures


def _draw_surface(results: Results, objective: Objective) -> Figure:
    """Sample cells, embed them with both encoders, and predict with a predictor fitted on each embedding."""
    config, distinct, usable = results.config, results.distinct, results.distinct.usable
    chosen = int(np.flatnonzero(distinct.key == results.best["key"])[0])
    surfaces = []
    for encoder in results.encoders.values():
        value = fit_predictor_task(
            encoder_value(encoder),
            usable.cells,
            usable.measured(objective),
            config.predictor,
            seed=derive_seed(config.seed, "predictor", "surface"),
        )
        sample = score_sample(
            encoder,
            predictor_of(value),
            config.cells,
            objective,
            count=min(_SURFACE_CELLS, config.bootstrap.candidates),
            seed=derive_seed(config.seed, "bootstrap"),
        )
        embeddings = encoder.embed(distinct.cells)
        surfaces.append(Surface(sample.embeddings, sample.predicted, embeddings, distinct.score, embeddings[chosen]))
    return draw_surface(surfaces[0], surfaces[1])


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
