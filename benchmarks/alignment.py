"""How well each cheap training of a cell predicts the network that is wanted: Kendall's tau of proxies and the target.

The target is GEMNet of the cell at the budget on the user's images, trained with the recipe of stage `imagenet`, here
shortened, and judged by the images in `val/`. Each proxy trains the same cells in less time, as a search with other
parameters would: those of section `proxy`, with and without `score.budget`. Proxies are judged by held-out training
images. A proxy's alignment is Kendall's tau between its figures and the target's accuracies, with a bootstrap
interval over cells; next to it are the seconds of one training in processor time. The noise of the target bounds every
tau: the last row is the tau between the target and itself from another seed.

Every training is kept in `.nasgem/alignment` and resumes where it was stopped: delete the folder after a change to the
code of networks or training. Run it with `python benchmarks/alignment.py IMAGES`, where IMAGES has train/ and val/, in
the folder of a search if its best cells are to be among the cells.
"""

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nasgem_core.backbones.gemnet import GEMNet
from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.known_blocks import known_blocks
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.score import ScoreConfig
from nasgem_core.config.search import CellsConfig, ProxyConfig, SearchConfig
from nasgem_core.config.transfer import GemnetConfig, ImagenetConfig
from nasgem_core.digest import digest_of
from nasgem_core.errors import ParameterError
from nasgem_core.files import written_whole
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.search.rank_agreement import rank_agreement
from nasgem_core.search.score import efficiency_score
from nasgem_core.search.target_networks import TargetNetworks
from nasgem_core.seeding import derive_seed
from nasgem_core.training.classification import ClassificationTask
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import list_image_files
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.loop import train
from nasgem_core.training.proxy import ProxyResult, train_cell, train_network
from nasgem_core.training.proxy_images import load_images
from tasks.run.parameters import load_config
from tasks.stages.classifier import recipe_of, settings_of
from tasks.stages.imagenet import ClassifierTraining
from tasks.stages.networks import gemnet_layout, search_networks
from tasks.stages.trained import BOOTSTRAP_FILE, read_trained

FOLDER = Path(".nasgem") / "alignment"
LEARNING_RATE = 0.012
"""Highest one for 256 images per step."""


@dataclass(frozen=True)
class Target:
    """The network that is wanted, and how it is trained; `mobilenet_v2` in place of GEMNet where there is no cell."""

    gemnet: GemnetConfig
    images: str
    epochs: int
    seed: int = 0

    def spec(self, cell: Cell | None, classes: int) -> NetworkSpec:
        """Return the network; raises `ParameterError` where the cell has none with these multiply-adds."""
        size, macs, layout = (self.gemnet.image_size,) * 2, self.gemnet.macs[0], gemnet_layout(self.gemnet)
        if cell is None:
            return scaled_to_budget("mobilenet_v2", classes, size, macs)
        return fit_to_budget("gemnet", cell, layout, num_classes=classes, image_size=size, macs=macs)

    def train(self, cell: Cell | None, folder: Path) -> dict[str, float]:
        """Train from the last checkpoint in a folder."""
        training, validation = list_image_files(Path(self.images))
        config = ImagenetConfig(epochs=self.epochs, least_steps=0, image_size=self.gemnet.image_size)
        spec = self.spec(cell, len(training.classes))
        torch.manual_seed(derive_seed(self.seed, "initialisation"))
        images, settings = (training, validation), settings_of(config, config.batch_size)
        task = ClassificationTask(spec.build(), spec.to_dict(), images, settings, self.seed)
        planned = ClassifierTraining(spec, self.seed, config, 0, LEARNING_RATE)
        recipe = replace(recipe_of(planned, len(training)), evaluate_epochs=config.epochs)
        return dict(train(task, recipe, folder, seed=self.seed, world=World()).metrics)


@dataclass(frozen=True)
class Proxy:
    """A way in which a search judges cells.

    Args:
        config: section `proxy`.
        target: the network that is wanted at a budget; None for the proxy network and Eq. 5.
        share: of each class's training images that is used.
    """

    config: ProxyConfig
    target: Target | None
    share: float = 1.0

    def train(self, cell: Cell, _: Path) -> dict[str, float]:
        """Train the network that judges a cell; raises `ParameterError` where it has none."""
        images = images_of(self.config, self.share)
        if self.target is None:
            batch = CellBatch.from_cells([cell], tuple(OPERATIONS.names()))
            macs = search_networks(SearchConfig(proxy=self.config), images).complexity(batch).macs[0]
            found = train_cell(cell, images, self.config, 0)
            return figures_of(found) | {"score": float(efficiency_score(found.accuracy, macs, ScoreConfig().penalty))}
        networks = self.networks(self.target)
        network = GEMNet, cell, networks.small.layout, networks.small_channels(cell), len(images.classes)
        return figures_of(train_network(partial(*network), images, self.config, 0, channels_last=True))

    def networks(self, target: Target) -> TargetNetworks:
        """Return what cells become in a search at the budget of a target."""
        budget = ScoreConfig(budget=str(target.gemnet.macs[0]))
        config = SearchConfig(proxy=self.config, score=budget, gemnet=target.gemnet)
        networks = search_networks(config, images_of(self.config, self.share))
        assert isinstance(networks, TargetNetworks)
        return networks


def figures_of(found: ProxyResult) -> dict[str, float]:
    """Return accuracy, and the negative sum of the training losses of all epochs (Ru et al. 2021)."""
    return {"top1": found.accuracy, "losses": -sum(found.epoch_losses)}


