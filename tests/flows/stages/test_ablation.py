import json
from dataclasses import replace

import pytest

from flows.stages import ablation
from nasgem_core.config.search import EncoderConfig
from nasgem_core.config.studies import AblationConfig
from tests.flows.in_process import open_small_session, small_config


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session, tracking = open_small_session(monkeypatch, small_config("macs"))
    session.config = replace(
        session.config,
        encoder=EncoderConfig(hidden=(8,), batch_size=32),
        ablation=AblationConfig(vertices=(4, 5), dimensions=(2, 3), pairs=100, iterations=5),
    )
    monkeypatch.setattr(ablation, "fit_for_ablation", ablation.fit_for_ablation.fn)
    return session, tracking


@pytest.fixture
def session(opened):
    return opened[0]


@pytest.fixture
def tracking(opened):
    return opened[1]


def test_each_place_of_the_grid_is_fitted_drawn_and_logged(tracking):
    ablation.ablation.fn()
    curves = json.loads(ablation.CURVES_FILE.read_text())["curves"]
    assert [(curve["vertices"], curve["dimension"]) for curve in curves] == [(4, 2), (4, 3), (5, 2), (5, 3)]
    assert ablation.FIGURE_FILE.read_bytes().startswith(b"\x89PNG")
    (stage,) = [record for record in tracking.records if record.kind == "stage"]
    assert {name for name, _, _ in stage.metrics} == {
        f"{name}_n{n}_d{d}" for name in ("similarity_loss", "r_squared") for n in (4, 5) for d in (2, 3)
    }


def test_without_a_size_of_cells_it_is_skipped(tracking, session, capsys):
    ablation.ablation.fn()
    session.config = replace(session.config, ablation=AblationConfig(vertices=()))
    ablation.ablation.fn()
    assert json.loads(ablation.CURVES_FILE.read_text())["curves"] == [] and not ablation.FIGURE_FILE.exists()
    assert "  skipped: ablation.vertices names no size of cells" in capsys.readouterr().err


def test_dimensions_share_the_pairs_of_their_size(tracking):
    ablation.ablation.fn()
    curves = json.loads(ablation.CURVES_FILE.read_text())["curves"]
    constants = [curve["constant_similarity_loss"] for curve in curves]
    assert constants[0] == constants[1] != constants[2] == constants[3]
