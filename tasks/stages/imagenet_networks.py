"""Networks of stage `imagenet`: the specifications that the names in the parameters stand for."""

from dataclasses import replace

from nasgem_core.backbones.layout import LAYOUTS, GEMNetLayout
from nasgem_core.backbones.published.catalogue import published_names, why_missing
from nasgem_core.backbones.published.strides import suitable_stride
from nasgem_core.backbones.scaled import mobilenet_to_budget, shared_budget
from nasgem_core.backbones.spec import GEMNetSpec, NetworkSpec, PublishedSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.errors import DataError, ParameterError
from tasks.run.parameters import in_section
from tasks.store.artifacts import DATA

GEMNET_FOLDER = DATA / "gemnet"
GEMNET, MOBILENET = "gemnet", "mobilenet_v2"
FIRST_GEMNET = "gemnet_a"


def planned_networks(config: ImagenetConfig, num_classes: int) -> list[NetworkSpec]:
    """Return the networks that the parameters name, in their order.

    Raises:
        ParameterError: a network cannot have the multiply-adds asked for, or two are the same.
        DataError: GEMNet is to be trained, and stage `gemnet` has not written one.
    """
    check_network_names(config)
    with in_section("imagenet"):
        macs = met_budget(config, num_classes)
        specs = [spec for name in config.networks for spec in _specs_of(name, config, num_classes, macs)]
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"imagenet.networks = {list(config.networks)}: {name} would be trained twice")
    return specs


def check_network_names(config: ImagenetConfig) -> None:
    """Raise `ParameterError` for a name that is not one of a network."""
    known = (GEMNET, MOBILENET, *published_names())
    for name in config.networks:
        if name not in known:
            raise ParameterError(
                f"imagenet.networks names {name!r}: {why_missing(name)}; choose among {', '.join(known)}"
            )


def met_budget(config: ImagenetConfig, num_classes: int) -> int:
    """Return the multiply-adds that networks are sized to; GEMNet and MobileNetV2 get some that both can have.

    Raises:
        ParameterError: there are none.
        DataError: stage `gemnet` has not written a network.
    """
    if not config.macs or not {GEMNET, MOBILENET} <= set(config.networks):
        return config.macs
    size = (config.image_size, config.image_size)
    return shared_budget(_searched_gemnet().cell, _layout_for(size), num_classes, size, config.macs)


def _specs_of(name: str, config: ImagenetConfig, num_classes: int, macs: int) -> list[NetworkSpec]:
    size = (config.image_size, config.image_size)
    if name == GEMNET:
        if not macs:
            return [replace(spec, num_classes=num_classes, image_size=size) for spec in _built_gemnets()]
        return [
            fit_to_budget(
                GEMNET, _searched_gemnet().cell, _layout_for(size), num_classes=num_classes, image_size=size, macs=macs
            )
        ]
    if name == MOBILENET:
        if not macs:
            raise ParameterError(
                f"macs = 0, and networks names {MOBILENET}, which is sized to it: set it, or name mobilenet_v2_1_4"
            )
        return [mobilenet_to_budget(num_classes, size, macs)]
    return [PublishedSpec(name, num_classes, size)]


def _layout_for(size: tuple[int, int]) -> GEMNetLayout:
    """Return the halvings that suit the images, with the skeleton of the network that was built."""
    stride = suitable_stride(size)
    halvings = next(layout for layout in LAYOUTS.values() if layout.strides[-1] == stride)
    return replace(halvings, skeleton=_searched_gemnet().layout.skeleton)


def _searched_gemnet() -> GEMNetSpec:
    built = _built_gemnets()
    # The folder may hold networks that the stage did not write.
    return next((spec for spec in built if spec.name == FIRST_GEMNET), built[0])


def _built_gemnets() -> list[GEMNetSpec]:
    found = []
    for path in sorted(GEMNET_FOLDER.glob("*.json")):
        try:
            spec = NetworkSpec.from_json(path.read_bytes())
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        if isinstance(spec, GEMNetSpec):
            found.append(spec)
    if not found:
        raise DataError(f"{GEMNET_FOLDER} holds no network: run `nasgem stage gemnet`, or train others")
    return found
