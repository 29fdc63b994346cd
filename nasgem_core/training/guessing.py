"""What guessing achieves: every training has to be better than that."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Guessing:
    """The figures of a classifier that gives every image the frequencies of the classes among the training images.

    Args:
        top1: share of the validation images that are of the commonest class.
        loss: its mean cross-entropy on the validation images, in nats.
    """

    top1: float
    loss: float

    @classmethod
    def of(cls, train_labels: np.ndarray, validation_labels: np.ndarray, classes: int) -> "Guessing":
        """Return the figures for the labels of both splits, class indices [N] and [V]."""
        counts = np.bincount(train_labels, minlength=classes)
        logs = np.log((counts + 1) / (counts.sum() + classes))
        return cls(float(np.mean(validation_labels == counts.argmax())), float(-logs[validation_labels].mean()))

    def beaten_by(self, metrics: Mapping[str, float]) -> bool:
        """Say whether a training's `top1` and `validation_loss` are both better."""
        return metrics["top1"] > self.top1 and metrics["validation_loss"] < self.loss

    def words(self, metrics: Mapping[str, float]) -> str:
        """Return how a training that is not better compares, in words."""
        top1, loss = metrics["top1"], metrics["validation_loss"]
        return (
            f"no better than guessing: validation loss {loss:.3g} (guessing: {self.loss:.3g}), "
            f"top-1 {100 * top1:.1f} % (guessing: {100 * self.top1:.1f} %)"
        )
