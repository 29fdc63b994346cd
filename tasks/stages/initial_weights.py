"""Weights that networks of stage `imagenet` begin with: which of the named files fits which network."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from torch import nn

from nasgem_core.backbones.shapes import shapes_only
from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.deployment.initial_weights import InitialWeights, read_initial_weights
from nasgem_core.errors import ParameterError
from tasks.stages.class_names import class_names

_read = lru_cache(maxsize=4)(read_initial_weights)


def fitting_weights(config: ImagenetConfig, model: nn.Module) -> InitialWeights | None:
    """Return the first of the named weights that fit a network, None without any; raises as `check_weights`."""
    return next((weights for weights in map(_read, config.weights) if not weights.mismatch(model)), None)


def check_weights(config: ImagenetConfig) -> None:
    """Raise `DataError` for a file that is not there or holds no weights."""
    for source in config.weights:
        _read(source)


def begin(config: ImagenetConfig, model: nn.Module, classes: Sequence[str]) -> list[str]:
    """Give a network the weights that fit it; returns what its training depends on by that, nothing without any.

    Args:
        config: names the weights, and the data set.
        model: the network.
        classes: names of the class folders.
    """
    weights = fitting_weights(config, model)
    if weights is None:
        return []
    weights.load_into(model, class_names(Path(config.dataset), classes))
    return [weights.digest]


def say_beginnings(
    config: ImagenetConfig, specs: Sequence[NetworkSpec], classes: Sequence[str], say: Callable[[str], None]
) -> None:
    """Report what each network begins with.

    Raises:
        ParameterError: a file fits none of the networks; the message names the first difference to the first one.
    """
    if not config.weights:
        return
    names = class_names(Path(config.dataset), classes)
    with shapes_only():
        models = {spec.name: spec.build() for spec in specs}
    used = set()
    for name, model in models.items():
        weights = fitting_weights(config, model)
        say(f"{name} {weights.words(model, names)}" if weights else f"{name} begins with random weights")
        used |= {weights.source} if weights else set()
    for source in config.weights:
        if source not in used:
            name, model = next(iter(models.items()))
            difference = _read(source).mismatch(model) or "other weights that fit come first"
            raise ParameterError(
                f"imagenet.weights names {source}, which fits none of {', '.join(models)}, such as {name}: "
                f"{difference}; name weights of the same network"
            )
