"""Whether a search's labels suffice: whether predictions rank cells, and whether validation images tell them apart."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasgem_core.intervals import difference_of_means
from nasgem_core.search.rank_agreement import rank_agreement

_EQUAL = 1e-9
"""Standard deviation of accuracies that are equal but for rounding."""


@dataclass(frozen=True)
class LabelQuality:
    """What is known of the labels of a search.

    Args:
        predicted_cells: cells that were predicted before they were trained.
        tau: Kendall's tau-b of their predictions and measurements, NaN where nothing is ranked.
        low: lower end of its 95 % interval.
        high: upper end.
        gain: mean score of the cells that were picked by prediction less that of random ones, NaN with too few.
        gain_half_width: half of its 95 % interval.
        deviation: standard deviation of the accuracies of all trained cells.
        sampling_error: standard error of one accuracy by the number of validation images alone.
    """

    predicted_cells: int
    tau: float
    low: float
    high: float
    gain: float
    gain_half_width: float
    deviation: float
    sampling_error: float

    @classmethod
    def of(
        cls,
        predicted: np.ndarray,
        measured: np.ndarray,
        *,
        picked: np.ndarray,
        random: np.ndarray,
        accuracies: np.ndarray,
        images: int,
    ) -> "LabelQuality":
        """Return the quality of the labels.

        Args:
            predicted: [B], scores of cells before they were trained.
            measured: [B], their scores.
            picked: scores of the cells that were trained because of their predictions.
            random: scores of the random cells.
            accuracies: [N], of all cells whose training succeeded.
            images: number of validation images.
        """
        agreement = rank_agreement(predicted, measured)
        error = math.sqrt(float(np.mean(accuracies * (1 - accuracies))) / max(images, 1))
        deviation = float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else math.nan
        gain = difference_of_means(picked, random)
        return cls(len(predicted), agreement.tau, agreement.low, agreement.high, *gain, deviation, error)

    @property
    def ranks(self) -> bool:
        """Whether predictions are better than chance, beyond doubt, in their ranks or in what they picked.

        Picks are much alike, so their ranks alone say little.
        """
        return self.low > 0 or self.gain > self.gain_half_width

    @property
    def tells_apart(self) -> bool:
        """Whether accuracies differ by more than the choice of the validation images explains."""
        return self.deviation > math.sqrt(2) * self.sampling_error

    def warnings(self) -> list[str]:
        """Return a line for each thing that the labels do not suffice for."""
        lines = []
        if not self.tells_apart:
            apart = f"differ by {100 * self.deviation:.2g} points" if self.deviation > _EQUAL else "are equal"
            lines.append(
                f"too few validation images: the accuracies of the cells {apart}, and chance alone moves each by "
                f"{100 * self.sampling_error:.2g} points (standard deviations); add images, of which proxy.holdout "
                "judges the cells, or train longer with proxy.least_steps"
            )
        if self.predicted_cells and not self.ranks:
            tau = "unknown" if math.isnan(self.tau) else f"{self.tau:.2f} (95 %: {self.low:.2f} to {self.high:.2f})"
            lines.append(
                f"too few labels to rank cells: Kendall's tau of {self.predicted_cells} predictions and the accuracies "
                f"measured later is {tau}, and cells picked by prediction are not clearly better than random ones; "
                "raise estimator.initial or estimator.rounds"
            )
        return lines

    def metrics(self) -> dict[str, Any]:
        """Return the figures for the metrics of a stage; those that are not known are None."""
        figures = {
            "ranking_tau": self.tau,
            "ranking_low": self.low,
            "ranking_high": self.high,
            "picks_gain": self.gain,
            "picks_gain_half_width": self.gain_half_width,
            "accuracy_deviation": self.deviation,
            "sampling_error": self.sampling_error,
        }
        found: dict[str, Any] = {name: value if math.isfinite(value) else None for name, value in figures.items()}
        return found | {"labels_rank": self.ranks, "labels_tell_apart": self.tells_apart}
