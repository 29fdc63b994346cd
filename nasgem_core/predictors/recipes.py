"""Our own predictors by name."""

from collections.abc import Callable

import numpy as np
import torch

from nasgem_core.errors import DataError
from nasgem_core.predictors.encoder import Encoder, pretrain
from nasgem_core.predictors.ensemble import Ensemble
from nasgem_core.predictors.gp import GaussianProcess
from nasgem_core.predictors.network import Network
from nasgem_core.predictors.recipe import Pretrained, Recipe
from nasgem_core.predictors.space import Space
from nasgem_core.predictors.trees import BoostedTrees
from nasgem_core.seeding import derive_seed

_ENCODERS = 3


def _pretrained(count: int) -> Callable[[Space, int], dict[str, np.ndarray]]:
    def pretrain_encoders(space: Space, seed: int) -> dict[str, np.ndarray]:
        return {
            f"encoder{i}.{name}": value.numpy()
            for i in range(count)
            for name, value in pretrain(space, derive_seed(seed, "encoder", i)).state_dict().items()
        }

    return pretrain_encoders


def _encoders(space: Space, arrays: Pretrained, count: int) -> list[Encoder]:
    """Return the encoders whose weights `_pretrained` gave."""
    encoders = []
    for i in range(count):
        start = f"encoder{i}."
        weights = {name[len(start) :]: torch.tensor(a) for name, a in arrays.items() if name.startswith(start)}
        encoder = Encoder(len(space.cells.operation_names) + 1)
        try:
            encoder.load_state_dict(weights)
        except RuntimeError:
            found = f"{len(weights)} arrays named {start}*"
            raise DataError(f"{found} are no encoder of this space: pre-train on the space anew") from None
        encoders.append(encoder)
    return encoders


RECIPES: dict[str, Recipe] = {
    "ensemble": Recipe(
        _pretrained(_ENCODERS),
        lambda space, arrays, prior: Ensemble(space, _encoders(space, arrays, _ENCODERS), prior),
    ),
    "gaussian_process": Recipe(None, lambda space, _, prior: GaussianProcess(space, "rational_quadratic", prior)),
    "boosted_trees": Recipe(None, lambda space, *_: BoostedTrees(space)),
    "message_passing": Recipe(
        _pretrained(1), lambda space, arrays, _: Network(space, _encoders(space, arrays, 1)[0], beside=True)
    ),
}
"""`ensemble` is the whole of what this room offers; the others are its kinds of members, each alone."""
