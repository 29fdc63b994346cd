"""The networks that the cells of a search become, as the parameters say."""

from dataclasses import replace

from nasgem_core.backbones.channels import LATENCY, Budget
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.latency import NO_LATENCY
from nasgem_core.backbones.layout import GEMNetLayout, named_layout
from nasgem_core.backbones.skeleton import BLOCK_FIELDS
from nasgem_core.config.search import ProxyConfig, SearchConfig
from nasgem_core.config.transfer import GemnetConfig
from nasgem_core.errors import ParameterError
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.objective import ProxyNetworks
from nasgem_core.search.target_networks import TargetNetworks
from nasgem_core.training.image_set import ImageSet
from tasks.stages.target_latency import fit_target_latency

SHORT = "gemnet_short"


def proxy_networks(config: ProxyConfig, images: ImageSet) -> ProxyNetworks:
    """Return the networks of the proxy task (paper, section 3.2)."""
    return ProxyNetworks(NetworkLayout.from_proxy(config, images.image_size), len(images.classes))


def search_networks(config: SearchConfig, images: ImageSet) -> ProxyNetworks | TargetNetworks:
    """Return what the cells of a search become: networks of equal cost where the score has a budget.

    Raises:
        ParameterError: the images are too small for the layout, or section `gemnet` contradicts itself; the budget
            limits latency, and there is no table of it.
        DataError: that table is not of these networks.
    """
    limit = config.score.limit
    return proxy_networks(config.proxy, images) if limit is None else _target_networks(config, images, limit)


def gemnet_layout(config: GemnetConfig) -> GEMNetLayout:
    """Return the layout that section `gemnet` describes; raises `ParameterError` where it contradicts itself."""
    block = {name: getattr(config, name) for name in BLOCK_FIELDS}
    return named_layout(config.layout, config.skeleton, **block)


def target_frame(config: SearchConfig, images: ImageSet) -> Frame:
    """Return what the networks of a search at a budget have in common; raises `ParameterError` for section `gemnet`."""
    size = (config.gemnet.image_size,) * 2
    try:
        layout = gemnet_layout(config.gemnet)
        # Nothing is left out at random: trainings of a few epochs do not overfit, and costs are the same.
        layout = replace(layout, skeleton=replace(layout.skeleton, dropout=0.0, stochastic_depth=0.0))
        layout.resolutions(size)
    except ParameterError as error:
        raise ParameterError(f"section gemnet of params.yaml: {error}") from None
    return Frame(layout, len(images.classes), size)


def _target_networks(config: SearchConfig, images: ImageSet, limit: int) -> TargetNetworks:
    target = target_frame(config, images)
    layout = target.layout
    try:
        layout.resolutions((images.image_size,) * 2)
    except ParameterError as error:
        raise ParameterError(f"section proxy of params.yaml, with score.budget: {error}") from None
    small, cost = layout, config.score.objective
    if config.proxy.network == SHORT:
        skeleton = layout.skeleton
        once = replace(skeleton, name=f"{skeleton.name}, one cell per stage", repeats=(1,) * len(skeleton.repeats))
        small = replace(layout, skeleton=once)
    latency = fit_target_latency(config, target)[0] if cost == LATENCY else NO_LATENCY
    return TargetNetworks(
        target=target,
        budget=Budget(limit, cost, latency),
        small=Frame(small, target.num_classes, (images.image_size,) * 2),
        share=config.proxy.macs_share,
    )
