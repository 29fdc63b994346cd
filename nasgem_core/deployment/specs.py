"""From a card and weights to a network: every kind of specification behind one door."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.deployment import proxy_spec
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.proxy_spec import ProxySpec
from nasgem_core.errors import DataError

Spec = NetworkSpec | ProxySpec


def read_spec(document: Any) -> Spec:
    """Return the specification that a JSON document holds; raises `DataError` where it holds none."""
    if isinstance(document, Mapping) and document.get("schema") == proxy_spec.SCHEMA:
        return ProxySpec.from_dict(document)
    return NetworkSpec.from_dict(document)


def build_network(spec: Spec, seed: int = 0) -> nn.Module:
    """Return the network with fresh weights of a seed, in evaluation mode; the global random state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return spec.build().eval()


def load_network(card: NetworkCard, weights: Mapping[str, Tensor]) -> nn.Module:
    """Return the network of a card with its weights, in evaluation mode.

    Raises:
        DataError: the weights are those of another network, or the card's classes are not the network's.
    """
    spec = read_spec(card.network)
    if spec.num_classes != len(card.classes):
        raise DataError(
            f"the card of {card.name} names {len(card.classes)} classes, its network has {spec.num_classes}"
        )
    network = build_network(spec)
    check_weights(card.name, network, weights)
    network.load_state_dict(dict(weights))
    return network


def check_weights(name: str, network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Raise `DataError` unless the weights have the names and shapes of a network's own."""
    expected = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    found = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    for key in [*expected, *found]:
        if expected.get(key) != found.get(key):
            raise DataError(
                f"the weights are not those of {name}: {key} has shape {found.get(key, 'missing')}, "
                f"the network wants {expected.get(key, 'none')}"
            )
