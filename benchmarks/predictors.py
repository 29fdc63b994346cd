"""Which predictor ranks the cells of a search best: those of the catalogue, and the paper's perceptron on embeddings.

It reads the random cells that the search in this folder has trained (data/estimator and data/bootstrap), fits on some
of them and ranks the others, over several splits. Cells that a predictor chose are left out, because it would be judged
on its own choice.
"""

import argparse

import numpy as np
import torch

from nasgem_core.predictors.catalogue import search_predictors
from nasgem_core.predictors.catalogue_scorer import TrainingSet, fit_catalogue_scorer
from nasgem_core.predictors.fitting import pretrain_kind
from nasgem_core.predictors.process_scorer import fit_process
from nasgem_core.search.perceptron import fit_perceptron
from nasgem_core.search.ranking import rank_correlation
from nasgem_core.search.score import Measured
from nasgem_core.search.scorer import Scorer
from tasks.run.parameters import load_config
from tasks.stages.encoder import GUIDED, PLAIN
from tasks.stages.results import Results
from tasks.stages.scorer import PROCESS
from tasks.stages.trained import BASELINE, RANDOM

SPLITS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, nargs="+", default=[20, 40])
    parser.add_argument("--kinds", nargs="+", choices=search_predictors(), default=list(search_predictors()))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config()
    results = Results(config)
    trained = results.distinct.usable
    trained = trained[np.isin(trained.origin.astype(str), [RANDOM, BASELINE])]
    cells, measured = trained.cells, Measured(trained.accuracy, trained.macs, config.score.penalty)
    scores = measured.scores
    embeddings = {kind: results.encoders[kind].embed(cells) for kind in (GUIDED, PLAIN)}
    space, target = config.cells, config.predictor.target
    others = [kind for kind in arguments.kinds if kind != PROCESS]
    pretrained = {kind: pretrain_kind(kind, space, 0) for kind in others}
    print(f"{len(trained)} random cells; Kendall's tau on the held-out ones, mean of {SPLITS} splits +- standard error")
    for training in arguments.cells:
        taus: dict[str, list[float]] = {}
        for split in range(SPLITS):
            order = np.random.default_rng(split).permutation(len(trained))
            rows, left = order[:training], order[training:]
            scorers: dict[str, Scorer] = {}
            if PROCESS in arguments.kinds:
                scorers[PROCESS] = fit_process(cells[rows], measured[rows], space, target, split)
            for kind in others:
                known = TrainingSet(kind, cells[rows], measured[rows], space, target, pretrained[kind], split)
                scorers[kind] = fit_catalogue_scorer(known)
            charged = measured.costs[left], measured.penalty
            predicted = {name: scorer.score(cells[left], *charged) for name, scorer in scorers.items()}
            for kind, vectors in embeddings.items():
                fitted = fit_perceptron(vectors[rows], measured[rows], config.predictor, split)
                predicted[f"perceptron, {kind}"] = fitted.predict(vectors[left], *charged)
            predicted["fewer MACs"] = -np.log(measured.costs[left])
            for name, values in predicted.items():
                taus.setdefault(name, []).append(rank_correlation(values, scores[left])["kendall_tau"])
        for name, found in taus.items():
            error = np.std(found, ddof=1) / np.sqrt(SPLITS)
            print(f"{training:>4} cells  {name:<24} {np.mean(found):.3f} +- {error:.3f}", flush=True)


if __name__ == "__main__":
    main()
