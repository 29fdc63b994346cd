import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.edits import renumber_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, EncoderConfig, PairsConfig
from nasgem_core.encoders import fitted as module
from nasgem_core.encoders.features import cell_features
from nasgem_core.encoders.fitted import FittedEncoder
from nasgem_core.encoders.fitting import fit_encoder
from nasgem_core.encoders.ordering import order_vertices
from nasgem_core.errors import CellError, DataError
from nasgem_core.kernel.pairs import draw_pairs
from nasgem_core.kernel.wl import wl_similarity

CELLS = CellsConfig(vertices=7, edge_probability=(0.2, 0.6))


@pytest.fixture(scope="module")
def encoder():
    pairs = draw_pairs(CELLS, PairsConfig(count=200, max_edits=6), 1)
    config = EncoderConfig(dimension=5, hidden=(16,), iterations=5, batch_size=32)
    return fit_encoder(pairs, wl_similarity(pairs.left, pairs.right, 2), config, 1)


def test_embeddings_are_the_network_by_hand(encoder):
    cells = sample_cells(CELLS, 20, 2)
    features = cell_features(order_vertices(cells), 7).astype(np.float64)
    weights = encoder.weights
    hidden = np.maximum(features @ weights["encoder.0.weight"].T + weights["encoder.0.bias"], 0)
    expected = hidden @ weights["encoder.2.weight"].T + weights["encoder.2.bias"]
    embeddings = encoder.embed(cells)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(encoder.module(torch.from_numpy(features).float()), expected, rtol=1e-4, atol=1e-5)


def test_numbering_of_vertices_does_not_matter(encoder):
    cells = sample_cells(CELLS, 200, 3)
    renumbered = renumber_cells(cells, np.ones(200, dtype=bool), 4)
    same = (encoder.embed(cells) == encoder.embed(renumbered)).all(axis=1)
    assert same.mean() > 0.95


def test_chunks_do_not_show(encoder, monkeypatch):
    cells = sample_cells(CELLS, 50, 2)
    whole = encoder.embed(cells)
    monkeypatch.setattr(module, "CHUNK", 16)
    np.testing.assert_allclose(encoder.embed(cells), whole, rtol=1e-5, atol=1e-6)
    assert encoder.embed(cells[:0]).shape == (0, 5)


def test_a_narrower_batch_is_padded(encoder):
    cells = sample_cells(replace(CELLS, vertices=4), 30, 2)
    padded = CellBatch.from_cells(list(cells), CELLS.operations, width=7)
    assert np.array_equal(encoder.embed(cells), encoder.embed(padded))


def test_other_cells_are_refused(encoder):
    with pytest.raises(CellError, match="cells of 9 vertices do not fit an encoder of 7 vertices"):
        encoder.embed(sample_cells(replace(CELLS, vertices=9), 2, 0))
    with pytest.raises(CellError, match="operations are conv3x3, but the encoder was fitted on conv1x1, dwconv3x3"):
        encoder.embed(sample_cells(replace(CELLS, operations=("conv3x3",)), 2, 0))


def test_it_survives_safetensors_and_json(encoder):
    arrays, metadata = encoder.to_arrays()
    again = FittedEncoder.from_arrays(load(save(arrays)), json.loads(json.dumps(metadata)))
    cells = sample_cells(CELLS, 20, 2)
    assert np.array_equal(again.embed(cells), encoder.embed(cells))
    assert (again.config, again.vertices, again.operation_names) == (encoder.config, 7, CELLS.operations)
    assert again.report == encoder.report


def test_what_is_no_encoder_is_refused(encoder):
    arrays, metadata = encoder.to_arrays()
    with pytest.raises(DataError, match=r"field 'schema' must be 'nasgem.encoder/1', found None"):
        FittedEncoder.from_arrays(arrays, {})
    with pytest.raises(DataError, match="metadata is incomplete or of another version: 'vertices'"):
        FittedEncoder.from_arrays(arrays, {k: v for k, v in metadata.items() if k != "vertices"})
    with pytest.raises(DataError, match="weights do not match its parameters"):
        FittedEncoder.from_arrays(arrays, metadata | {"vertices": 8})
