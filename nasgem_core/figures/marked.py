"""A picture with the detected objects drawn on its own pixels."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nasgem_core.errors import DataError
from nasgem_core.figures.letters import FONT, drawn_names
from nasgem_core.figures.style import INK, PALETTE
from nasgem_core.files import written_whole

FORMATS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
_SHORTEST = 128
"""Pictures with a shorter side than this are enlarged by an integer factor, so that labels are readable."""
_FONT_SHARE = 50
_SMALLEST_FONT = 11
_WHITE = "#ffffff"


def mark_boxes(image: Image.Image, boxes: np.ndarray, names: Sequence[str], scores: np.ndarray) -> Image.Image:
    """Return a copy of a picture with labelled boxes; lines and letters scale with its size.

    Args:
        image: in RGB. A very small one is enlarged by an integer factor.
        boxes: [n, 4], left, top, right and bottom in pixels of `image`.
        names: the object in each box; each name has its own colour, as far as there are colours. A name with letters
            that the font lacks is drawn as its place among the sorted names; see `drawn_names`.
        scores: [n] in 0..1; the highest is drawn on top.
    """
    factor = -(-_SHORTEST // min(image.size))
    marked = image.resize((factor * image.width, factor * image.height), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(marked)
    size = max(_SMALLEST_FONT, round((marked.width * marked.height) ** 0.5 / _FONT_SHARE))
    font = _font(min(size, min(marked.size) // 8))
    drawn = drawn_names(sorted(set(names)))
    names = [drawn[name] for name in names]
    known = sorted(set(names))
    colours = [PALETTE[known.index(name) % len(PALETTE)] for name in names]
    order = np.argsort(scores, kind="stable")
    corners = [_corners(factor * np.asarray(box), marked.size) for box in boxes]
    for i in order:
        _draw_box(draw, corners[i], colours[i], max(2, round(font.size / 6)))
    for i in order:
        _draw_label(draw, font, corners[i], name=names[i], score=scores[i], colour=colours[i], size=marked.size)
    return marked


def save_picture(picture: Image.Image, path: str | os.PathLike[str]) -> None:
    """Write a picture in the format that the file's name ends in, whole or not at all.

    Raises:
        DataError: the name has another ending, the folder cannot be written, or the picture is too large for the
            format.
    """
    path = Path(path)
    require_format(path)
    kind = Image.registered_extensions()[path.suffix.lower()]
    try:
        with written_whole(path) as file:
            picture.save(file, kind, quality=95)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or f"{error}; name a .png"
        raise DataError(f"cannot write the picture {path}: {reason}") from error


def require_format(path: Path) -> None:
    """Raise `DataError` if the ending of the name is not that of a known format."""
    if path.suffix.lower() not in FORMATS:
        raise DataError(f"cannot write the picture {path}: the name must end in {', '.join(FORMATS)}")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


def _corners(box: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the first and the last column and row of a box, within the picture."""
    last = np.array(size) - 1
    left, top = np.clip(np.floor(box[:2]).astype(int), 0, last)
    right, bottom = np.clip(np.ceil(box[2:]).astype(int) - 1, (left, top), last)
    return int(left), int(top), int(right), int(bottom)


def _draw_box(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], colour: str, line: int) -> None:
    """Draw a frame inside a box; an inner border keeps it visible on a background of the same colour."""
    left, top, right, bottom = box
    shortest = min(right - left, bottom - top) + 1
    line = max(1, min(line, shortest // 4))
    draw.rectangle(box, outline=_on(colour), width=min(line + max(1, line // 3), -(-shortest // 2)))
    draw.rectangle(box, outline=colour, width=line)


def _draw_label(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont,
    box: tuple[int, int, int, int],
    *,
    name: str,
    score: float,
    colour: str,
    size: tuple[int, int],
) -> None:
    """Write name and score on a filled rectangle above the box, or at its top if there is no room above."""
    pad = max(1, round(font.size / 5))
    text = _fitting(font, " ".join(name.split()), f" {score:.2f}", size[0] - 2 * pad)
    width, height = round(font.getlength(text)) + 2 * pad, sum(font.getmetrics()) + pad
    left = max(0, min(box[0], size[0] - width))
    top = box[1] - height if box[1] >= height else max(0, min(box[1], size[1] - height))
    draw.rectangle((left, top, left + width - 1, top + height - 1), fill=colour)
    draw.text((left + pad, top + pad // 2), text, fill=_on(colour), font=font)


def _fitting(font: ImageFont.FreeTypeFont, name: str, score: str, width: int) -> str:
    """Return name and score, with the name shortened until both fit."""
    text = name + score
    while font.getlength(text) > width and name:
        name = name[:-1]
        text = f"{name.rstrip()}\N{HORIZONTAL ELLIPSIS}{score}"
    return text


def _on(colour: str) -> str:
    """Return white or ink, whichever is more readable on a colour."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else _WHITE
