import json

import pytest

from nasgem_core.config.search import CellsConfig, EncoderConfig, LabelsConfig, PairsConfig
from tasks.run.placement import Placement
from tasks.stages.ablation import CURVES_FILE, METRICS_FILE, fit_for_ablation, grid_encoder, write_ablation

ENCODER = EncoderConfig(hidden=(8,), batch_size=32)


@pytest.fixture(scope="module")
def curve():
    encoder = grid_encoder(ENCODER, 4, 10)
    return fit_for_ablation.fn(
        cells=CellsConfig(vertices=5),
        pairs=PairsConfig(count=100),
        labels=LabelsConfig(),
        encoder=encoder,
        seed=0,
        placement=Placement(),
    )


def test_a_place_of_the_grid_has_a_curve_of_held_out_losses(curve):
    assert (curve["vertices"], curve["dimension"]) == (5, 4)
    assert len(curve["steps"]) == len(curve["losses"]) and curve["steps"][-1] == 10
    assert curve["losses"][-1] == pytest.approx(curve["similarity_loss"])


def test_curves_and_metrics_are_written(curve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_ablation([curve])
    assert json.loads(CURVES_FILE.read_text())["curves"] == [curve]
    assert json.loads(METRICS_FILE.read_text())["n5_d4"]["r_squared"] == curve["r_squared"]


def test_only_dimension_and_steps_of_the_encoder_change():
    changed = grid_encoder(ENCODER, 7, 11)
    assert (changed.dimension, changed.iterations, changed.hidden) == (7, 11, (8,))
