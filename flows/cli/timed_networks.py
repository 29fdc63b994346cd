"""Which networks `nasgem latency` measures: those that are named, sampled ones, or all trained cells."""

from collections.abc import Sequence
from pathlib import Path

from flows.cli.show import find_cell
from nasgem_core.backbones.published.catalogue import published_names
from nasgem_core.backbones.published.reported import REPORTED
from nasgem_core.cells.known_blocks import BLOCKS
from nasgem_core.errors import DataError
from tasks.deployment.latency import Listed, listed_cell, listed_network, listed_published, listed_samples
from tasks.deployment.open_network import is_network_name
from tasks.deployment.sized import is_rival, listed_gemnet, listed_gemnet_samples, listed_rival
from tasks.run.parameters import load_config
from tasks.stages.imagenet_networks import BLOCK
from tasks.stages.networks import target_frame
from tasks.stages.proxy_images import open_images
from tasks.stages.results import Results


def listed_networks(names: Sequence[str], sampled: int) -> list[Listed]:
    """Return what to measure: the networks named and cells sampled, or the proxy networks of all trained cells."""
    config = load_config()
    if not names and not sampled:
        trained = Results(config).distinct
        return [
            listed_cell(cell, float(accuracy), config)
            for cell, accuracy in zip(trained.cells, trained.accuracy, strict=True)
        ]
    listed = listed_samples(sampled, config) if sampled else []
    reported = {row.name for row in REPORTED}  # naming one that is not rebuilt is answered with the reason
    cells = {item.key for item in listed}
    for name in dict.fromkeys(names):
        if name in reported:
            listed.append(listed_published(name))
        elif is_network_name(name):
            listed.append(listed_network(name, Path.cwd()))
        else:
            try:
                cell, row = find_cell(name, config)
            except DataError as error:
                raise DataError(f"{error}. Of networks, name {', '.join(published_names())}, or a file") from None
            if cell.canonical_key not in cells:  # two names of one cell are one network
                cells.add(cell.canonical_key)
                accuracy = float("nan") if row is None else float(row["accuracy"])
                listed.append(listed_cell(cell, accuracy, config))
    return listed


def sized_networks(names: Sequence[str], sampled: int, macs: int) -> list[Listed]:
    """Return networks of this size: GEMNets of cells that are named, known blocks included, or sampled, and rivals."""
    if not names and not sampled:
        raise DataError(
            "--macs sizes networks: name some, such as mobilenet_v2 or best, or sample cells with --sampled"
        )
    config = load_config()
    frame = target_frame(config, open_images(config.proxy, "data/raw"))
    listed = listed_gemnet_samples(sampled, macs, frame, config) if sampled else []
    for name in dict.fromkeys(names):
        if is_rival(name):
            listed.append(listed_rival(name, macs, frame))
        elif name.startswith(BLOCK):
            listed.append(listed_gemnet(name, BLOCKS.get(name.removeprefix(BLOCK)).cell, macs, frame))
        else:
            listed.append(listed_gemnet(Path(name).stem, find_cell(name, config)[0], macs, frame))
    return listed
