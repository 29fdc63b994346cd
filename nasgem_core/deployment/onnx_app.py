"""Classify pictures with the network.onnx next to this file: `python classify.py photo.jpg`, or import `classify`.

It needs onnxruntime, numpy and Pillow, and nothing else. `nasgem export` has written it.
"""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_TURN = Image.Transpose
_TURNS = {2: _TURN.FLIP_LEFT_RIGHT, 3: _TURN.ROTATE_180, 4: _TURN.FLIP_TOP_BOTTOM, 5: _TURN.TRANSPOSE}
_TURNS |= {6: _TURN.ROTATE_270, 7: _TURN.TRANSVERSE, 8: _TURN.ROTATE_90}


def classify(path: str | Path, top: int = 3, network: str = "network.onnx") -> list[tuple[str, float]]:
    """Return the likeliest classes of the picture in a file, each with its probability."""
    session, card = _opened(Path(__file__).with_name(network))
    (logits,) = session.run(None, {"images": _prepared(upright(path), card)})
    powers = np.exp(logits[0] - logits[0].max())
    probabilities = powers / powers.sum()
    best = probabilities.argsort()[::-1][:top]
    return [(card["classes"][place], float(probabilities[place])) for place in best]


def upright(path: str | Path) -> Image.Image:
    """Return a picture in RGB, turned upright as the camera noted."""
    picture: Image.Image = Image.open(path)
    picture.load()
    try:
        turn = _TURNS.get(picture.getexif().get(0x0112, 0))
    except Exception:  # the camera's notes are damaged, the pixels are not
        turn = None
    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format in ("PNG", "PPM")):
        picture = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))  # the upper 8 of 16 bits
    elif picture.mode in ("I", "F"):
        raise ValueError(f"{path} has pixels of mode {picture.mode}: save it with 8 or 16 bits")
    picture = picture.convert("RGB")
    return picture if turn is None else picture.transpose(turn)


def _prepared(picture: Image.Image, card: dict[str, Any]) -> np.ndarray:
    """Return the square at the centre, resized and normalised as in validation, float32 [1, 3, H, W]."""
    side = card["centre_share"] * min(picture.size)
    left, top = ((length - side) / 2 for length in picture.size)  # not rounded
    size, box = (card["image_size"],) * 2, (left, top, left + side, top + side)
    pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR, box=box)) / 255
    return ((pixels - card["mean"]) / card["std"]).transpose(2, 0, 1)[None].astype(np.float32)


@cache
def _opened(path: Path) -> tuple[Any, dict[str, Any]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    return session, json.loads(session.get_modelmeta().custom_metadata_map["card.json"])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for label, probability in classify(name):
            sys.stdout.write(f"{name}  {label}  {probability:.4f}\n")
