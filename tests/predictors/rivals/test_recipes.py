import numpy as np
import pytest

from nasgem_core.config import EncoderConfig
from nasgem_core.predictors.gp import Relevances
from nasgem_core.predictors.rivals.autoencoder import pretrain_encoder
from nasgem_core.predictors.rivals.recipes import RIVALS
from tests.predictors.rivals.checks import tau_on_others


def test_the_rivals_have_names():
    assert list(RIVALS) == [
        "adjacency_mlp",
        "plain_autoencoder",
        "guided_autoencoder",
        "lstm",
        "gcn",
        "gates",
        "nas_bowl",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", RIVALS)
def test_every_recipe_builds_a_predictor_that_learns(space, accuracies, name):
    arrays = {}
    if RIVALS[name].pretrain:
        arrays = pretrain_encoder(space, EncoderConfig(dimension=16, iterations=200), 0, pairs=2000)
    predictor = RIVALS[name].build(space, arrays, Relevances())
    assert tau_on_others(predictor, accuracies) > 0.4


@pytest.mark.slow
def test_plain_and_guided_differ_by_the_similarity_loss_alone(space):
    plain, guided = (RIVALS[name].pretrain(space, 0) for name in ("plain_autoencoder", "guided_autoencoder"))
    assert plain.keys() == guided.keys()
    documents = [arrays["metadata"].tobytes().decode() for arrays in (plain, guided)]
    assert '"similarity_weight": 0.0' in documents[0]
    assert '"similarity_weight": 1.0' in documents[1]
    assert all('"iterations": 10000' in document for document in documents)
    assert np.isfinite(plain["encoder.0.weight"]).all()
