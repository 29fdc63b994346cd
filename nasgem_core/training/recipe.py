"""How any network is trained: optimiser, schedule, averaging, precision, checkpoints."""

from dataclasses import dataclass

from nasgem_core.config.checked_fields import bounded, choice
from nasgem_core.errors import ParameterError


@dataclass(frozen=True)
class TrainingRecipe:
    """Parameters of the training loop; a step is one step of the optimiser.

    The defaults are those of the paper: RMSProp, 300 epochs, a cosine after a warm-up, averaged weights.
    """

    epochs: int = bounded(300, low=1, high=100_000)
    optimiser: str = choice("rmsprop", "rmsprop", "sgd")
    """`rmsprop`: TensorFlow's form, decay .9, epsilon .001 under the root; `sgd`: without Nesterov momentum."""
    learning_rate: float = bounded(0.1, low=1e-8, high=100.0)
    """Peak learning rate; it is not scaled with the number of images per step."""
    momentum: float = bounded(0.9, low=0.0, high=1.0)
    weight_decay: float = bounded(4e-5, low=0.0, high=1.0)
    """L2 penalty on every parameter with more than one dimension, so not on biases and normalisation."""
    schedule: str = choice("cosine", "cosine", "steps")
    """After the warm-up: `cosine` to zero, or `steps` that divide by 10 after each of `milestones`."""
    milestones: tuple[int, ...] = bounded((), low=1, high=100_000, may_be_empty=True)
    """Epochs after which the rate is divided by 10."""
    warmup_steps: int = bounded(0, low=0, high=100_000_000)
    """Steps over which the learning rate rises evenly from nearly zero."""
    averaging: float = bounded(0.999, low=0.0, high=0.999999)
    """Decay of the exponential moving average of the weights, which is evaluated and kept; 0 switches it off."""
    clip_norm: float = bounded(0.0, low=0.0, high=1e6)
    """Largest norm of the gradients of all parameters, to which larger ones are scaled down; 0 switches it off."""
    accumulate: int = bounded(1, low=1, high=65_536)
    """Batches per step on each process, whose gradients are averaged."""
    precision: str = choice("auto", "auto", "float32", "bfloat16", "float16")
    """`auto`: bfloat16 on a GPU that has it, float16 on another GPU, float32 on the CPU."""
    channels_last: bool = True
    synchronise_statistics: bool = False
    """Batch normalisation over the images of all processes; GPUs only."""
    deterministic: bool = False
    """Reject operations whose result differs from run to run: hardly any on the CPU; slower on a GPU."""
    checkpoint_seconds: float = bounded(120.0, low=0.0, high=1e6)
    """A checkpoint is written after this long, and after every epoch; 0 writes one after every step."""
    evaluate_epochs: int = bounded(1, low=1, high=100_000)
    """Epochs between two evaluations; the last epoch is always evaluated."""
    report_steps: int = bounded(10, low=1, high=1_000_000)
    """Steps between two reports of loss, learning rate and speed."""

    def __post_init__(self) -> None:
        if any(a >= b for a, b in zip(self.milestones, self.milestones[1:], strict=False)):
            raise ParameterError(f"milestones = {list(self.milestones)}: epochs must rise")
        if self.milestones and self.schedule != "steps":
            raise ParameterError(f"milestones = {list(self.milestones)}: only schedule steps has them")

    def identity(self) -> dict[str, object]:
        """Return the fields that the weights depend on; the others affect only speed, checkpoints and reports."""
        working = ("channels_last", "deterministic", "checkpoint_seconds", "evaluate_epochs", "report_steps")
        return {name: value for name, value in vars(self).items() if name not in working}
