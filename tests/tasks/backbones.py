"""Trained networks as stage `imagenet` leaves them, for the tests of what builds on them."""

import torch

from nasgem_core.backbones.spec import ScaledSpec
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.training.classification import MEAN, STD
from nasgem_core.weights import NETWORK, NETWORK_SCHEMA
from tasks.stages import imagenet
from tasks.store.artifacts import write_bytes, write_weights


def write_classifier(root, number=0, top1=0.5):
    """Write a small MobileNetV2 below a repository's root, and return its weights."""
    spec = ScaledSpec("mobilenet_v2", 4, (64, 64), "mobilenet_v2", width=0.25, stride=16)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(number)
        weights = {name: value.numpy() for name, value in spec.build().state_dict().items()}
    name, folder = f"mobilenet_v2-{number}", root / imagenet.FOLDER
    own = NetworkCard(name, spec.to_dict(), ("a", "b", "c", "d"), 64, 1.0, MEAN, STD, {"top1": top1})
    write_weights(folder / f"{name}.safetensors", NETWORK_SCHEMA, weights, {NETWORK: own.to_dict()})
    write_bytes(folder / f"{name}.json", own.to_json().encode())
    return weights
