"""GEMNet of a cell in one call: the network as a module, sized to a budget."""

from nasgem_core.backbones.backbone import Backbone
from nasgem_core.backbones.layout import IMAGE_SIZES, named_layout
from nasgem_core.backbones.skeleton import MOBILE
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.counts import read_count
from nasgem_core.errors import ParameterError


def build_gemnet(
    cell: Cell,
    macs: int | str,
    *,
    num_classes: int = 1000,
    layout: str = "imagenet",
    image_size: int | None = None,
    skeleton: str = MOBILE.name,
) -> Backbone:
    """Return GEMNet of a cell with fresh weights, as `nasgem build` sizes it (paper, section 4).

    Args:
        cell: the graph that every stage repeats.
        macs: most multiply-adds that it may have, such as 463_000_000 or "463M".
        num_classes: length of the logits.
        layout: imagenet, tiny or cifar: how often images are halved.
        image_size: side of the images that the budget holds for; that of the layout (224, 64, 32) by default.
        skeleton: paper, mobile or mobile_8: scales, repeats, activations, multiples of channels.

    Raises:
        ParameterError: the budget is not a count, no network comes near it without exceeding it, or a name is unknown.
    """
    budget = read_count(str(macs))
    if budget is None:
        raise ParameterError(f"macs = {macs!r}: must be a number of at least 1, such as 10M, 800k or 1.5G")
    stack = named_layout(layout, skeleton)
    side = image_size or IMAGE_SIZES[layout]
    spec = fit_to_budget("gemnet", cell, stack, num_classes=num_classes, image_size=(side, side), macs=budget)
    return spec.build()
