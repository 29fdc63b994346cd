"""The predictor of efficiency scores (paper 3.2): from a cell's embedding to its score.

Fully connected, ReLU, squared error. Several networks are fitted from different starting points and their mean
predicts; one is the paper's. They are fitted at once, as a batch of matrix products.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nasgem_core.config.documents import DocumentKind, read_fields
from nasgem_core.config.search import PredictorConfig
from nasgem_core.cosine import cosine_decay
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.score import Measured
from nasgem_core.search.target import Target
from nasgem_core.seeding import derive_seed

SCHEMA = "nasgem.predictor/2"
_KIND = DocumentKind("a predictor", SCHEMA)
CHUNK = 8192
MINIMUM_ROWS = 4


@dataclass(frozen=True, eq=False)
class FittedPredictor:
    """A fitted predictor P.

    Args:
        config: how it was fitted; `config.target` is what the networks put out.
        penalty: lambda of the scores it was fitted on (Eq. 5).
        rows: number of cells it was fitted on.
        target_mean: their mean target, less the cost trend; with the score target the constant guess to beat.
        cost_trend: accuracy gained by a tenfold cost, a least-squares line over the rows; 0 with the score target.
        weights: float32 arrays. `0.weight` [members, d, hidden], `0.bias` [members, 1, hidden] and so on, on
            standardised inputs and target; `input_mean` and `input_scale` [d]; `target_scale` [1].
    """

    config: PredictorConfig
    penalty: float
    rows: int
    target_mean: float
    cost_trend: float
    weights: Mapping[str, np.ndarray]

    @property
    def needs_costs(self) -> bool:
        """Whether `predict` reads the costs."""
        return self.target.needs_costs

    @cached_property
    def target(self) -> Target:
        """What the networks put out."""
        scale = float(self.weights["target_scale"][0])
        return Target(self.config.target, self.penalty, self.target_mean, scale, self.cost_trend)

    def predict(self, embeddings: np.ndarray, costs: np.ndarray | None, penalty: float) -> np.ndarray:
        """Return the predicted efficiency scores, float32 [B].

        Args:
            embeddings: [B, d].
            costs: [B], what the score charges; only read when the target is accuracy.
            penalty: lambda.

        Raises:
            ParameterError, DataError: see `Target.scores`; or the embeddings have another length.
        """
        return self.target.scores(self._forward(embeddings), costs, penalty)

    def predict_accuracy(self, embeddings: np.ndarray, costs: np.ndarray) -> np.ndarray:
        """Return the predicted accuracies, float32 [B]; raises `ParameterError` where the target is the score."""
        return self.target.accuracies(self._forward(embeddings), costs)

    def modules(self) -> list[nn.Sequential]:
        """Return each member as a network of its own: raw embeddings [B, d] to the target, less the cost trend."""
        scale, networks = float(self.weights["target_scale"][0]), []
        for member in range(self.config.members):
            layers: list[nn.Module] = []
            for i, (weight, bias) in enumerate(self._layers):
                matrix, offset = weight[member].T.astype(np.float64), bias[member, 0].astype(np.float64)
                if i == 0:
                    matrix = matrix / self.weights["input_scale"]
                    offset = offset - matrix @ self.weights["input_mean"].astype(np.float64)
                if i == len(self._layers) - 1:
                    matrix, offset = matrix * scale, offset * scale + self.target_mean
                linear = nn.Linear(matrix.shape[1], matrix.shape[0])
                with torch.no_grad():
                    linear.weight.copy_(torch.from_numpy(matrix))
                    linear.bias.copy_(torch.from_numpy(offset))
                layers += [linear, nn.ReLU()]
            networks.append(nn.Sequential(*layers[:-1]))
        return networks

    def lipschitz_bound(self) -> float:
        """Return an upper bound of K with |P(g) - P(g')| <= K |g - g'| (paper, Eq. 6-13).

        The product of the layers' spectral norms, in units of the target per unit of embedding, averaged over members;
        ReLU adds nothing. With the accuracy target it bounds the predicted accuracy at equal cost.
        """
        weights = [weight.astype(np.float64) for weight, _ in self._layers]
        weights[0] = weights[0] / self.weights["input_scale"][:, None]
        norms = [np.linalg.norm(weight, ord=2, axis=(1, 2)) for weight in weights]
        return float(np.prod(norms, axis=0).mean() * self.weights["target_scale"][0])

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the weights, and everything else as plain JSON values."""
        return dict(self.weights), {
            "schema": SCHEMA,
            "config": asdict(self.config) | {"hidden": list(self.config.hidden)},
            "penalty": self.penalty,
            "rows": self.rows,
            "target_mean": self.target_mean,
            "cost_trend": self.cost_trend,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> "FittedPredictor":
        """Read what `to_arrays` wrote; raises `DataError` when it is not a predictor or incomplete."""
        values = _KIND.fields_of(metadata)
        try:
            config = read_fields(PredictorConfig, values["config"], "config")
            numbers = {name: values[name] for name in ("penalty", "rows", "target_mean", "cost_trend")}
            fitted = cls(config=config, weights=dict(arrays), **numbers)
            shapes = {name: array.shape for name, array in arrays.items()}
            expected = _shapes(shapes["input_mean"][0], config)
        except (KeyError, TypeError, ParameterError) as error:
            raise DataError(f"the predictor's metadata is incomplete or of another version: {error}") from None
        if shapes != expected:
            raise DataError(f"the predictor's arrays have shapes {shapes}, its parameters ask for {expected}")
        return fitted

    @cached_property
    def _layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(self.weights[f"{i}.weight"], self.weights[f"{i}.bias"]) for i in range(len(self.config.hidden) + 1)]

    def _forward(self, embeddings: np.ndarray) -> np.ndarray:
        mean, scale = self.weights["input_mean"], self.weights["input_scale"]
        if embeddings.ndim != 2 or embeddings.shape[1] != len(mean):
            raise DataError(f"embeddings have shape {embeddings.shape}: the predictor was fitted on length {len(mean)}")
        layers = [(torch.from_numpy(weight), torch.from_numpy(bias)) for weight, bias in self._layers]
        outputs = np.empty(len(embeddings), dtype=np.float32)
        for start in range(0, len(embeddings), CHUNK):
            inputs = (embeddings[start : start + CHUNK].astype(np.float32) - mean) / scale
            with torch.inference_mode():
                outputs[start : start + CHUNK] = _outputs(torch.from_numpy(inputs), layers).mean(0).numpy()
        return outputs


def fit_perceptron(
    embeddings: np.ndarray,
    measured: Measured,
    config: PredictorConfig,
    seed: int,
    on_progress: Callable[[int, dict[str, float]], None] | None = None,
) -> FittedPredictor:
    """Fit the predictor to trained cells by full-batch Adam with a cosine learning rate.

    Args:
        embeddings: [N, d] of the cells, N at least 4.
        measured: their accuracies and costs.
        config: target, widths, members and optimiser.
        seed: of the starting points.
        on_progress: called ten times with the steps done and the mean squared error, in squared units of the target.

    Raises:
        DataError: too few rows, shapes that do not match, or a row that is not finite.
        ParameterError: the loss stopped being finite.
    """
    embeddings = embeddings.astype(np.float32)
    _check_rows(embeddings, measured)
    target, values = Target.of(config.target, measured)
    input_mean, input_scale = embeddings.mean(axis=0), _scale(embeddings)
    inputs = torch.from_numpy((embeddings - input_mean) / input_scale)
    wanted = torch.from_numpy(values.astype(np.float32))

    layers = _initial_layers(embeddings.shape[1], config, seed)
    parameters = [tensor for layer in layers for tensor in layer]
    optimiser = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
    points = set(np.linspace(1, config.iterations, 10, dtype=int).tolist())
    for step in range(1, config.iterations + 1):
        rate = config.learning_rate * cosine_decay(step - 1, config.iterations)
        for group in optimiser.param_groups:
            group["lr"] = rate
        # Summed over members: each has the gradient it would have alone.
        errors = (_outputs(inputs, layers) - wanted).square().mean(1)
        optimiser.zero_grad()
        errors.sum().backward()
        optimiser.step()
        if step in points:
            error = float(errors.detach().mean()) * target.scale**2
            if not math.isfinite(error):
                raise ParameterError(
                    f"predictor.learning_rate = {config.learning_rate}: the loss is not finite after {step} steps; "
                    "lower it"
                )
            if on_progress:
                on_progress(step, {"squared_error": error})

    weights = {
        f"{i}.{name}": tensor.detach().numpy().copy()
        for i, layer in enumerate(layers)
        for name, tensor in zip(("weight", "bias"), layer, strict=True)
    }
    weights |= {
        "input_mean": input_mean,
        "input_scale": input_scale,
        "target_scale": np.array([target.scale], dtype=np.float32),
    }
    return FittedPredictor(config, measured.penalty, len(embeddings), target.mean, target.cost_trend, weights)


def _outputs(inputs: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Run all members: [B, d] -> [members, B]."""
    values = inputs.expand(layers[0][0].shape[0], -1, -1)
    for i, (weight, bias) in enumerate(layers):
        values = torch.baddbmm(bias, values.relu() if i else values, weight)
    return values.squeeze(2)


def _initial_layers(dimension: int, config: PredictorConfig, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Draw weights (He et al. 2015; biases zero); a member's do not depend on how many there are."""
    generators = [torch.Generator().manual_seed(derive_seed(seed, "member", m)) for m in range(config.members)]
    layers = []
    for inputs, outputs in _widths(dimension, config):
        draws = [torch.randn(inputs, outputs, generator=generator) for generator in generators]
        weight = torch.stack(draws) * math.sqrt(2 / inputs)
        layers.append((weight.requires_grad_(), torch.zeros(config.members, 1, outputs, requires_grad=True)))
    return layers


def _widths(dimension: int, config: PredictorConfig) -> list[tuple[int, int]]:
    widths = [dimension, *config.hidden, 1]
    return list(pairwise(widths))


def _shapes(dimension: int, config: PredictorConfig) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"input_mean": (dimension,), "input_scale": (dimension,), "target_scale": (1,)}
    for i, (inputs, outputs) in enumerate(_widths(dimension, config)):
        shapes[f"{i}.weight"] = (config.members, inputs, outputs)
        shapes[f"{i}.bias"] = (config.members, 1, outputs)
    return shapes


def _scale(values: np.ndarray) -> np.ndarray:
    """Return the standard deviation over rows, [d], 1 where there is none to divide by."""
    deviation = values.std(axis=0)
    return np.where(deviation > 1e-8, deviation, 1.0).astype(values.dtype)


def _check_rows(embeddings: np.ndarray, measured: Measured) -> None:
    if embeddings.ndim != 2:
        raise DataError(f"embeddings have shape {embeddings.shape}: give one row per cell")
    rows = len(embeddings)
    if rows < MINIMUM_ROWS:
        raise DataError(f"{rows} trained cells are too few to fit a predictor: give at least {MINIMUM_ROWS}")
    for name, values in (("accuracy", measured.accuracy), ("costs", measured.costs)):
        if np.shape(values) != (rows,):
            raise DataError(f"{name} has shape {np.shape(values)} for {rows} embeddings: give one number per cell")
    for name, values in (("embeddings", embeddings), ("accuracy", measured.accuracy), ("costs", measured.costs)):
        wrong = np.flatnonzero(~np.isfinite(values.reshape(rows, -1)).all(axis=1))
        if len(wrong):
            raise DataError(f"{name}[{wrong[0]}] = {values[wrong[0]]}: not finite; leave out cells that failed")
