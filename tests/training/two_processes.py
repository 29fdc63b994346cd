"""What test_distributed has two processes do, under torchrun; each writes what it found to <folder>/<rank>.json."""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from nasgem_core.errors import NasgemError
from nasgem_core.training.accuracy import AccuracyCount
from nasgem_core.training.distributed import open_world
from nasgem_core.training.loop import train
from tests.training.toy import RECIPE, Poisoned, ToyTask


def main(folder):
    torch.set_num_threads(1)
    with open_world() as world:
        found, reports = {}, []
        for name in ("plain", "normalised"):
            task = ToyTask(normalise=name == "normalised", dropout=0.0)
            trained = train(task, RECIPE, folder / name, seed=1, world=world, on_progress=reports.append)
            weight = trained.model[-1].weight.tolist()
            found[name] = {"history": trained.history, "metrics": trained.metrics, "weight": weight}
        try:
            train(Poisoned(), RECIPE, folder / "poisoned", seed=1, world=world)
        except NasgemError as error:
            found["poisoned"] = str(error)
        network = torch.nn.Linear(1, 1, bias=False)
        parallel = world.parallel(network)
        with world.local_gradients(parallel):
            parallel(torch.full((1, 1), world.rank + 1.0)).sum().backward()
        found["local_gradient"] = network.weight.grad.item()
        parallel(torch.full((1, 1), world.rank + 1.0)).sum().backward()
        found["shared_gradient"] = network.weight.grad.item()
        logits = torch.randn(41, 9, generator=torch.Generator().manual_seed(0))
        labels = torch.arange(41) % 9
        shared, alone = AccuracyCount(), AccuracyCount()
        for start in range(world.rank * 4, 41, world.size * 4):
            shared.add(logits[start : start + 4], labels[start : start + 4])
        alone.add(logits, labels)
        expected = alone._hits[0].tolist()
        found |= {"reports": len(reports), "counted": shared.shares(world)}
        found["expected"] = {"top1": expected[0] / 41, "top5": expected[1] / 41, "images": 41}
        (folder / f"{world.rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
