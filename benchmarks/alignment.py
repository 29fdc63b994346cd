"""How well each cheap training of a cell predicts the network that is wanted: Kendall's tau of proxies and the target.

The target is GEMNet of the cell at the budget on the user's images, trained with the recipe of stage `imagenet`, here
shortened. Each proxy trains the same cells in less time. A proxy's alignment is Kendall's tau between its accuracies
and the target's, with a bootstrap interval over cells; next to it are the seconds of one training, on one thread, in
processor time. The noise of the target bounds every tau: `ceiling` is the tau between the target and itself from
another seed.

Every training is kept in `.nasgem/alignment` and resumes where it was stopped: delete the folder after a change to the
code of networks or training. Run it with `python benchmarks/alignment.py IMAGES`, where IMAGES has train/ and val/.
"""

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nasgem_core.backbones.layout import GEMNetLayout, named_layout
from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.known_blocks import known_blocks
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, ProxyConfig
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.digest import digest_of
from nasgem_core.errors import ParameterError
from nasgem_core.files import written_whole
from nasgem_core.networks.complexity import cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.search.rank_agreement import rank_agreement
from nasgem_core.seeding import derive_seed
from nasgem_core.training.classification import ClassificationTask
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import ImageFiles, list_image_files
from nasgem_core.training.loop import train
from nasgem_core.training.proxy import train_cell
from nasgem_core.training.proxy_images import load_images
from tasks.run.parameters import load_config
from tasks.stages.classifier import recipe_of, settings_of
from tasks.stages.imagenet import ClassifierTraining
from tasks.stages.trained import BOOTSTRAP_FILE, read_trained

FOLDER = Path(".nasgem") / "alignment"
LEARNING_RATE = 0.012
"""Highest one for 256 images per step."""
PENALTY = 0.1
"""Lambda of the paper's score."""


@dataclass(frozen=True)
class Judge:
    """A way to judge a cell by a training of a network.

    Args:
        name: its word in the table.
        layout: of the GEMNet that is trained; None for the proxy network of the search, on its own images.
        macs: multiply-adds of that network; 0 for the proxy network at its usual width.
        side: height and width of the images.
        epochs: passes over the images.
        share: share of each class's training images that is used.
    """

    name: str
    layout: GEMNetLayout | None
    macs: int
    side: int
    epochs: int
    share: float = 1.0


