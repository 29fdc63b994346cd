import json

import numpy as np
import pytest

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, EncoderConfig, LabelsConfig, PairsConfig
from tasks.run.placement import Placement
from tasks.stages.encoder import (
    GUIDED,
    METRICS_FILE,
    PLAIN,
    encoder_of,
    fit_encoder_task,
    plain_config,
    read_encoder,
    write_encoders,
)
from tasks.stages.labels import label_pairs
from tasks.stages.pairs import generate_pairs

SPACE = CellsConfig(vertices=6)
CONFIG = EncoderConfig(dimension=4, hidden=(8,), iterations=5, batch_size=32)


@pytest.fixture(scope="module")
def values():
    packed = generate_pairs.fn(SPACE, PairsConfig(count=100), 3)
    similarity = label_pairs.fn(packed, LabelsConfig())["similarity"]
    return {
        kind: fit_encoder_task.fn(packed, similarity, config, 1, Placement())
        for kind, config in ((GUIDED, CONFIG), (PLAIN, plain_config(CONFIG)))
    }


def test_what_is_written_embeds_as_what_was_fitted(values, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_encoders(values)
    cells = sample_cells(SPACE, 5, 9)
    for kind, value in values.items():
        assert np.array_equal(read_encoder(kind).embed(cells), encoder_of(value).embed(cells))
    metrics = json.loads(METRICS_FILE.read_text())
    assert metrics[GUIDED]["r_squared"] == encoder_of(values[GUIDED]).report.r_squared
    assert "curve" not in metrics[PLAIN]


def test_the_plain_encoder_is_not_guided():
    assert plain_config(CONFIG).similarity_weight == 0
    assert plain_config(EncoderConfig(reconstruction_weight=0)).reconstruction_weight == 1
