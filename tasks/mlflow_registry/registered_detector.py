"""How MLflow loads a registered detector, as `python_function`: pictures in, a table of what was found out.

MLflow calls `_load_pyfunc` by the name of this module, which stands in the registered model.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = ("object", "score", "left", "top", "right", "bottom")


class PictureDetector:
    """A detector of pictures.

    Args:
        detector: in any mode.
        names: of its categories, by label.
    """

    def __init__(self, detector: Any, names: tuple[str, ...]) -> None:
        self.detector, self.names = detector, names

    def predict(self, picture: np.ndarray, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return what is in a picture [H, W, 3] uint8: `COLUMNS`, the best score first, corners in pixels."""
        from PIL import Image

        from nasgem_core.deployment.predicting import find_objects

        lowest = self.detector.lowest_score
        found = find_objects(self.detector, self.names, Image.fromarray(np.asarray(picture)), lowest)
        table = pd.DataFrame({"object": list(found.names), "score": found.scores})
        return table.assign(**dict(zip(COLUMNS[2:], found.boxes.T, strict=True)))


def _load_pyfunc(path: str) -> PictureDetector:
    from nasgem_core.deployment.detectors import load_detector
    from nasgem_core.deployment.folders import read_network
    from nasgem_core.detection.spec import DetectorSpec
    from tasks.mlflow_registry.model_files import DESCRIPTION_FILE, EXTRA_FILES, WEIGHTS_FILE

    folder = Path(path) / EXTRA_FILES
    document, weights = read_network(folder / DESCRIPTION_FILE, folder / WEIGHTS_FILE)
    spec = DetectorSpec.from_json(document)
    return PictureDetector(load_detector(spec, weights), tuple(category.name for category in spec.categories))