def judges(target: Judge) -> list[Judge]:
    """Return the target and the proxies that are compared with it."""
    assert target.layout is not None
    small = replace(target, name="", side=target.side // 2, macs=target.macs // 8, epochs=4)
    skeleton = target.layout.skeleton
    one_cell = replace(skeleton, name="one cell per stage", repeats=(1,) * len(skeleton.repeats))
    return [
        target,
        Judge("proxy network", None, 0, 32, ProxyConfig().epochs),
        Judge("proxy network, equal MACs", None, 1_000_000, 32, ProxyConfig().epochs),
        replace(small, name="GEMNet, half the pixels, 1/8 of the MACs"),
        replace(small, name="the same, one cell per stage", layout=replace(target.layout, skeleton=one_cell)),
        replace(small, name="the same, half the images, twice the epochs", epochs=8, share=0.5),
        replace(small, name="the same, 2 epochs", epochs=2),
        replace(target, name="GEMNet, 1/8 of the MACs by width alone", macs=target.macs // 8, epochs=4),
        replace(target, name="GEMNet, 2 epochs", epochs=2),
    ]


@dataclass(frozen=True)
class Job:
    """One training of one cell for one judge; `cell` is None for MobileNetV2."""

    cell: Cell | None
    judge: Judge
    images: str
    seed: int

    def key(self) -> str:
        """Return what names the file of its result."""
        layout = self.judge.layout.to_dict() if self.judge.layout else None
        fields = {name: value for name, value in asdict(self.judge).items() if name not in ("name", "layout")}
        cell = self.cell.canonical_key if self.cell else "mobilenet_v2"
        return digest_of([json.dumps([cell, fields, layout, self.images, self.seed], sort_keys=True)])

    def spec(self, classes: int) -> NetworkSpec:
        """Return the network; raises `ParameterError` where the cell has none with these multiply-adds."""
        size = (self.judge.side, self.judge.side)
        if self.cell is None:
            return scaled_to_budget("mobilenet_v2", classes, size, self.judge.macs)
        assert self.judge.layout is not None
        return fit_to_budget(
            "gemnet", self.cell, self.judge.layout, num_classes=classes, image_size=size, macs=self.judge.macs
        )


def part_of(files: ImageFiles, share: float) -> ImageFiles:
    """Return the first images of each class."""
    chosen = [np.flatnonzero(files.labels == label) for label in range(len(files.classes))]
    return files.subset(np.concatenate([places[: round(share * len(places))] for places in chosen]))


def train_gemnet(job: Job, folder: Path) -> dict[str, float]:
    """Train the network of a job from its last checkpoint."""
    training, validation = list_image_files(Path(job.images))
    if job.judge.share < 1:
        training = part_of(training, job.judge.share)
    config = ImagenetConfig(dataset=job.images, epochs=job.judge.epochs, least_steps=0, image_size=job.judge.side)
    spec = job.spec(len(training.classes))
    torch.manual_seed(derive_seed(job.seed, "initialisation"))
    images = (training, validation)
    task = ClassificationTask(spec.build(), spec.to_dict(), images, settings_of(config, config.batch_size), job.seed)
    planned = ClassifierTraining(spec, job.seed, config, 0, LEARNING_RATE)
    recipe = replace(recipe_of(planned, len(training)), evaluate_epochs=config.epochs)
    return dict(train(task, recipe, folder, seed=job.seed, world=World()).metrics)


def train_proxy(job: Job) -> dict[str, float]:
    """Train the proxy network of a job, at the width whose multiply-adds are nearest to the judge's."""
    assert job.cell is not None
    config = ProxyConfig()
    images = load_images(config, Path("data/raw"))
    cells = CellBatch.from_cells([job.cell], tuple(OPERATIONS.names()))

    def macs(width: int) -> int:
        layout = NetworkLayout.from_proxy(replace(config, width=width), images.image_size)
        return int(cell_costs(cells, layout, len(images.classes)).macs[0])

    if job.judge.macs:
        width = min(range(2, 200), key=lambda width: abs(macs(width) - job.judge.macs))
        config = replace(config, width=width)
    found = train_cell(job.cell, images, config, job.seed)
    return {"top1": found.accuracy, "score": found.accuracy - PENALTY * np.log10(macs(config.width) / 1e6)}


def run(job: Job) -> dict[str, float]:
    """Return the result of a job, from its file if it was done before; without "top1" where the cell has no network."""
    path = FOLDER / f"{job.key()}.json"
    if path.is_file():
        return json.loads(path.read_text())
    torch.set_num_threads(1)
    begun = time.process_time()
    try:
        found = train_gemnet(job, FOLDER / job.key()) if job.judge.layout else train_proxy(job)
    except ParameterError as error:
        found = {"impossible": str(error)}
    result: dict[str, Any] = {**found, "seconds": time.process_time() - begun, "judge": job.judge.name}
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        file.write(json.dumps(result).encode())
    return result


def chosen_cells(count: int) -> dict[str, Cell]:
    """Return the best cells of the search in this folder, if one has run."""
    if not BOOTSTRAP_FILE.is_file():
        return {}
    space = load_config().cells
    ranked = read_trained(BOOTSTRAP_FILE, space.operations, space.vertices).distinct.ranked
    return {f"searched {rank + 1}": cell for rank, cell in enumerate(ranked.cells[:count])}


def random_cells(target: Judge, classes: int, count: int) -> dict[str, Cell]:
    """Return cells as a search draws them, those that have a network with the target's multiply-adds."""
    found: dict[str, Cell] = {}
    for cell in sample_cells(CellsConfig(), 100 * count, 0):
        try:
            Job(cell, target, "", 0).spec(classes)
        except ParameterError:
            continue
        found[f"random {len(found) + 1}"] = cell
        if len(found) == count:
            break
    return found


def jobs_of(cells: dict[str, Cell], arguments: argparse.Namespace, target: Judge) -> Iterator[tuple[str, str, Job]]:
    """Yield judge, cell and training: the target's first."""
    images = str(arguments.images)
    yield "MobileNetV2", "MobileNetV2", Job(None, target, images, 0)
    for judge in judges(target):
        for name, cell in cells.items():
            yield judge.name, name, Job(cell, judge, images, 0)
    for name, cell in cells.items():
        yield "target, another seed", name, Job(cell, target, images, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="folder with train/ and val/")
    parser.add_argument("--macs", type=int, default=18_970_000, help="budget of the target")
    parser.add_argument("--side", type=int, default=64, help="pixels of the images")
    parser.add_argument("--epochs", type=int, default=8, help="of the target; stage imagenet takes 25")
    parser.add_argument("--skeleton", default="mobile", help="of the target")
    parser.add_argument("--layout", default="tiny", help="how often the target halves images")
    parser.add_argument("--random", type=int, default=11, help="random cells")
    parser.add_argument("--searched", type=int, default=6, help="best cells of the search in this folder")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    layout = named_layout(arguments.layout, arguments.skeleton)
    target = Judge("target", layout, arguments.macs, arguments.side, arguments.epochs)
    classes = len(list_image_files(arguments.images)[0].classes)
    blocks = known_blocks(CellsConfig(operations=tuple(OPERATIONS.names())))
    cells = {block.title: block.cell for block in blocks}
    cells |= chosen_cells(arguments.searched) | random_cells(target, classes, arguments.random)
    planned = list(jobs_of(cells, arguments, target))
    results: dict[str, dict[str, dict[str, Any]]] = {}
    with ProcessPoolExecutor(arguments.workers) as pool:
        futures = [pool.submit(run, job) for _, _, job in planned]
        for (judge, cell, _), future in zip(planned, futures, strict=True):
            found = future.result()
            results.setdefault(judge, {})[cell] = found
            shown = f"top-1 {found['top1']:.3f}" if "top1" in found else found["impossible"]
            print(f"{judge:45} {cell:28} {shown}  {found['seconds']:.0f} s", flush=True)
    show(results)


def show(results: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Print the alignment of every judge."""
    target = results.pop("target")
    results.pop("MobileNetV2")
    print("\n| proxy | tau | 95 % | cells | seconds per training |\n|---|---|---|---|---|")
    for name, judged in results.items():
        for figure in ("top1", "score"):
            both = [cell for cell in judged if figure in judged[cell] and "top1" in target[cell]]
            if len(both) < 3:
                continue
            truth = np.array([target[cell]["top1"] for cell in both])
            found = rank_agreement(np.array([judged[cell][figure] for cell in both]), truth)
            seconds = np.median([judged[cell]["seconds"] for cell in both])
            agreement = f"{found.tau:.2f} | {found.low:.2f} to {found.high:.2f}"
            print(f"| {name}, {figure} | {agreement} | {len(both)} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
