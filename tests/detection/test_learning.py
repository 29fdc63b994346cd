"""Detectors do learn: a few images of COCO by heart, from scratch, at a small size."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.skeleton import PAPER
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.detection.annotation_file import read_annotations
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.detection.task import DetectionTask, MeasuredSet, TrainingSet
from nasgem_core.detection.training_boxes import training_boxes
from nasgem_core.training.loop import train
from nasgem_core.training.recipe import TrainingRecipe

CELL = Cell(
    np.array([[0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]), ("input", "conv1x1", "dwconv3x3", "conv1x1")
)


@pytest.mark.parametrize(
    ("kind", "steps", "rate", "least"),
    [
        pytest.param("retinanet", 36, 0.01, 0.3, marks=pytest.mark.slow),
        pytest.param("faster_rcnn", 220, 0.02, 0.3, marks=pytest.mark.nightly),
    ],
)
def test_four_images_are_learned_by_heart(real, tmp_path, kind, steps, rate, least):
    annotations = read_annotations(real / "annotations" / "instances_train.json").subset(np.arange(1, 5))
    settings = DetectorSettings(
        kind=kind,
        short_side=120,
        long_side=160,
        square=True,
        pyramid_channels=64,
        box_channels=256,
        sampled_proposals=32,
        group_normalisation=True,
    )
    torch.manual_seed(0)
    layout = replace(IMAGENET, skeleton=replace(PAPER, repeats=(1, 1, 2, 2, 1)))
    network = GEMNetSpec("small", 2, (224, 224), CELL, layout, 16.0)
    spec = DetectorSpec(network, annotations.categories, settings)
    images = real / "train"
    task = DetectionTask(
        spec.build(),
        {"detector": spec.to_dict()},
        TrainingSet(annotations, training_boxes(annotations, images), images),
        {"": MeasuredSet(annotations, images)},
        batch_size=4,
    )
    recipe = TrainingRecipe(
        epochs=steps,
        optimiser="sgd",
        learning_rate=rate,
        averaging=0.0,
        clip_norm=10.0,
        warmup_steps=10,
        weight_decay=1e-4,
        evaluate_epochs=steps,
        checkpoint_seconds=1e6,
    )
    trained = train(task, recipe, tmp_path, seed=0)
    assert trained.metrics["AP50"] > least