@lru_cache(maxsize=2)
def images_of(config: ProxyConfig, share: float) -> ImageSet:
    """Return the images of a proxy, of each class's training images the first ones."""
    images = load_images(config, Path("data/raw"))
    chosen = [np.flatnonzero(images.train_labels == label) for label in range(len(images.classes))]
    used = np.concatenate([places[: round(share * len(places))] for places in chosen])
    return replace(images, train_images=images.train_images[used], train_labels=images.train_labels[used])


def proxies(target: Target) -> dict[str, Proxy]:
    """Return the proxies that are compared, the default of a search at a budget first."""
    own = ProxyConfig(dataset=target.images, image_size=target.gemnet.image_size)
    half = own.image_size // 2
    return {
        "at a budget: one cell per stage, 1/8 of the MACs, 3 epochs": Proxy(own, target),
        "by Eq. 5 on the bundled images": Proxy(ProxyConfig(), None),
        "at a budget, all cells": Proxy(replace(own, network="gemnet"), target),
        "at a budget, half the pixels": Proxy(replace(own, image_size=half), target),
        "at a budget, 6 epochs": Proxy(replace(own, epochs=6), target),
        "at a budget, half the images, 6 epochs": Proxy(replace(own, epochs=6), target, share=0.5),
        "at a budget, 1/4 of the MACs": Proxy(replace(own, macs_share=0.25), target),
        "by Eq. 5 on these images": Proxy(replace(own, image_size=32), None),
    }


def key_of(judge: Target | Proxy, cell: Cell | None) -> str:
    """Return what names the file of a result."""
    name = "mobilenet_v2" if cell is None else cell.canonical_key
    return digest_of([json.dumps([name, type(judge).__name__, asdict(judge)], sort_keys=True)])


def run(judge: Target | Proxy, cell: Cell | None) -> dict[str, Any]:
    """Return what a judge says of a cell, from its file if there is one; no "top1" where the cell has no network."""
    path = FOLDER / f"{key_of(judge, cell)}.json"
    if path.is_file():
        return json.loads(path.read_text())
    torch.set_num_threads(1)
    begun = time.process_time()
    try:
        found: dict[str, Any] = judge.train(cell, path.with_suffix(""))  # type: ignore[arg-type]  # a proxy is given cells alone
    except ParameterError as error:
        found = {"impossible": str(error)}
    found["seconds"] = time.process_time() - begun
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        file.write(json.dumps(found).encode())
    return found


def chosen_cells(count: int) -> dict[str, Cell]:
    """Return the best cells of the search in this folder, if one has run."""
    if not BOOTSTRAP_FILE.is_file():
        return {}
    space = load_config().cells
    ranked = read_trained(BOOTSTRAP_FILE, space.operations, space.vertices).distinct.ranked
    return {f"searched {rank + 1}": cell for rank, cell in enumerate(ranked.cells[:count])}


def random_cells(networks: TargetNetworks, count: int) -> dict[str, Cell]:
    """Return the first random cells that a search at the budget would train."""
    usable = (cell for cell in sample_cells(CellsConfig(), 100 * count, 0) if not networks.obstacle(cell))
    return {f"random {number}": cell for number, cell in enumerate(islice(usable, count), start=1)}


def planned(cells: dict[str, Cell], target: Target) -> Iterator[tuple[str, str, Target | Proxy, Cell | None]]:
    """Yield the name of a judge and of a cell, and both: the target's first."""
    yield "target", "MobileNetV2", target, None
    judges: dict[str, Target | Proxy] = {"target": target, **proxies(target)}
    judges["target, another seed"] = replace(target, seed=1)
    for name, judge in judges.items():
        for title, cell in cells.items():
            yield name, title, judge, cell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="folder with train/ and val/")
    parser.add_argument("--macs", type=int, default=18_970_000, help="budget of the target")
    parser.add_argument("--side", type=int, default=64, help="pixels of the images")
    parser.add_argument("--epochs", type=int, default=8, help="of the target; stage imagenet takes 25")
    parser.add_argument("--random", type=int, default=11, help="random cells")
    parser.add_argument("--searched", type=int, default=6, help="best cells of the search in this folder")
    arguments = parser.parse_args()
    gemnet = GemnetConfig(macs=(arguments.macs,), layout="tiny", image_size=arguments.side)
    target = Target(gemnet, str(arguments.images), arguments.epochs)
    blocks = known_blocks(CellsConfig(operations=tuple(OPERATIONS.names())))
    cells = {block.title: block.cell for block in blocks} | chosen_cells(arguments.searched)
    cells |= random_cells(next(iter(proxies(target).values())).networks(target), arguments.random)
    results: dict[str, dict[str, dict[str, Any]]] = {}
    with ProcessPoolExecutor(2) as pool:
        jobs = [(name, title, pool.submit(run, judge, cell)) for name, title, judge, cell in planned(cells, target)]
        for judge, title, future in jobs:
            found = results.setdefault(judge, {})[title] = future.result()
            shown = found.get("impossible") or f"top-1 {found['top1']:.3f}"
            print(f"{judge:70} {title:28} {shown}  {found['seconds']:.0f} s", flush=True)
    show(results)


def show(results: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Print the alignment of every judge."""
    target = results.pop("target")
    print("\n| proxy | tau | 95 % | cells | seconds per training |\n|---|---|---|---|---|")
    for name, judged in results.items():
        for figure in ("top1", "losses", "score"):
            both = [cell for cell in judged if figure in judged[cell] and "top1" in target[cell]]
            if len(both) < 3:
                continue
            truth, values = np.array([(target[cell]["top1"], judged[cell][figure]) for cell in both]).T
            found = rank_agreement(values, truth)
            seconds = np.median([judged[cell]["seconds"] for cell in both])
            interval = f"{found.low:.2f} to {found.high:.2f}"
            print(f"| {name}, {figure} | {found.tau:.2f} | {interval} | {len(both)} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
