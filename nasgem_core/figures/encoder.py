"""The encoder's training pairs, its losses, and its fit on held-out pairs."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from nasgem_core.errors import DataError
from nasgem_core.figures.style import (
    GUIDED,
    INK,
    PALETTE,
    add_legend,
    counted,
    describe,
    new_figure,
    say_empty,
    set_log_scale,
    shown,
)

_BINS = 50
_DASHES = ("solid", (0, (5, 2)), (0, (2, 1.5)), (0, (5, 1.5, 1.5, 1.5)))


def r_squared(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return 1 - squared error / squared deviation of the target from its mean; NaN if the target is constant."""
    target, predicted = np.asarray(target, dtype=float), np.asarray(predicted, dtype=float)
    deviation = float(((target - target.mean()) ** 2).sum()) if len(target) else 0.0
    return 1 - float(((target - predicted) ** 2).sum()) / deviation if deviation > 0 else float("nan")


def draw_pair_histogram(similarity: Mapping[str, np.ndarray]) -> Figure:
    """Draw a histogram of the kernel similarities of the pairs, stacked by kind of pair.

    Args:
        similarity: kind of pair (such as "independent", "edited copy") to [P] kernel similarities (Eq. 1), in [0, 1].
    """
    groups = {name: np.asarray(values)[np.isfinite(values)] for name, values in similarity.items()}
    total = sum(map(len, groups.values()))
    figure, axes = new_figure("Kernel similarity of the pairs", width=6.6, height=3.8)
    ax = axes[0, 0]
    words = counted(total, "pair")
    if total:
        values = np.concatenate(list(groups.values()))
        words += f", mean {values.mean():.2f}, standard deviation {values.std():.3f}"
    describe(ax, words, "Weisfeiler-Lehman kernel similarity", f"pairs in each bin of {1 / _BINS:g}")
    if not total:
        say_empty(ax, "there are no pairs")
        return figure
    ax.hist(
        list(groups.values()),
        bins=np.linspace(0, 1, _BINS + 1),
        stacked=True,
        color=[PALETTE[i % len(PALETTE)] for i in range(len(groups))],
        label=[f"{name} ({len(values):,})" for name, values in groups.items()],
        edgecolor="white",
        linewidth=0.4,
    )
    ax.set_xlim(0, 1)
    add_legend(ax, "upper left")
    return figure


def draw_similarity_fit(kernel: np.ndarray, embedding: np.ndarray) -> Figure:
    """Draw cosine similarity of embeddings against kernel similarity of held-out pairs, with R squared.

    Args:
        kernel: [P] kernel similarities S_g (Eq. 1).
        embedding: [P] cosine similarities S_e (Eq. 2) of the same pairs.
    """
    kernel, embedding = np.asarray(kernel, dtype=float), np.asarray(embedding, dtype=float)
    if kernel.shape != embedding.shape:
        raise DataError(
            f"{len(kernel)} kernel similarities and {len(embedding)} cosine similarities: give one of each per pair"
        )
    valid = np.isfinite(kernel) & np.isfinite(embedding)
    kernel, embedding = kernel[valid], embedding[valid]
    figure, axes = new_figure("Similarity in the embedding against kernel similarity", width=5.6, height=5.2)
    ax = axes[0, 0]
    score = r_squared(kernel, embedding)
    fit = f"{score:.3f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(score) else "undefined"
    describe(
        ax,
        f"{counted(len(kernel), 'held-out pair')}, R\N{SUPERSCRIPT TWO} = {fit}",
        "Weisfeiler-Lehman kernel similarity",
        "cosine similarity of embeddings",
    )
    if not len(kernel):
        say_empty(ax, "there are no held-out pairs")
        return figure
    dots = shown(len(kernel))
    alpha = float(np.clip(300 / len(dots), 0.08, 0.7))
    ax.scatter(kernel[dots], embedding[dots], s=11, color=GUIDED, alpha=alpha, linewidths=0, rasterized=True)
    low = min(kernel.min(), embedding.min())
    limits = low - 0.03 * (1 - low) - 1e-3, 1 + 0.03 * (1 - low) + 1e-3
    ax.plot(limits, limits, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label="equal")
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    add_legend(ax, "upper left")
    return figure


def draw_losses(steps: np.ndarray, losses: Mapping[str, np.ndarray]) -> Figure:
    """Draw the encoder's losses during training, one panel per loss, as their scales differ.

    Args:
        steps: [T] optimiser steps.
        losses: "loss" or "loss/split" (such as "similarity/held-out") to [T] values; splits share a panel.
    """
    panels: dict[str, dict[str, np.ndarray]] = {}
    for name, curve in losses.items():
        loss, _, split = name.partition("/")
        panels.setdefault(loss, {})[split or "training"] = np.asarray(curve, dtype=float)
    columns = max(1, len(panels))
    words = f"Losses of the encoder over {counted(int(max(steps, default=0)), 'step')}"
    figure, axes = new_figure(words, width=max(5.2, 0.6 + 3.7 * columns), height=3.8, columns=columns)
    if not any(np.isfinite(curve).any() for curve in losses.values()):
        say_empty(axes[0, 0], "no loss was measured")
        return figure
    splits = list(dict.fromkeys(split for curves in panels.values() for split in curves))
    for ax, (loss, curves) in zip(axes[0], panels.items(), strict=True):
        describe(ax, loss, "optimiser step", "loss (log scale)" if ax is axes[0, 0] else "")
        for split, curve in curves.items():
            i = splits.index(split)
            look = {"color": PALETTE[i % len(PALETTE)], "linestyle": _DASHES[i % len(_DASHES)]}
            ax.plot(steps, np.where(curve > 0, curve, np.nan), linewidth=1.8, label=split, **look)
        set_log_scale(ax, "y")
        add_legend(ax, "upper right")
    return figure
