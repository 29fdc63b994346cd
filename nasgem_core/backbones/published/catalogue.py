"""The published networks by name."""

from collections.abc import Callable

from nasgem_core.backbones.backbone import Backbone
from nasgem_core.backbones.published import genotypes
from nasgem_core.backbones.published.genotypes import Genotype
from nasgem_core.backbones.published.mobile import mnasnet, mobilenet_v2
from nasgem_core.backbones.published.randwire import RandWire
from nasgem_core.backbones.published.reported import REPORTED, ReportedNetwork
from nasgem_core.backbones.published.stacked_cells import (
    BAYESNAS_STYLE,
    DARTS_STYLE,
    NAO_STYLE,
    CellStyle,
    StackedCells,
)
from nasgem_core.backbones.published.strides import STRIDE
from nasgem_core.errors import ParameterError

RANDWIRE_CHANNELS = 78
RANDWIRE_SEED = 0

_Builder = Callable[[int, int], Backbone]
"""Builds a network from (number of classes, stride of the coarsest map)."""


def published_names() -> tuple[str, ...]:
    """Return the names of the networks that can be built, in the order of the paper's tables."""
    return tuple(_BUILDERS)


def why_missing(name: str) -> str:
    """Return why a network is not among `published_names`."""
    return next((row.missing for row in REPORTED if row.name == name), "it is unknown")


def published_network(name: str, num_classes: int, stride: int = STRIDE) -> Backbone:
    """Return a published network with fresh weights, drawn from torch's global generator.

    Args:
        name: one of `published_names`.
        num_classes: length of the logits.
        stride: of the coarsest map: 32 as published, 16 or 8 for small images; the weights are the same.

    Raises:
        ParameterError: the name is unknown, the network's cells are not public, or the stride is not one of these.
    """
    if name not in _BUILDERS:
        raise ParameterError(f"published network {name!r}: {why_missing(name)}; choose one of {', '.join(_BUILDERS)}")
    if num_classes < 1:
        raise ParameterError(f"num_classes = {num_classes}: must be at least 1")
    return _BUILDERS[name](num_classes, stride)


def reported_network(name: str) -> ReportedNetwork:
    """Return the paper's figures of a network, built or missing; raises `ParameterError` for an unknown name."""
    rows = {row.name: row for row in REPORTED}
    if name not in rows:
        raise ParameterError(f"published network {name!r} is unknown: choose one of {', '.join(rows)}")
    return rows[name]


def _cells(genotype: Genotype, channels: int, style: CellStyle = DARTS_STYLE) -> _Builder:
    return lambda num_classes, stride: StackedCells(genotype, channels, num_classes, style, stride=stride)


_BUILDERS: dict[str, _Builder] = {
    "mobilenet_v2_1_4": lambda num_classes, stride: mobilenet_v2(1.4, num_classes, stride),
    "mnasnet_1_3": lambda num_classes, stride: mnasnet(1.3, num_classes, stride),
    "randwire_ws": lambda num_classes, stride: RandWire(RANDWIRE_CHANNELS, num_classes, RANDWIRE_SEED, stride),
    "darts": _cells(genotypes.DARTS, 48),
    "p_darts": _cells(genotypes.P_DARTS, 48),
    "pc_darts": _cells(genotypes.PC_DARTS_CIFAR, 48),
    "pc_darts_imagenet": _cells(genotypes.PC_DARTS_IMAGENET, 48),
    "snas": _cells(genotypes.SNAS_MILD, 50),
    "gdas": _cells(genotypes.GDAS, 50),
    "bayesnas": _cells(genotypes.BAYESNAS, 48, BAYESNAS_STYLE),
    "naonet": _cells(genotypes.NAONET, 42, NAO_STYLE),
}
