import numpy as np
import torch

from nasgem_core.deployment.folders import write_network
from tasks.mlflow_registry import registered_detector
from tasks.mlflow_registry.registered_detector import COLUMNS, EXTRA_FILES, MODULE, PictureDetector
from tests.tasks.mlflow_registry.test_registered_model import DETECTOR


class Sure(torch.nn.Module):
    """Finds two objects in every picture, the less certain one first."""

    lowest_score = 0.2

    def forward(self, images):
        (image,) = images
        height, width = image.shape[1:]
        boxes = torch.tensor([[0.0, 0.0, width, height], [1.0, 2.0, 3.0, 4.0]])
        return [{"boxes": boxes, "scores": torch.tensor([0.5, 0.9]), "labels": torch.tensor([1, 0])}]


def test_a_picture_becomes_a_table():
    table = PictureDetector(Sure(), ("cat", "dog")).predict(np.zeros((20, 30, 3), np.uint8))
    assert tuple(table.columns) == COLUMNS
    rows = {row["object"]: [row["left"], row["top"], row["right"], row["bottom"]] for _, row in table.iterrows()}
    assert rows == {"dog": [0, 0, 30, 20], "cat": [1, 2, 3, 4]}
    assert sorted(table["score"].round(3)) == [0.5, 0.9]


def test_mlflow_finds_the_loader_by_the_name_of_the_module(tmp_path):
    assert MODULE == "tasks.mlflow_registry.registered_detector"
    network = DETECTOR.build()
    (tmp_path / EXTRA_FILES).mkdir()
    write_network(tmp_path / EXTRA_FILES, DETECTOR.to_json(), network.state_dict())
    loaded = registered_detector._load_pyfunc(str(tmp_path))
    assert loaded.names == ("cat",)
    found = loaded.detector.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in network.state_dict().items())
