import math

import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from nasgem_core.errors import ParameterError
from nasgem_core.predictors.rivals.losses import (
    LOSSES,
    MARGIN,
    loss_named,
    pairwise_bce,
    pairwise_hinge,
    squared_error,
    weighted_squared_error,
)


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=12), rng.integers(0, 6, size=12).astype(float)


def test_squared_errors_are_those_of_plain_loops(batch):
    targets = batch[1]
    errors = [(s - t) ** 2 for s, t in batch_rows(batch)]
    weights = 2 * rankdata(targets) / (len(targets) + 1)
    assert weights.mean() == pytest.approx(1)
    assert float(squared_error(*tensors(batch))) == pytest.approx(np.mean(errors))
    assert float(weighted_squared_error(*tensors(batch))) == pytest.approx(np.mean(weights * errors))


def test_pairwise_losses_are_those_of_plain_loops(batch):
    rows = batch_rows(batch)
    hinge, bce = [], []
    for better, t in rows:
        for worse, u in rows:
            if t > u:
                hinge.append(max(0.0, MARGIN - (better - worse)))
                bce.append(-math.log(1 / (1 + math.exp(-(better - worse)))))
    assert float(pairwise_hinge(*tensors(batch))) == pytest.approx(np.mean(hinge))
    assert float(pairwise_bce(*tensors(batch))) == pytest.approx(np.mean(bce))


@pytest.mark.parametrize("loss", [pairwise_hinge, pairwise_bce])
def test_pairs_see_only_the_order_of_targets_and_differences_of_scores(loss, batch):
    scores, targets = tensors(batch)
    assert float(loss(scores + 7, targets**3)) == pytest.approx(float(loss(scores, targets)))


@pytest.mark.parametrize("loss", LOSSES.values())
def test_the_right_order_costs_less_than_the_wrong_one(loss):
    targets = torch.tensor([-1.0, 0.0, 1.0])
    assert float(loss(targets, targets)) < float(loss(-targets, targets))


@pytest.mark.parametrize("loss", [pairwise_hinge, pairwise_bce])
def test_without_a_pair_nothing_is_lost(loss):
    scores = torch.tensor([1.0, 2.0], requires_grad=True)
    value = loss(scores, torch.tensor([0.5, 0.5]))
    value.backward()
    assert value.item() == 0
    assert scores.grad is not None and not scores.grad.any()


def test_unknown_losses_are_named():
    with pytest.raises(ParameterError, match="loss = 'huber': must be one of squared_error, "):
        loss_named("huber")


def tensors(batch):
    return tuple(torch.from_numpy(values) for values in batch)


def batch_rows(batch):
    return list(zip(*batch, strict=True))
