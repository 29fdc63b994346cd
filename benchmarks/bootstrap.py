"""Time and memory of bootstrap optimisation over cells of 30 vertices, with random weights.

Run it with `python benchmarks/bootstrap.py`; `--target accuracy` also computes the MACs of every candidate. The peak is
that of the whole process, including its libraries; it should not depend on the number of candidates.
"""

import argparse
import resource
import time

import numpy as np
import torch

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, EncoderConfig, PairsConfig, PredictorConfig
from nasgem_core.encoders.fitting import fit_encoder
from nasgem_core.kernel.pairs import draw_pairs
from nasgem_core.kernel.wl import wl_similarity
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.predictors.process_scorer import fit_process
from nasgem_core.search.bootstrap import bootstrap
from nasgem_core.search.objective import ProxyNetworks, objective_class
from nasgem_core.search.perceptron import fit_perceptron
from nasgem_core.search.scorer import EmbeddingScorer, Scorer
from tasks.stages.scorer import PERCEPTRON, PROCESS

CELLS = CellsConfig()
LAYOUT = NetworkLayout(width=16, stages=(1, 2, 4), stem_stride=1, image_size=32)
OBJECTIVE = objective_class("macs").open("macs", ProxyNetworks(LAYOUT, 10), penalty=0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=(PERCEPTRON, PROCESS), default=PERCEPTRON, help="the predictor")
    parser.add_argument("--target", choices=("score", "accuracy"), default="score")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--count", type=int, nargs="+", default=[250_000, 1_000_000])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    pairs = draw_pairs(CELLS, PairsConfig(count=100), 0)
    encoder = fit_encoder(pairs, wl_similarity(pairs.left, pairs.right, 3), EncoderConfig(iterations=1), 0)
    trained = sample_cells(CELLS, 50, 1)
    accuracy = np.random.default_rng(0).uniform(0.3, 0.9, size=50)
    config, measured = PredictorConfig(target=arguments.target), OBJECTIVE.measured(trained, accuracy)
    if arguments.kind == PROCESS:
        scorer: Scorer = fit_process(trained, measured, CELLS, config.target, seed=0)
    else:
        scorer = EmbeddingScorer(encoder, fit_perceptron(encoder.embed(trained), measured, config, seed=0))
    for count in arguments.count:
        start, busy = time.perf_counter(), time.process_time()
        found = bootstrap(scorer, CELLS, OBJECTIVE, count=count, top=8, seed=0)
        seconds, cpu = time.perf_counter() - start, time.process_time() - busy
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{found.sampled:>9} candidates: {seconds:6.1f} s ({cpu:.1f} s of CPU), peak {peak:.2f} GiB, "
            f"best predicted {found.predicted[0]:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
