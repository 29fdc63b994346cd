import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.backbones.skeleton import Skeleton
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.deployment import int8
from nasgem_core.deployment.folders import read_network
from nasgem_core.deployment.int8 import export_int8
from nasgem_core.deployment.predicting import prepare
from nasgem_core.deployment.specs import build_network
from nasgem_core.errors import DataError
from nasgem_core.training.image_files import list_image_files
from tests.deployment.networks import card, cell
from tests.training.folders import write_images

SKELETON = Skeleton("small", scales=(1.0,), repeats=(2,), head_channels=16)
SPEC = GEMNetSpec("small", 3, (16, 16), cell(), GEMNetLayout("small", 2, (True,), SKELETON), 8.0)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Return validation images of three colours, one of them broken, and a network that tells them apart."""
    folder = write_images(tmp_path_factory.mktemp("images"))
    training, validation = list_image_files(folder)
    own = replace(card(SPEC), classes=training.classes, metrics={"top1": 1.0})
    batch = torch.cat([prepare(training.read(i), own) for i in range(len(training))])
    network = build_network(SPEC).train()
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(30):
        loss = nn.functional.cross_entropy(network(batch), torch.from_numpy(training.labels))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    (validation.folder / validation.files[0]).write_bytes(b"broken")
    return own, network.eval().state_dict(), validation


@pytest.mark.slow
def test_a_network_keeps_its_accuracy_with_8_bits(learnt, tmp_path, capfd):
    import onnxruntime

    own, weights, images = learnt
    steps = []
    report = export_int8(own, weights, tmp_path / "out", images, most_lost=0.0, on_step=steps.append)
    assert capfd.readouterr() == ("", "") and len(steps) == 3
    assert (report.images, report.float_top1, report.int8_top1) == (14, 1.0, 1.0)
    assert min(report.float_ms, report.int8_ms) > 0 and report.float_bytes > 10_000  # so small a network gains nothing
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    names = ["network.int8.onnx", "network.json", "weights.safetensors"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    document, _ = read_network(tmp_path / "out" / "network.json", tmp_path / "out" / "weights.safetensors")
    metrics = json.loads(document)["metrics"]
    assert (metrics["top1"], metrics["int8_export_int8_top1"], metrics["int8_export_images"]) == (1.0, 1.0, 14)
    path = tmp_path / "out" / "network.int8.onnx"
    assert path.stat().st_size > report.int8_bytes > 10_000  # the card was added
    session = onnxruntime.InferenceSession(path)
    assert session.get_modelmeta().custom_metadata_map["card.json"] == document.decode().rstrip()
    kinds = [tensor.data_type for tensor in onnx.load(path).graph.initializer if len(tensor.dims) == 4]
    assert kinds and set(kinds) == {onnx.TensorProto.INT8}
    (logits,) = session.run(None, {"images": np.concatenate([prepare(images.read(i), own) for i in (1, 6, 11)])})
    assert logits.argmax(1).tolist() == [0, 1, 2]
    loss = {"float_top1": 0.9, "int8_top1": 0.8, "images": 14}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8, "_measured", lambda *arguments: replace(report, **loss))
        with pytest.raises(DataError, match=r"falls from 0.9000 to 0.8000 on 14 images, by more than 0.05: it was not"):
            export_int8(own, weights, tmp_path / "out", images, most_lost=0.05)
        with pytest.raises(DataError, match="it was not written"):
            export_int8(own, weights, tmp_path / "new", images, most_lost=0.05)
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and path.is_file()


def test_images_of_other_classes_are_refused(learnt, tmp_path):
    own, weights, images = learnt
    other = replace(own, classes=("a", "b"))
    with pytest.raises(DataError, match=r"val has 3 classes, small has 2: name the images that it was trained with"):
        export_int8(other, weights, tmp_path / "out", images, most_lost=0.1)
    assert not list(tmp_path.iterdir())
