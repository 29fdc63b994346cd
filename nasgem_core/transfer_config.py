"""Parameters of the stages after the search, which build networks from its cell and train them; as in `config`."""

from dataclasses import dataclass

from nasgem_core.checked_fields import bounded, choice, require_distinct, require_pair
from nasgem_core.errors import ParameterError


@dataclass(frozen=True)
class GemnetConfig:
    """Networks of the chosen cell, sized to budgets (paper, section 4)."""

    macs: tuple[int, ...] = bounded((463_000_000, 563_000_000), low=1, high=10**15)
    """Budgets of multiply-adds, each met within 1 %; the first network is gemnet_a, the second gemnet_b."""
    layout: str = choice("imagenet", "imagenet", "tiny", "cifar")
    """How often images are halved; the weights are the same."""
    image_size: int = bounded(224, low=32, high=4096)
    """Height and width of the images that the budgets hold for."""
    classes: int = bounded(1000, low=1, high=1_000_000)

    def __post_init__(self) -> None:
        require_distinct("gemnet.macs", tuple(str(macs) for macs in self.macs), "budget")
        if len(self.macs) > 26:
            raise ParameterError(f"gemnet.macs holds {len(self.macs)} budgets: at most 26, one a letter of the names")


@dataclass(frozen=True)
class ImagenetConfig:
    """Training networks to classify images (paper, section 4; AutoShrink)."""

    dataset: str = ""
    """A folder with `train/` and `val/`, each holding a folder of images a class; without one the stage is skipped."""
    networks: tuple[str, ...] = ("gemnet",)
    """`gemnet` (those of `data/gemnet`), `mobilenet_v2` (sized to `macs`), or names of published networks."""
    macs: int = bounded(0, low=0, high=10**12)
    """Multiply-adds at `image_size` that GEMNet and MobileNetV2 are sized to; 0 takes GEMNet as it was built."""
    image_size: int = bounded(224, low=32, high=1024)
    seeds: int = bounded(1, low=1, high=1000)
    """Trainings of each network, each from a seed of its own."""
    epochs: int = bounded(300, low=1, high=10_000)
    batch_size: int = bounded(256, low=2, high=65_536)
    """Images of one step, over all processes and accumulated batches."""
    accumulate: int = bounded(1, low=1, high=65_536)
    """Batches that a step is cut into on each process, to save memory."""
    learning_rate: float = bounded(0.1, low=1e-8, high=100.0)
    """Highest learning rate of RMSProp for 256 images a step; scaled with `batch_size`."""
    warmup_epochs: float = bounded(5.0, low=0.0, high=1000.0)
    weight_decay: float = bounded(4e-5, low=0.0, high=1.0)
    averaging: float = bounded(0.999, low=0.0, high=0.999999)
    """Decay of the moving average of the weights; 0 averages nothing."""
    label_smoothing: float = bounded(0.1, low=0.0, high=0.99)
    crop_area: tuple[float, float] = bounded((0.08, 1.0), low=0.01, high=1.0)
    """Smallest and largest share of an image's area that a random crop shows."""
    centre_share: float = bounded(0.875, low=0.1, high=1.0)
    """Validation sees the centre: its side by the image's short side."""
    broken_share: float = bounded(0.01, low=0.0, high=1.0)
    """Share of unreadable images that is passed over."""

    def __post_init__(self) -> None:
        require_pair("imagenet.crop_area", self.crop_area, positive=True)
        require_distinct("imagenet.networks", self.networks, "network")
