"""GEMNet of a cell with the width at which its multiply-adds meet a budget."""

from nasgem_core.backbones.channels import Budget, fit_channels
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell


def fit_to_budget(
    name: str, cell: Cell, layout: GEMNetLayout, *, num_classes: int, image_size: tuple[int, int], macs: int
) -> GEMNetSpec:
    """Return the network of a cell whose multiply-adds are within 1 % of a budget.

    Args:
        name: name of the network.
        cell: the graph.
        layout: skeleton and halvings.
        num_classes: length of the logits.
        image_size: height and width of the images.
        macs: the budget.

    Raises:
        ParameterError: no channels meet the budget; the message names the nearest budgets that can be met.
    """
    return fitted_network(name, cell, Frame(layout, num_classes, image_size), Budget(macs))


def fitted_network(name: str, cell: Cell, frame: Frame, budget: Budget) -> GEMNetSpec:
    """Return the network of a cell that meets a budget of any kind; raises as `fit_to_budget`."""
    width, channels = fit_channels(cell, frame, budget)
    return GEMNetSpec(name, frame.num_classes, frame.image_size, cell, frame.layout, width, channels)
