"""Images with boxes, such as detections with their names and scores next to the true objects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nasgem_core.figures.style import INK, MUTED, PALETTE, counted, new_figure

_MAX_COLUMNS = 4
_PANEL = 3.2


@dataclass(frozen=True, eq=False)
class BoxPicture:
    """One picture with its boxes.

    Args:
        image: [H, W, 3] uint8.
        boxes: [n, 4], left, top, right and bottom in pixels.
        names: the object in each box.
        scores: [n] in 0..1; None if the boxes are the truth.
        title: text above the picture.
    """

    image: np.ndarray
    boxes: np.ndarray
    names: Sequence[str]
    scores: np.ndarray | None = None
    title: str = ""


def draw_boxes(pictures: Sequence[BoxPicture], *, title: str, columns: int = _MAX_COLUMNS) -> Figure:
    """Draw pictures in a grid, each with its boxes; a name has the same colour in all of them.

    Args:
        pictures: any number; if there are none, the figure says so.
        title: headline.
        columns: largest number of pictures per row.
    """
    columns = max(1, min(columns, len(pictures)))
    rows = max(1, -(-len(pictures) // columns))
    figure, axes = new_figure(
        title, width=max(5.0, _PANEL * columns), height=0.6 + _PANEL * rows, rows=rows, columns=columns
    )
    for ax in axes.flat:
        ax.set_axis_off()
    if not pictures:
        axes[0, 0].text(0.5, 0.5, "no picture", ha="center", va="center", fontsize=10, color=MUTED)
    known = sorted({name for picture in pictures for name in picture.names})
    colours = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(known)}
    for ax, picture in zip(axes.flat, pictures, strict=False):
        _draw(ax, picture, colours)
    return figure


def _draw(ax: Axes, picture: BoxPicture, colours: dict[str, str]) -> None:
    height, width = picture.image.shape[:2]
    ax.imshow(picture.image, extent=(0, width, height, 0), interpolation="nearest")
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    what = "box" if picture.scores is None else "detection"
    boxes = counted(len(picture.boxes), what, "boxes" if what == "box" else None)
    ax.set_title(
        f"{picture.title}: {boxes}" if picture.title else boxes, loc="left", fontsize=8.5, color=INK, parse_math=False
    )
    order = range(len(picture.boxes)) if picture.scores is None else np.argsort(picture.scores)
    for i in order:
        left, top, right, bottom = picture.boxes[i]
        colour = colours[picture.names[i]]
        ax.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=1.4))
        label = picture.names[i] if picture.scores is None else f"{picture.names[i]} {picture.scores[i]:.2f}"
        look = {"facecolor": colour, "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
        # Inside the box if there is no room above it.
        below = top < 0.06 * height
        text = ax.text(left, top, label, fontsize=6.5, color="white", va="top" if below else "bottom", bbox=look)
        text.set_parse_math(False)
        text.set_clip_on(True)
