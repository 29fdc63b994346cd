"""Images from files of any origin, upright and in RGB: the same pixels in training, prediction and exported files."""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from nasgem_core.errors import DataError, NasgemError


class UnreadableImageError(DataError):
    """The file of an image is missing, truncated or not an image; the message is the reason, without the file."""


class TooLargeImageError(UnreadableImageError):
    """An image has so many pixels that it may be there to fill the memory."""


def read_image(path: Path) -> Image.Image:
    """Return the image of a file, upright and in RGB; raises `UnreadableImageError` if it is broken."""
    with opened(path) as image:
        return upright(image)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Open the file of an image; whatever PIL raises in the block for a damaged file is an `UnreadableImageError`."""
    try:
        _require_content(path)
        with warnings.catch_warnings():
            # PIL warns of large pictures and of damage in notes, neither of which matters for the pixels.
            warnings.filterwarnings("ignore", module="PIL")
            with Image.open(path) as image:
                if image.format == "EPS":
                    raise UnreadableImageError("it is PostScript, a program that PIL would run")
                yield image
    except NasgemError:
        raise
    except Image.DecompressionBombError:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise TooLargeImageError(f"has more than {most} million pixels") from None
    except Exception as error:  # PIL's parsers let out whatever a damaged file makes of them
        raise UnreadableImageError(_reason(error)) from None


def _require_content(path: Path) -> None:
    """Raise `UnreadableImageError` for an empty file, and for pipes and devices, which would be waited for."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableImageError("it is not a file")
    if not status.st_size:
        raise UnreadableImageError("the file is empty")


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image of a known format"
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def noted_turn(picture: Any) -> Any:
    """Return how the camera noted that a picture of PIL is to be turned, None for not at all."""
    from PIL import Image

    turn = Image.Transpose
    turns = {2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE}
    turns |= {6: turn.ROTATE_270, 7: turn.TRANSVERSE, 8: turn.ROTATE_90}
    try:
        return turns.get(picture.getexif().get(0x0112))
    except Exception:  # notes may be damaged in any way, which changes none of the pixels
        return None


def to_rgb(picture: Any) -> Any:
    """Return a picture of PIL in RGB; 16 bits per pixel are scaled to 8, where PIL would turn all but black white."""
    import numpy as np
    from PIL import Image

    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format in ("PNG", "PPM")):
        picture = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    elif picture.mode in ("I", "F"):
        raise ValueError(f"its pixels are of mode {picture.mode}: save it with 8 or 16 bits")
    return picture.convert("RGB")


def upright(picture: Any) -> Any:
    """Return a picture of PIL in RGB, turned as the camera noted; raises `ValueError` if its white is not known."""
    picture.load()
    turn = noted_turn(picture)
    picture = to_rgb(picture)
    return picture if turn is None else picture.transpose(turn)


STANDALONE = (noted_turn, to_rgb, upright)
"""What exported Python files contain as well, which is why these functions import what they need themselves."""
