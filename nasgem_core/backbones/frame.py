"""What GEMNets of different cells and widths have in common."""

from dataclasses import dataclass

from nasgem_core.backbones.layout import GEMNetLayout


@dataclass(frozen=True)
class Frame:
    """All of a GEMNet but its cell and its channels.

    Args:
        layout: skeleton and halvings.
        num_classes: length of the logits.
        image_size: height and width of the images.
    """

    layout: GEMNetLayout
    num_classes: int
    image_size: tuple[int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_size", tuple(self.image_size))
