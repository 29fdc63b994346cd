"""GEMNet of a cell with the width at which it is the largest that a budget allows."""

from nasgem_core.backbones.channels import Budget, fit_channels
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell


def fit_to_budget(
    name: str, cell: Cell, layout: GEMNetLayout, *, num_classes: int, image_size: tuple[int, int], macs: int
) -> GEMNetSpec:
    """Return the largest network of a cell whose multiply-adds do not exceed a budget.

    Args:
        name: name of the network.
        cell: the graph.
        layout: skeleton and halvings.
        num_classes: length of the logits.
        image_size: height and width of the images.
        macs: the budget.

    Raises:
        ParameterError: the smallest network exceeds the budget, or no network is nearly as large; the message names it.
    """
    return fitted_network(name, cell, Frame(layout, num_classes, image_size), Budget(macs))


def fitted_network(name: str, cell: Cell, frame: Frame, budget: Budget) -> GEMNetSpec:
    """Return the largest network of a cell that a budget of any kind allows; raises as `fit_to_budget`."""
    width, channels = fit_channels(cell, frame, budget)
    return GEMNetSpec(name, frame.num_classes, frame.image_size, cell, frame.layout, width, channels)
