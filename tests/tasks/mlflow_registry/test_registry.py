import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.proxy_spec import ProxySpec
from nasgem_core.deployment.specs import build_network
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError, NasgemError, ParameterError
from nasgem_core.networks.layout import NetworkLayout
from tasks.mlflow_registry.registered_model import classifier_candidate, detector_candidate
from tasks.mlflow_registry.registry import Registered, download_registered, is_reference, register_network

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType")  # MLflow, of its own classes

CELL = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), ("input", "conv1x1", "dwconv3x3"))
SPEC = ProxySpec(CELL, NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=8), 3)


def card(top1, name="small"):
    moments = {"mean": (0.5, 0.5, 0.5), "std": (0.2, 0.2, 0.2)}
    return NetworkCard(name, SPEC.to_dict(), ("a", "b", "c"), 8, 1.0, **moments, metrics={"top1": top1, "top5": 1.0})


def register(place, seed, top1, data="digits", model="shared", measure="top1", **options):
    network = build_network(SPEC, seed)
    candidate = classifier_candidate(card(top1), network.state_dict(), measure)
    return network, register_network(place.root, model, candidate, data=data, **options)


@pytest.fixture(scope="module")
def champion(place):
    """Register three networks, the second of them the best, and return that."""
    register(place, 0, 0.5)
    best, found = register(place, 1, 0.7)
    assert found == Registered("shared", 2, champion=True)
    assert register(place, 2, 0.6)[1] == Registered("shared", 3, champion=False)
    return best


def test_the_best_network_is_loaded_by_its_alias(place, champion):
    import mlflow

    images = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = champion(images)
    mlflow.set_tracking_uri(place.tracking.uri)
    try:
        loaded = mlflow.pytorch.load_model("models:/shared@champion")
        predictor = mlflow.pyfunc.load_model("models:/shared@champion")
    finally:
        mlflow.set_tracking_uri(None)
    for count in (1, 5):
        torch.testing.assert_close(loaded(images[:count]), expected[:count])
        found = predictor.predict(images[:count].numpy())
        np.testing.assert_allclose(found, expected[:count].numpy(), rtol=1e-5, atol=1e-6)
    signature = predictor.metadata.signature
    assert [signature.inputs.inputs[0].shape, signature.outputs.inputs[0].shape] == [(-1, 3, 8, 8), (-1, 3)]
    assert predictor.input_example.shape == (2, 3, 8, 8)


def test_a_version_tells_cell_metrics_and_data(place, champion):
    version = place.client.get_model_version_by_alias("shared", "champion")
    assert Cell.from_dict(json.loads(version.tags["nasgem.cell"])) == CELL
    assert json.loads(version.tags["nasgem.metrics"]) == {"top1": 0.7, "top5": 1.0}
    assert version.tags["nasgem.data"] == "digits"
    (output,) = place.client.get_run(version.run_id).outputs.model_outputs
    logged = place.client.get_logged_model(output.model_id)
    assert version.source == logged.artifact_location
    assert {metric.key: metric.value for metric in logged.metrics} == {"top1": 0.7, "top5": 1.0}
    run = place.client.get_run(version.run_id)
    assert run.data.metrics["top1"] == 0.7 and run.info.run_name == "register small"
    parent = place.client.get_run(run.data.tags["mlflow.parentRunId"])
    assert parent.info.run_name == "registered networks", "no run of a version is at the top"


def test_card_and_weights_come_back(place, champion, tmp_path):
    for reference in ("shared@champion", "models:/shared/2", "shared/2"):
        path, weights = download_registered(place.root, reference, tmp_path)
        assert NetworkCard.from_json(path.read_text()) == card(0.7)
        assert all(torch.equal(load_file(weights)[name], t) for name, t in champion.state_dict().items())


def test_the_same_network_is_registered_once(place, champion, capfd):
    assert register(place, 1, 0.7)[1] == Registered("shared", 2, champion=True)
    assert len(place.client.search_model_versions("name = 'shared'")) == 3
    assert capfd.readouterr() == ("", "")


def test_networks_measured_on_other_data_are_not_compared(place):
    register(place, 0, 0.9, data="easy", model="two")
    assert register(place, 0, 0.4, data="hard", model="two")[1] == Registered("two", 2, champion=True)
    assert register(place, 1, 0.3, data="hard", model="two")[1] == Registered("two", 3, champion=False)


