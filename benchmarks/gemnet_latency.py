"""How well the latency of GEMNets in their fast form is predicted, compared with a line in their multiply-adds.

GEMNets of random cells and of the known blocks, from a third to three times a number of multiply-adds, are run by ONNX
Runtime on one thread, one image per pass; they take turns. The model of `nasgem_core/backbones/latency.py` and a
straight line in the multiply-adds predict each of them from the others, a fifth at a time. A latency is the lowest
processor time of many passes, which a busy machine disturbs least. Cells of very many vertices are left out, because
writing their networks as ONNX takes a minute each. Run it with `python benchmarks/gemnet_latency.py`.
"""

import argparse
import time

import numpy as np
import torch

from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.layout import named_layout
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.config.search import SearchConfig
from nasgem_core.deployment.engines import for_engine
from nasgem_core.networks.layout import IMAGE_CHANNELS
from nasgem_core.search.gemnet_latency import fit_gemnet_latency
from nasgem_core.search.latency_model import LatencyError, fit_times
from tasks.deployment.sized import listed_gemnet_samples

_MOST_VERTICES = 10


def lowest_times(specs: list[GEMNetSpec], passes: int) -> np.ndarray:
    """Return the lowest processor time of a pass of each network, in milliseconds."""
    networks = [for_engine(spec.build(), spec.name, spec.image_size, "onnxruntime", 1) for spec in specs]
    images = torch.randn(1, IMAGE_CHANNELS, *specs[0].image_size)
    seconds = np.full(len(specs), np.inf)
    for _ in range(passes):
        for place, network in enumerate(networks):
            network(images)
            start = time.thread_time()
            network(images)
            seconds[place] = min(seconds[place], time.thread_time() - start)
    return 1e3 * seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--macs", type=int, default=19_000_000)
    parser.add_argument("--side", type=int, default=64, help="pixels of the images")
    parser.add_argument("--layout", default="tiny")
    parser.add_argument("--skeleton", default="mobile")
    parser.add_argument("--sampled", type=int, default=40, help="random cells")
    parser.add_argument("--passes", type=int, default=200, help="timed passes of each network")
    options = parser.parse_args()
    config, side = SearchConfig(), (options.side, options.side)
    frame = Frame(named_layout(options.layout, options.skeleton), 10, side)
    listed = listed_gemnet_samples(options.sampled, options.macs, frame, config)
    specs = [item.spec for item in listed if isinstance(item.spec, GEMNetSpec)]
    specs = [spec for spec in specs if spec.cell.num_vertices <= _MOST_VERTICES]
    measured = lowest_times(specs, options.passes)
    macs = [gemnet_costs(spec.cell, spec.layout, spec.channels, 10, side).macs / 1e6 for spec in specs]
    line = np.column_stack([macs, np.ones(len(macs))])
    errors: dict[str, LatencyError] = {
        "the model": fit_gemnet_latency(specs, measured, config.cells.operations)[1],
        "MACs": fit_times(line, measured)[1],
    }
    print(f"{len(specs)} networks, {measured.min():.2f} to {measured.max():.2f} ms")
    print("predicted by  median error  Kendall's tau")
    for name, error in errors.items():
        print(f"{name:12}  {100 * error.relative:10.1f} %  {error.kendall_tau:13.2f}")


if __name__ == "__main__":
    main()
