"""Figure 1 of the paper, which shows whether cells with similar embeddings have similar scores and accuracies."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nasgem_core.figures.style import (
    GUIDED,
    INK,
    PLAIN,
    add_legend,
    counted,
    describe,
    left_out,
    new_figure,
    say_empty,
    shown,
)

_BINS = 10
_HEADROOM = 1.25
"""Upper end of the y axis divided by the largest value, so that the legend does not cover dots."""


def pair_values(embeddings: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every pair of measured cells as [P] cosine similarities (Eq. 2) and [P] absolute differences.

    Args:
        embeddings: [N, d] of the trained cells.
        scores: [N] efficiency scores (Eq. 5); cells with a score that is not finite are left out.
    """
    scored = np.isfinite(scores)
    vectors, scores = np.asarray(embeddings, dtype=float)[scored], np.asarray(scores, dtype=float)[scored]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    first, second = np.triu_indices(len(scores), k=1)
    return np.clip((unit @ unit.T)[first, second], -1.0, 1.0), np.abs(scores[first] - scores[second])


def similarity_correlations(embeddings: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """Return `cells`, `pairs`, and the `spearman` and `pearson` correlation of similarity and score difference.

    The paper claims that both are negative with guidance. With fewer than two pairs, or if either side is constant,
    they are NaN.
    """
    from scipy.stats import rankdata

    similarity, difference = pair_values(embeddings, scores)
    return {
        "cells": int(np.isfinite(scores).sum()),
        "pairs": len(similarity),
        "spearman": _pearson(rankdata(similarity), rankdata(difference)),
        "pearson": _pearson(similarity, difference),
    }


def draw_similarity(guided: np.ndarray, plain: np.ndarray, values: Mapping[str, np.ndarray]) -> Figure:
    """Draw difference against similarity for all pairs of trained cells: a panel per embedding, a row per value.

    Args:
        guided: [N, d] embeddings of the kernel-guided encoder.
        plain: [N, d'] embeddings of the plain autoencoder.
        values: by their words, [N] measured scores or accuracies, NaN if a training failed.
    """
    title = "Differences of two cells against their similarity"
    rows = len(values)
    figure, axes = new_figure(title, width=9.6, height=0.6 + 4.0 * rows, rows=rows, columns=2, share_x=True)
    sides = (("kernel-guided embedding", guided, GUIDED, "o"), ("plain autoencoder", plain, PLAIN, "s"))
    for row, (words, measured) in zip(axes, values.items(), strict=True):
        for ax, side in zip(row, sides, strict=True):
            _draw_panel(ax, side, np.asarray(measured, dtype=float))
        row[0].set_ylabel(f"absolute difference of {words}", fontsize=10, color=INK)
        highest = _HEADROOM * max(pair_values(guided, measured)[1].max(initial=0), 1e-3)
        for ax in row:
            ax.set_ylim(0, highest)
    for ax in axes[-1]:
        ax.set_xlabel("cosine similarity of embeddings", fontsize=10, color=INK)
    return figure


def _draw_panel(ax: Axes, side: tuple[str, np.ndarray, str, str], measured: np.ndarray) -> None:
    name, embeddings, colour, marker = side
    similarity, difference = pair_values(embeddings, measured)
    cells = int(np.isfinite(measured).sum())
    remark = f"{counted(len(similarity), 'pair')} of {counted(cells, 'trained cell')}" + left_out(len(measured) - cells)
    describe(ax, f"{name}\n{remark}", "", "")
    if not len(similarity):
        say_empty(ax, "fewer than two cells were measured")
        return
    spearman = similarity_correlations(embeddings, measured)["spearman"]
    dots = shown(len(similarity))
    ax.scatter(
        similarity[dots],
        difference[dots],
        s=9,
        marker=marker,
        color=colour,
        alpha=0.25,
        linewidths=0,
        rasterized=True,
        label=f"pair of cells, Spearman {_signed(spearman)}",
    )
    centre, mean = binned_mean(similarity, difference, _BINS)
    ax.plot(centre, mean, color=INK, marker="o", markersize=4, linewidth=1.8, label="mean of each tenth of the pairs")
    add_legend(ax, "upper right")


def binned_mean(x: np.ndarray, y: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean x and mean y of `bins` groups of equal size in the order of x; fewer groups for few values."""
    groups = [part for part in np.array_split(np.argsort(x, kind="stable"), bins) if len(part)]
    return np.array([x[part].mean() for part in groups]), np.array([y[part].mean() for part in groups])


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean() if len(x) else x, y - y.mean() if len(y) else y
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if len(x) > 1 and scale > 0 else float("nan")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "undefined"
