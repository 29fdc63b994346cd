"""The rivals by name, each with the settings that were found for it on seeds that are not reported (docs/rivals.md)."""

from dataclasses import replace

from nasgem_core.config.search import EncoderConfig, PredictorConfig
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.rivals.autoencoder import EmbeddingNetwork, pretrain_encoder
from nasgem_core.predictors.rivals.gates import gates
from nasgem_core.predictors.rivals.gcn import neural_predictor
from nasgem_core.predictors.rivals.lstm import lstm_predictor
from nasgem_core.predictors.rivals.nas_bowl import WeisfeilerLehmanProcess
from nasgem_core.predictors.rivals.perceptron import flattened_adjacency
from nasgem_core.predictors.rivals.training import Training

_GUIDED = EncoderConfig(
    dimension=32,
    hidden=(256,),
    iterations=10_000,
    batch_size=256,
    learning_rate=1e-3,
    similarity_weight=1.0,
    reconstruction_weight=1.0,
    holdout=0.1,
)
_PLAIN = replace(_GUIDED, similarity_weight=0.0)
_PREDICTOR = PredictorConfig(
    kind="perceptron", target="score", hidden=(64, 64), iterations=2000, learning_rate=3e-3, weight_decay=3.0, members=1
)
"""As in the paper profile (profiles/paper.yaml), but for the weight decay."""
_PRETRAININGS = 3

RECIPES: dict[str, Recipe] = {
    "adjacency_mlp": Recipe(
        None,
        lambda space, *_: flattened_adjacency(
            space, Training("pairwise_bce", 3e-3, 1e-2, steps=400), width=256, layers=3, dropout=0.3
        ),
    ),
    "plain_autoencoder": Recipe(
        lambda space, seed: pretrain_encoder(space, _PLAIN, seed),
        lambda space, arrays, _: EmbeddingNetwork(space, arrays, _PREDICTOR),
        _PRETRAININGS,
    ),
    "guided_autoencoder": Recipe(
        lambda space, seed: pretrain_encoder(space, _GUIDED, seed),
        lambda space, arrays, _: EmbeddingNetwork(space, arrays, _PREDICTOR),
        _PRETRAININGS,
    ),
    "lstm": Recipe(
        None,
        lambda space, *_: lstm_predictor(
            space, Training("pairwise_hinge", 3e-3, 1e-2, steps=800), width=96, dropout=0.2
        ),
    ),
    "gcn": Recipe(
        None,
        lambda space, *_: neural_predictor(
            space, Training("pairwise_hinge", 3e-3, 1e-2, steps=400), width=144, layers=3, dropout=0.1
        ),
    ),
    "gates": Recipe(
        None,
        lambda space, *_: gates(
            space, Training("pairwise_hinge", 3e-3, 1e-2, steps=800), width=64, layers=5, dropout=0.0
        ),
    ),
    "nas_bowl": Recipe(None, lambda space, *_: WeisfeilerLehmanProcess(space, "both", assignment=True)),
}
