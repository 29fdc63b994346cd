"""Pictures turned and coloured without this package: part of every exported Python file."""

from typing import Any


def upright(picture: Any) -> Any:
    """Return a picture of PIL in RGB, turned as the camera noted it; of 16 bits a pixel, the upper 8 are kept."""
    import numpy as np
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    elif picture.mode in ("I", "F"):
        raise ValueError(f"the picture's pixels are of mode {picture.mode}: save it with 8 or 16 bits")
    return picture.convert("RGB")
