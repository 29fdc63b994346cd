"""What each choice of block and skeleton is worth: one cell, one budget, paired trainings.

Every variant is GEMNet of the same cell, sized to the same multiply-adds, trained with the recipe of
`benchmarks/alignment.py` from the same seeds. A variant's difference is to skeleton `mobile` as it is, paired by seed,
with Student's 95 % interval. Every training is kept in `.nasgem/alignment` and shared with that benchmark. Run it with
`python benchmarks/skeletons.py IMAGES`, where IMAGES has train/ and val/.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from alignment import Job, Judge, run

from nasgem_core.backbones.layout import GEMNetLayout, named_layout
from nasgem_core.backbones.skeleton import MOBILE, PAPER
from nasgem_core.cells.known_blocks import known_blocks
from nasgem_core.config.search import CellsConfig
from nasgem_core.intervals import mean_and_interval
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.training.paired import PairedDifference, paired_difference

BASE = "mobile"
VARIANTS: dict[str, dict[str, Any]] = {
    BASE: {},
    "an activation behind every block": {"activation": "always"},
    "no activation behind blocks": {"activation": "never"},
    "repeats 1 3 4 6 4": {"repeats": PAPER.repeats},
    "channels in multiples of 8": {"channel_multiple": 8},
    "channels in multiples of 2": {"channel_multiple": 2},
    "head of 640 channels": {"head_channels": 640},
    "squeeze .25": {"squeeze": 0.25},
    "hard swish": {"nonlinearity": "hard_swish"},
    "squeeze .25 and hard swish": {"squeeze": 0.25, "nonlinearity": "hard_swish"},
    "dropout .2": {"dropout": 0.2},
    "stochastic depth .1": {"stochastic_depth": 0.1},
}


def variants(layout: str) -> dict[str, GEMNetLayout]:
    """Return the layouts that are compared, by name; the paper's skeleton is the last."""
    halvings = named_layout(layout)
    changed = {name: replace(halvings, skeleton=replace(MOBILE, **fields)) for name, fields in VARIANTS.items()}
    return {**changed, "paper": halvings}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="folder with train/ and val/")
    parser.add_argument("--cell", default="MobileNetV2, expansion 4", help="title of a known block")
    parser.add_argument("--macs", type=int, default=18_970_000, help="budget")
    parser.add_argument("--side", type=int, default=64, help="pixels of the images")
    parser.add_argument("--epochs", type=int, default=8, help="stage imagenet takes 25")
    parser.add_argument("--layout", default="tiny", help="how often images are halved")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    blocks = {block.title: block for block in known_blocks(CellsConfig(operations=tuple(OPERATIONS.names())))}
    if arguments.cell not in blocks:
        parser.error(f"--cell {arguments.cell!r}: choose one of {', '.join(map(repr, blocks))}")
    cell = blocks[arguments.cell].cell
    judges = [
        Judge("target", layout, arguments.macs, arguments.side, arguments.epochs)
        for layout in variants(arguments.layout).values()
    ]
    top1: dict[str, list[float]] = {}
    with ProcessPoolExecutor(arguments.workers) as pool:
        futures = [
            (name, seed, pool.submit(run, Job(cell, judge, str(arguments.images), seed)))
            for seed in range(arguments.seeds)
            for name, judge in zip(variants(arguments.layout), judges, strict=True)
        ]
        for name, seed, future in futures:
            found = future.result()
            top1.setdefault(name, []).append(found.get("top1", float("nan")))
            print(f"{name:35} seed {seed}  {found.get('top1', found.get('impossible'))}", flush=True)
    show(top1)


def show(top1: dict[str, list[float]]) -> None:
    """Print the mean of each variant, and its difference to the base."""
    print("\n| variant | top-1 (%) | less `mobile`, points | 95 % |\n|---|---|---|---|")
    for name, values in top1.items():
        difference = paired_difference(values, top1[BASE])
        words = "- | -" if name == BASE else _words(difference)
        print(f"| {name} | {100 * mean_and_interval(np.array(values))[0]:.1f} | {words} |")


def _words(difference: PairedDifference) -> str:
    if difference.low is None or difference.high is None:
        return f"{100 * difference.mean:+.1f} | -"
    return f"{100 * difference.mean:+.1f} | {100 * difference.low:+.1f} to {100 * difference.high:+.1f}"


if __name__ == "__main__":
    main()
