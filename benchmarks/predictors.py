"""Which predictor ranks the cells of a search: the process on features, or the paper's perceptron on embeddings.

Reads the cells that the search in this folder has trained at random (data/estimator and data/bootstrap), fits on some
of them and ranks the others, over several splits. Cells that a predictor picked are left out, because it would be
judged on its own choice.
"""

import argparse

import numpy as np
import torch

from nasgem_core.predictors.process_scorer import fit_process
from nasgem_core.search.predictor import fit_predictor
from nasgem_core.search.ranking import rank_correlation
from nasgem_core.search.score import efficiency_score
from tasks.encoder import GUIDED, PLAIN
from tasks.parameters import load_config
from tasks.results import Results
from tasks.trained import BASELINE, RANDOM

SPLITS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, nargs="+", default=[20, 40])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config()
    results = Results(config)
    table = results.distinct
    table = table[table["origin"].isin([RANDOM, BASELINE]) & ~table["failed"]].reset_index(drop=True)
    cells, penalty = results.batch(table), config.score.penalty
    accuracy, macs = table["accuracy"].to_numpy(dtype=float), table["macs"].to_numpy(dtype=np.int64)
    scores = efficiency_score(accuracy, macs, penalty)
    embeddings = {kind: results.encoders[kind].embed(cells) for kind in (GUIDED, PLAIN)}
    print(f"{len(table)} random cells; Kendall's tau on those left out, mean of {SPLITS} splits +- standard error")
    for training in arguments.cells:
        taus: dict[str, list[float]] = {}
        for split in range(SPLITS):
            order = np.random.default_rng(split).permutation(len(table))
            rows, others = order[:training], order[training:]
            known = accuracy[rows], macs[rows]
            process = fit_process(cells[rows], *known, config.cells, config.predictor.target, penalty, split)
            predicted = {"process": process.score(cells[others], macs[others], penalty)}
            for kind, vectors in embeddings.items():
                fitted = fit_predictor(vectors[rows], *known, config.predictor, penalty, split)
                predicted[f"perceptron, {kind}"] = fitted.predict(vectors[others], macs[others], penalty)
            predicted["fewer MACs"] = -np.log(macs[others])
            for name, values in predicted.items():
                taus.setdefault(name, []).append(rank_correlation(values, scores[others])["kendall_tau"])
        words = [f"{name} {np.mean(t):.3f} +- {np.std(t, ddof=1) / np.sqrt(SPLITS):.3f}" for name, t in taus.items()]
        print(f"{training:>4} cells: {';  '.join(words)}", flush=True)


if __name__ == "__main__":
    main()
