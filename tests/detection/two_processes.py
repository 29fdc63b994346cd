"""What test_task has two processes do, under torchrun; each writes its weights and figures to <folder>/<rank>.pt."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from nasgem_core.training.distributed import open_world
from nasgem_core.training.loop import train
from tests.detection.toy import RECIPE, small_task


def main(folder, files):
    torch.set_num_threads(1)
    with open_world() as world:
        trained = train(small_task(files), RECIPE, folder / "checkpoints", seed=3, world=world)
        found = {"weights": trained.model.state_dict(), "metrics": dict(trained.metrics)}
        torch.save(found, folder / f"{world.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), tuple(map(Path, sys.argv[2:])))
