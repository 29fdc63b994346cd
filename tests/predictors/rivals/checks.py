"""What is asked of every rival."""

import numpy as np
import torch
from scipy.stats import kendalltau
from torch import nn

from nasgem_core.predictors.predictor import Predictor
from nasgem_core.predictors.rivals.losses import squared_error

LABELLED = 150


def gradient_reaches_every_parameter(network: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
    squared_error(network(*inputs), torch.linspace(-1, 1, len(inputs[0]))).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def tau_on_others(predictor: Predictor, accuracies: np.ndarray) -> float:
    """Fit to the first cells and return Kendall's tau on all others."""
    rows, others = np.split(np.arange(len(accuracies)), [LABELLED])
    scores = predictor.fit(rows, accuracies[rows], 3).predict(others)
    assert scores.shape == others.shape
    assert len(predictor.predict(others[:0])) == 0
    return kendalltau(scores, accuracies[others])[0]
