"""How MLflow loads a registered detector, as `python_function`: it takes a picture and returns a table of objects.

MLflow calls `_load_pyfunc` of the module that the registered model names, which is this one.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MODULE = __name__
COLUMNS = ("object", "score", "left", "top", "right", "bottom")
EXTRA_FILES = "extra_files"
"""Folder in a registered model with description and weights; the name is MLflow's own."""


class PictureDetector:
    """A detector of objects in pictures.

    Args:
        detector: in any mode.
        names: of its categories, by label.
    """

    def __init__(self, detector: Any, names: tuple[str, ...]) -> None:
        self.detector, self.names = detector, names

    def predict(self, picture: np.ndarray, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return the objects in a picture [H, W, 3] uint8: `COLUMNS`, the best score first, corners in pixels."""
        from PIL import Image

        from nasgem_core.deployment.predicting import find_objects

        lowest = self.detector.lowest_score
        found = find_objects(self.detector, self.names, Image.fromarray(np.asarray(picture)), lowest)
        table = pd.DataFrame({"object": list(found.names), "score": found.scores})
        return table.assign(**dict(zip(COLUMNS[2:], found.boxes.T, strict=True)))


def _load_pyfunc(path: str) -> PictureDetector:
    from nasgem_core.deployment.detectors import load_detector
    from nasgem_core.deployment.folders import CARD_FILE, WEIGHTS, read_network
    from nasgem_core.detection.spec import DetectorSpec

    folder = Path(path) / EXTRA_FILES
    document, weights = read_network(folder / CARD_FILE, folder / WEIGHTS)
    spec = DetectorSpec.from_json(document)
    return PictureDetector(load_detector(spec, weights), tuple(category.name for category in spec.categories))
