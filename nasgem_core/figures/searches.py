"""Several searches on one plot: what each had found after how many trainings."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from nasgem_core.figures.letters import lettered
from nasgem_core.figures.style import PALETTE, add_legend_below, counted, describe, new_figure, say_empty

_LINES = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))


def draw_searches(accuracy: Mapping[str, np.ndarray], score: Mapping[str, np.ndarray]) -> Figure:
    """Draw a line for each search over its trainings.

    Args:
        accuracy: [N] of the cell with the best score so far, as fractions, by the name of the search.
        score: [N] that score, by the same names.
    """
    figure, axes = new_figure("What each search had found", width=9.6, height=4.6, columns=2)
    words = counted(len(accuracy), "search", "searches")
    panels = ((accuracy, "accuracy of the best cell so far"), (score, "best score so far"))
    for ax, (values, label) in zip(axes[0], panels, strict=True):
        describe(ax, words, "trained cells", label)
        if not any(np.isfinite(line).any() for line in values.values()):
            say_empty(ax, "nothing was trained")
            continue
        for place, (name, line) in enumerate(values.items()):
            style = {"color": PALETTE[place % len(PALETTE)], "linestyle": _LINES[place % len(_LINES)], "linewidth": 2}
            ax.step(np.arange(1, len(line) + 1), line, where="post", label=lettered(name), **style)
    add_legend_below(figure, axes[0, 0], columns=2)
    return figure
