"""Time and quality of fitting the encoder, kernel-guided and plain, with the laptop and the paper profile.

Pairs and similarities are computed once and not timed. Run it with `python benchmarks/encoder.py`; `--quick` leaves out
the paper profile (10,000 iterations; both have 50,000 pairs, n = 30).
"""

import argparse
import time
from dataclasses import replace

import torch

from nasgem_core.config.search import CellsConfig, EncoderConfig, PairsConfig
from nasgem_core.encoders.fitting import fit_encoder
from nasgem_core.kernel.pairs import draw_pairs
from nasgem_core.kernel.wl import wl_similarity

PROFILES = {"laptop": 2_000, "paper": 10_000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only the laptop profile")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=EncoderConfig().learning_rate)
    parser.add_argument("--similarity-weight", type=float, default=EncoderConfig().similarity_weight)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    pairs = draw_pairs(CellsConfig(), PairsConfig(), 0)
    similarity = wl_similarity(pairs.left, pairs.right, 3)
    print(
        f"{len(pairs)} pairs, similarity {similarity.mean():.3f} +- {similarity.std():.3f}, {arguments.threads} threads"
    )
    print(f"{'profile':8}{'encoder':9}{'seconds':>8}{'CPU s':>8}{'L_s':>9}{'constant':>9}{'R^2':>8}", end="")
    print(f"{'edges':>8}{'none':>8}{'balanced':>9}{'F1':>7}{'operations':>11}{'majority':>9}")
    for profile in ["laptop"] if arguments.quick else list(PROFILES):
        guided = EncoderConfig(
            iterations=PROFILES[profile],
            learning_rate=arguments.learning_rate,
            similarity_weight=arguments.similarity_weight,
        )
        for name, config in (("guided", guided), ("plain", replace(guided, similarity_weight=0.0))):
            start, busy = time.perf_counter(), time.process_time()
            report = fit_encoder(pairs, similarity, config, 0).report
            seconds, cpu = time.perf_counter() - start, time.process_time() - busy
            print(f"{profile:8}{name:9}{seconds:8.1f}{cpu:8.1f}{report.similarity_loss:9.5f}", end="")
            print(f"{report.constant_similarity_loss:9.5f}{report.r_squared:8.3f}{report.edge_accuracy:8.3f}", end="")
            print(f"{report.constant_edge_accuracy:8.3f}{report.edge_balanced_accuracy:9.3f}", end="")
            print(f"{report.edge_f1:7.3f}{report.operation_accuracy:11.3f}", end="")
            print(f"{report.constant_operation_accuracy:9.3f}", flush=True)


if __name__ == "__main__":
    main()
