"""Networks that `nasgem compare` trains: GEMNets of cells and their rivals, each as large as a limit allows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from nasgem_core.backbones.channels import Budget
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.published.mobile import SCALABLE
from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.backbones.width import fitted_network
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import SearchConfig
from nasgem_core.durations import duration_text
from nasgem_core.errors import ParameterError
from tasks.stages.imagenet_networks import FIRST_GEMNET, GEMNET, built_cell, halvings_for
from tasks.stages.networks import gemnet_layout

_FIRST_GUESS = 20_000_000
_TRIES = 8
_NEAR = 0.95
"""A network that takes this share of the latency is large enough."""
Fit = Callable[[int], NetworkSpec]
"""Returns the largest network within a number of multiply-adds; raises `ParameterError` where there is none."""


@dataclass(frozen=True)
class Limit:
    """What no network may exceed; one of the two is given.

    Args:
        macs: multiply-adds of one image, or 0.
        nanoseconds: median latency of one image in ONNX Runtime on one thread, or 0.
    """

    macs: int = 0
    nanoseconds: int = 0


def contenders(
    cells: Mapping[str, Cell], rivals: Sequence[str], config: SearchConfig, num_classes: int
) -> dict[str, Fit]:
    """Return what sizes each network, by its name.

    The cell that stage `gemnet` has built has the name that stage `imagenet` gives it, so that equal trainings are
    shared.

    Args:
        cells: by the first digits of their keys.
        rivals: names of networks of any size.
        config: parameters.
        num_classes: length of the logits.

    Raises:
        ParameterError: a rival is unknown, or a network is named twice.
    """
    side = config.imagenet.image_size
    layout = replace(halvings_for((side, side)), skeleton=gemnet_layout(config.gemnet).skeleton)
    frame, built = Frame(layout, num_classes, (side, side)), built_cell()
    own = GEMNET if any(config.imagenet.macs) else FIRST_GEMNET
    fits = [(own if cell == built else key, _gemnet_fit(key, cell, frame)) for key, cell in cells.items()]
    for rival in rivals:
        if rival not in SCALABLE:
            raise ParameterError(f"rivals = {list(rivals)}: {rival!r} is unknown; choose among {', '.join(SCALABLE)}")
        fits.append((rival, _rival_fit(rival, frame)))
    names = [name for name, _ in fits]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"{name} would be trained twice: name each network once")
    return {name: _named(name, fit) for name, fit in fits}


def within_latency(fit: Fit, nanoseconds: int, measure: Callable[[NetworkSpec], float]) -> int:
    """Return the multiply-adds of a network whose measured latency does not exceed a limit and is near it.

    A few networks are built and measured: latency grows nearly in proportion to the multiply-adds.

    Args:
        fit: sizes the network.
        nanoseconds: the limit.
        measure: returns the latency of a network in nanoseconds.

    Raises:
        ParameterError: no network that was tried is fast enough.
    """
    macs, low, high = float(_FIRST_GUESS), 0.0, float("inf")
    for _ in range(_TRIES):
        try:
            taken = measure(fit(round(macs)))
        except ParameterError:
            if low:
                break  # larger networks are not to be had
            raise
        if taken <= nanoseconds:
            low = macs
            if taken >= _NEAR * nanoseconds:
                break
        else:
            high = macs
        guess = macs * nanoseconds / taken * (0.98 if taken > nanoseconds else 0.99)
        macs = guess if low < guess < high else (low + min(high, 2 * macs)) / 2
    if not low:
        raise ParameterError(
            f"latency = {duration_text(nanoseconds)}: the networks that were tried take longer; allow more"
        )
    return round(low)


def _gemnet_fit(name: str, cell: Cell, frame: Frame) -> Fit:
    def fit(macs: int) -> NetworkSpec:
        try:
            return fitted_network(name, cell, frame, Budget(macs))
        except ParameterError as error:
            raise ParameterError(f"{error} (cell {name})") from None

    return fit


def _rival_fit(name: str, frame: Frame) -> Fit:
    return lambda macs: scaled_to_budget(name, frame.num_classes, frame.image_size, macs)


def _named(name: str, fit: Fit) -> Fit:
    return lambda macs: replace(fit(macs), name=name)