def test_a_run_that_trained_it_is_named(place):
    run = place.client.create_run(place.experiment_id)
    register(place, 0, 0.5, model="of a run".replace(" ", "-"), run_id=run.info.run_id)
    version = place.client.get_model_version_by_alias("of-a-run", "champion")
    assert version.run_id == run.info.run_id
    assert [output.model_id for output in place.client.get_run(version.run_id).outputs.model_outputs]


def test_a_detector_is_registered_with_its_measure(place, tmp_path):
    backbone = GEMNetSpec("g", 2, (64, 64), CELL, IMAGENET, 8.0)
    spec = DetectorSpec(backbone, (Category(1, "cat"),), DetectorSettings(pyramid_channels=8))
    for ap, number, best in ((0.2, 1, True), (0.1, 2, False), (float("nan"), 3, False)):
        weights = {name: tensor.numpy() for name, tensor in spec.build().state_dict().items()}
        candidate = detector_candidate(spec, weights, {"AP": ap}, "det")
        found = register_network(place.root, "coco", candidate, data="pictures")
        assert found == Registered("coco", number, champion=best)
    description, path = download_registered(place.root, "coco/1", tmp_path)
    assert DetectorSpec.from_json(description.read_text()) == spec
    assert set(load_file(path)) == set(weights)
    version = place.client.get_model_version("coco", "1")
    assert Cell.from_dict(json.loads(version.tags["nasgem.cell"])) == CELL


def test_a_registered_detector_is_loaded_by_its_alias(place):
    import mlflow

    backbone = GEMNetSpec("g", 2, (64, 64), CELL, IMAGENET, 8.0)
    sizes = {"short_side": 48, "long_side": 64, "pyramid_channels": 8, "box_channels": 16}
    # An untrained Faster R-CNN is half sure of everything.
    spec = DetectorSpec(backbone, (Category(1, "cat"),), DetectorSettings(kind="faster_rcnn", **sizes))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)  # many seeds find nothing
        detector = spec.build().eval()
    candidate = detector_candidate(spec, detector.state_dict(), {"AP": 0.1}, "det")
    register_network(place.root, "loaded", candidate, data="pictures")
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    mlflow.set_tracking_uri(place.tracking.uri)
    try:
        loaded = mlflow.pyfunc.load_model("models:/loaded@champion")
    finally:
        mlflow.set_tracking_uri(None)
    found = loaded.predict(picture)
    with torch.no_grad():
        (expected,) = detector([torch.from_numpy(picture).permute(2, 0, 1)])
    assert len(found) == len(expected["scores"]) > 0 and set(found["object"]) == {"cat"}
    np.testing.assert_allclose(found[["left", "top", "right", "bottom"]], expected["boxes"], rtol=1e-5, atol=1e-4)
    assert loaded.metadata.get_output_schema().input_names() == list(found.columns)
    assert loaded.metadata.saved_input_example_info is not None
    assert len(loaded.predict(np.zeros((30, 30, 3), np.uint8)).columns) == 6


def test_wrong_references_are_named(place, champion, tmp_path):
    for reference, message in {
        "unknown@champion": "no registered model is called 'unknown': there are",
        "shared@winner": "there is no shared@winner: shared has the versions 1, 2, 3, the best as shared@champion",
        "shared/9": "there is no shared/9",
        "a b": "a b is not the name of a registered model: write it as NAME@champion",
    }.items():
        with pytest.raises(DataError, match=message):
            download_registered(place.root, reference, tmp_path)


def test_references_are_told_from_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert all(map(is_reference, ("imagenet@champion", "imagenet/3", "models:/imagenet@champion")))
    assert not any(map(is_reference, ("exported", "data/exported", "a/b/3", "photo.jpg", "x.safetensors")))
    (tmp_path / "exported" / "3").mkdir(parents=True)
    assert not is_reference("exported/3")


def test_what_cannot_be_compared_or_reached_is_named(place, monkeypatch):
    with pytest.raises(ParameterError, match="small has no metric 'ap': it has top1, top5"):
        register(place, 0, 0.5, measure="ap")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(NasgemError, match=r"MLflow at http://127\.0\.0\.1:9 cannot be reached"):
        register(place, 0, 0.5)
