"""Networks of stage `imagenet`: the specifications that the names in the parameters stand for."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.layout import LAYOUTS, GEMNetLayout
from nasgem_core.backbones.published.catalogue import published_names, why_missing
from nasgem_core.backbones.published.mobile import SCALABLE
from nasgem_core.backbones.published.strides import suitable_stride
from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.backbones.spec import GEMNetSpec, NetworkSpec, PublishedSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.known_blocks import BLOCKS
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.counts import count_text
from nasgem_core.errors import DataError, NasgemError, ParameterError
from tasks.run.documents import read_document
from tasks.run.parameters import in_section
from tasks.store.artifacts import DATA

GEMNET_FOLDER = DATA / "gemnet"
GEMNET, FIRST_GEMNET = "gemnet", "gemnet_a"
BLOCK = "block_"
"""Begins the names of GEMNets of known blocks."""
_Fit = Callable[[int], NetworkSpec]
"""Sizes a network to a budget of multiply-adds; raises `ParameterError` where it cannot."""


def planned_networks(config: ImagenetConfig, num_classes: int) -> dict[str, list[NetworkSpec]]:
    """Return the networks that the parameters name, in their order, for each budget.

    The budgets are texts such as "10M", which the names of their networks end in. That of the first one is empty; so
    another budget changes nothing about the networks that are there. Networks that are taken as they are belong to it.

    Raises:
        ParameterError: a network is unknown, cannot have the multiply-adds asked for, or two have the same name.
        DataError: GEMNet is to be trained, or others are sized as it is, and stage `gemnet` has not written one; a
            file holds neither a cell nor a network.
    """
    check_network_names(config)
    planned: dict[str, list[NetworkSpec]] = {}
    with in_section("imagenet"):
        for place, (wanted, macs) in enumerate(zip(config.macs, met_budgets(config, num_classes), strict=True)):
            specs = planned.setdefault(count_text(wanted) if place else "", [])
            for name in config.networks:
                fit = _fit_of(name, config, num_classes)
                specs += [_sized(name, fit, macs)] if fit else [] if place else _unsized(name, config, num_classes)
    names = [spec.name for spec in planned[""]]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"imagenet.networks = {list(config.networks)}: {name} would be trained twice")
    return planned


def check_network_names(config: ImagenetConfig) -> None:
    """Raise `ParameterError` for a name that is unknown, and `DataError` for a file without a cell or a network."""
    known = (GEMNET, *SCALABLE, *published_names(), *(BLOCK + name for name in BLOCKS.names()))
    for name in config.networks:
        if _is_file(name):
            _read(name)
        elif name not in known:
            raise ParameterError(
                f"imagenet.networks names {name!r}: {why_missing(name)}; choose among {', '.join(known)}, "
                "or name a JSON file of a cell or of a network"
            )


def check_budgets(config: ImagenetConfig, num_classes: int) -> None:
    """Raise `ParameterError` for a network that no budget allows; that of the cell to be found is not known yet."""
    others = replace(config, networks=tuple(name for name in config.networks if name != GEMNET))
    if any(config.macs) and others.networks:
        planned_networks(others, num_classes)


def met_budgets(config: ImagenetConfig, num_classes: int) -> list[int]:
    """Return the multiply-adds that networks may have at most: where the budget is 0, those of GEMNet as it was built.

    Raises:
        ParameterError: there are none.
        DataError: stage `gemnet` has not written a network, or a file holds neither a cell nor a network.
    """
    sized = any(_fit_of(name, config, num_classes) for name in config.networks)
    return [_built_macs(config, num_classes)] if sized and not any(config.macs) else list(config.macs)


def _built_macs(config: ImagenetConfig, num_classes: int) -> int:
    """Return the multiply-adds of GEMNet as it was built, for the classes and the images of the stage."""
    if not any(_gemnet_files()):
        raise ParameterError(
            f"macs = 0 sizes networks as the GEMNet in {GEMNET_FOLDER}, which holds none: run `nasgem stage gemnet`, "
            "or set it"
        )
    spec, size = _searched_gemnet(), (config.image_size, config.image_size)
    return int(gemnet_costs(spec.cell, spec.layout, spec.channels, num_classes, size).macs)


def _sized(name: str, fit: _Fit, macs: int) -> NetworkSpec:
    try:
        return fit(macs)
    except ParameterError as error:
        raise ParameterError(f"{error} (network {name})") from None


def _fit_of(name: str, config: ImagenetConfig, num_classes: int) -> _Fit | None:
    """Return what sizes a network; None for one that is taken as it is."""
    size = (config.image_size, config.image_size)
    if not any(config.macs) and (name == GEMNET or (_is_file(name) and isinstance(_read(name), GEMNetSpec))):
        return None
    if name in SCALABLE:
        return partial(scaled_to_budget, name, num_classes, size)
    cell = _cell_of(name)
    if cell is None:
        return None
    layout = _layout_for(size)
    return lambda macs: fit_to_budget(
        Path(name).stem, cell, layout, num_classes=num_classes, image_size=size, macs=macs
    )


def _cell_of(name: str) -> Cell | None:
    """Return the cell of a GEMNet, None for a network without cells."""
    if name == GEMNET:
        return _searched_gemnet().cell
    if name.startswith(BLOCK):
        return BLOCKS.get(name.removeprefix(BLOCK)).cell
    if not _is_file(name):
        return None
    found = _read(name)
    return found.cell if isinstance(found, GEMNetSpec) else found if isinstance(found, Cell) else None


def _unsized(name: str, config: ImagenetConfig, num_classes: int) -> Sequence[NetworkSpec]:
    """Return a network as it was built or published, for the classes and the images of the stage."""
    size = (config.image_size, config.image_size)
    if name == GEMNET:
        return [replace(spec, num_classes=num_classes, image_size=size) for spec in _built_gemnets()]
    found = _read(name) if _is_file(name) else None
    if isinstance(found, NetworkSpec):
        own = found.name if isinstance(found, PublishedSpec) else Path(name).stem
        return [replace(found, name=own, num_classes=num_classes, image_size=size)]
    return [PublishedSpec(name, num_classes, size)]


def _is_file(name: str) -> bool:
    return name.endswith(".json")


def _read(path: str) -> Cell | NetworkSpec:
    """Return the cell or the network in a file; raises `DataError` where there is neither."""
    try:
        document = read_document(Path(path))
        if isinstance(document, dict) and "kind" in document:
            return NetworkSpec.from_dict(document)
        return Cell.from_dict(document["cell"] if isinstance(document, dict) and "cell" in document else document)
    except (OSError, NasgemError) as error:
        raise DataError(f"imagenet.networks names {path}: {error}; give a JSON file of a cell or a network") from None


def halvings_for(size: tuple[int, int]) -> GEMNetLayout:
    """Return the halvings that suit images of this height and width, with the paper's skeleton."""
    stride = suitable_stride(size)
    return next(layout for layout in LAYOUTS.values() if layout.strides[-1] == stride)


def _layout_for(size: tuple[int, int]) -> GEMNetLayout:
    """Return the halvings that suit the images, with the skeleton of the network that was built, if there is one."""
    halvings = halvings_for(size)
    return replace(halvings, skeleton=_searched_gemnet().layout.skeleton) if any(_gemnet_files()) else halvings


def built_cell() -> Cell | None:
    """Return the cell of the network that stage `gemnet` has built, None without one."""
    return _searched_gemnet().cell if any(_gemnet_files()) else None


def _searched_gemnet() -> GEMNetSpec:
    built = _built_gemnets()
    # The folder may hold networks that the stage did not write.
    return next((spec for spec in built if spec.name == FIRST_GEMNET), built[0])


def _built_gemnets() -> list[GEMNetSpec]:
    found = []
    for path in _gemnet_files():
        try:
            spec = NetworkSpec.from_dict(read_document(path))
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        if isinstance(spec, GEMNetSpec):
            found.append(spec)
    if not found:
        raise DataError(f"{GEMNET_FOLDER} holds no network: run `nasgem stage gemnet`, or train others")
    return found


def _gemnet_files() -> list[Path]:
    return sorted(GEMNET_FOLDER.glob("*.json"))
