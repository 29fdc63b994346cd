import math

import pytest
import torch

from nasgem_core.config.search import EncoderConfig
from nasgem_core.encoders.autoencoder import Autoencoder, embedding_similarity, initialise, similarity_loss


def test_similarity_loss_by_hand():
    left = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    right = torch.tensor([[5.0, 0.0], [4.0, 3.0]])
    assert embedding_similarity(left, right).tolist() == pytest.approx([1.0, 24 / 25])
    loss = similarity_loss(left, right, torch.tensor([0.5, 0.76]))
    assert float(loss) == pytest.approx((0.5**2 + 0.2**2) / 2)


def test_reconstruction_loss_by_hand():
    model = Autoencoder(3, 1, EncoderConfig(dimension=2, hidden=(4,)))
    features = torch.tensor([[1.0, 0, 1, 0, 1, 1, 0]])  # edges 0-1 and 1-2; vertex 1 present, vertex 2 absent
    logits = torch.tensor([[0.0, -math.log(3), math.log(3), 0.0, math.log(4), 0.0, 0.0]])
    edges = (math.log(2) + 2 * math.log(4 / 3)) / 3
    operations = (math.log(5 / 4) + math.log(2)) / 2
    assert float(model.reconstruction_loss(features, logits)) == pytest.approx(edges + operations)


def test_perfect_logits_cost_nothing():
    model = Autoencoder(4, 2, EncoderConfig(dimension=2, hidden=(4,)))
    features = torch.tensor([[1.0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0]])
    assert float(model.reconstruction_loss(features, 100 * features - 50)) < 1e-6


def test_the_decoder_mirrors_the_encoder():
    model = Autoencoder(3, 1, EncoderConfig(dimension=2, hidden=(5, 4)))
    shapes = [tuple(p.shape) for p in model.encoder.parameters() if p.ndim == 2]
    mirrored = [tuple(p.shape) for p in model.decoder.parameters() if p.ndim == 2]
    assert shapes == [(5, 7), (4, 5), (2, 4)]
    assert mirrored == [(4, 2), (5, 4), (7, 5)]


def test_the_gradient_reaches_every_parameter():
    generator = torch.Generator().manual_seed(0)
    model = Autoencoder(6, 2, EncoderConfig(dimension=4, hidden=(16, 8)))
    initialise(model, generator)
    features = (torch.rand(64, 15 + 5 * 3, generator=generator) < 0.5).float()
    embeddings, logits = model(features)
    loss = similarity_loss(embeddings[:32], embeddings[32:], torch.rand(32, generator=generator))
    (loss + model.reconstruction_loss(features, logits)).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_initialising_repeats_and_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    models = [Autoencoder(4, 2, EncoderConfig(dimension=2, hidden=(8,))) for _ in range(2)]
    for model in models:
        initialise(model, torch.Generator().manual_seed(3))
    assert torch.equal(state, torch.get_rng_state())
    for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(a, b)
