"""Figures as bytes and files; the same figure always gives the same bytes."""

import io
import os
import threading
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text

from nasgem_core.errors import DataError
from nasgem_core.figures.letters import can_draw, lettered
from nasgem_core.files import written_whole

RC_LOCK = threading.Lock()


def figure_png(figure: Figure, dpi: int = 120) -> bytes:
    """Return a figure as PNG, without date or program name."""
    buffer = io.BytesIO()
    write_out_letters(figure)
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def figure_svg(figure: Figure, dpi: int = 120) -> bytes:
    """Return a figure as SVG, without date; `dpi` applies to parts that are stored as pixels (many dots)."""
    buffer = io.BytesIO()
    write_out_letters(figure)
    # The salt of SVG identifiers can only be set globally; the lock keeps threads from restoring each other's state.
    with RC_LOCK, matplotlib.rc_context({"svg.hashsalt": "nasgem"}):
        figure.savefig(buffer, format="svg", dpi=dpi, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def write_out_letters(figure: Figure) -> None:
    """Write out letters of names that the font lacks; those of ticks must have none, as matplotlib sets them again."""
    for text in figure.findobj(Text):
        if isinstance(text, Text) and not can_draw(text.get_text()):
            text.set_text(lettered(text.get_text()))


def save_figure(figure: Figure, path: str | os.PathLike[str], dpi: int = 120) -> None:
    """Write a figure to a `.png` or `.svg` file, whole or not at all, then empty the figure to free its memory.

    Raises:
        DataError: the name has another ending, or the folder cannot be written.
    """
    path = Path(path)
    writers = {".png": figure_png, ".svg": figure_svg}
    if path.suffix not in writers:
        raise DataError(f"cannot write the figure {path}: the name must end in .png or .svg")
    content = writers[path.suffix](figure, dpi)
    try:
        with written_whole(path) as file:
            file.write(content)
    except OSError as error:
        raise DataError(f"cannot write the figure {path}: {error.strerror}") from error
    figure.clear()
