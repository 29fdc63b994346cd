"""Figure 4 of the paper: the predicted score over the space of embeddings."""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from nasgem_core.figures.projection import principal_components
from nasgem_core.figures.style import INK, SURFACE, add_legend_below, counted, describe, new_figure, say_empty

_BINS = 44
_CLIP = (1.0, 99.0)
"""Percentiles of the predicted scores at the ends of the colour scale."""


@dataclass(frozen=True)
class Surface:
    """The content of one panel.

    Args:
        embeddings: [C, d] embeddings of the sampled cells.
        predicted: [C] their predicted efficiency scores.
        measured: [M, d] embeddings of the trained cells.
        scores: [M] their measured scores, NaN if a training failed.
        chosen: [d] embedding of the chosen cell, if there is one.
    """

    embeddings: np.ndarray
    predicted: np.ndarray
    measured: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    scores: np.ndarray = field(default_factory=lambda: np.zeros(0))
    chosen: np.ndarray | None = None


def draw_surface(guided: Surface, plain: Surface | None = None) -> Figure:
    """Draw mean predicted scores over the first two principal components, one panel per encoder, same colour scale."""
    panels = [("kernel-guided embedding", guided)]
    if plain is not None:
        panels.append(("plain autoencoder", plain))
    title = "Predicted score over sampled cells, and trained cells by measured score"
    figure, axes = new_figure(title, width=1.2 + 4.9 * len(panels), height=4.8, columns=len(panels))
    values = np.concatenate([surface.predicted[np.isfinite(surface.predicted)] for _, surface in panels])
    low, high = np.percentile(values, _CLIP) if len(values) else (0.0, 1.0)
    colours = Normalize(low, high if high > low else low + 1e-9, clip=True)
    drawn = None
    for ax, (name, surface) in zip(axes[0], panels, strict=True):
        drawn = _draw_panel(ax, name, surface, colours) or drawn
    if drawn is not None:
        bar = figure.colorbar(drawn, ax=list(axes[0]), shrink=0.9, pad=0.015, extend="both")
        bar.set_label("efficiency score (mean of each tile)", fontsize=10, color=INK)
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=9, labelcolor=INK)
    add_legend_below(figure, axes[0, 0], columns=2)
    return figure


def binned_mean_2d(points: np.ndarray, values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the bin edges [bins + 1] along both axes and the means [bins, bins] by (y, x), NaN in empty bins."""
    edges = []
    for low, high in zip(points.min(axis=0), points.max(axis=0), strict=True):
        margin = (high - low) * 1e-9 if high > low else 0.5
        edges.append(np.linspace(low - margin, high + margin, bins + 1))
    count, _, _ = np.histogram2d(points[:, 1], points[:, 0], bins=(edges[1], edges[0]))
    total, _, _ = np.histogram2d(points[:, 1], points[:, 0], bins=(edges[1], edges[0]), weights=values)
    return edges[0], edges[1], np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _draw_panel(ax: Axes, name: str, surface: Surface, colours: Normalize) -> QuadMesh | None:
    finite = np.isfinite(surface.predicted) & np.isfinite(surface.embeddings).all(axis=1)
    embeddings, predicted = surface.embeddings[finite], surface.predicted[finite]
    if not len(embeddings):
        describe(ax, f"{name}, no cells", "", "")
        say_empty(ax, "no sampled cell has a predicted score")
        return None
    project = principal_components(embeddings)
    scored = np.isfinite(surface.scores)
    words = f"{name}, {counted(len(embeddings), 'sampled cell')}, {int(scored.sum()):,} trained"
    first, second = (
        f"principal component {i + 1} ({share:.0%} of variance)" for i, share in enumerate(project.explained)
    )
    describe(ax, words, first, second)
    x, y, mean = binned_mean_2d(project(embeddings), predicted, _BINS)
    drawn = ax.pcolormesh(x, y, mean, cmap=SURFACE, norm=colours, rasterized=True)
    if scored.any():
        spots = project(surface.measured[scored])
        ax.scatter(
            spots[:, 0],
            spots[:, 1],
            c=surface.scores[scored],
            cmap=SURFACE,
            norm=colours,
            s=44,
            edgecolors="white",
            linewidths=1.0,
            label="trained cell, measured score",
            zorder=3,
        )
    if surface.chosen is not None:
        spot = project(np.asarray(surface.chosen)[None])
        ax.scatter(
            spot[:, 0],
            spot[:, 1],
            marker="*",
            s=300,
            color="#d55e00",
            edgecolors="white",
            linewidths=1.3,
            label="chosen cell",
            zorder=4,
        )
    return drawn
