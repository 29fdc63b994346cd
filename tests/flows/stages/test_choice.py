from dataclasses import replace

import numpy as np
import pytest

from flows.stages import choice
from flows.stages.choice import choose_cell, noise_of
from flows.stages.possible_cells import random_stream
from flows.stages.train_cells import Source, train_cells
from nasgem_core.seeding import derive_seed
from tasks.stages.trained import TrainedCells
from tests.flows.in_process import made_up_result


@pytest.fixture
def trained(small_search) -> TrainedCells:
    return train_cells(
        small_search.session, random_stream(small_search.session, 12).cells, Source("bootstrap", "random")
    )


def accuracies(cell, runs) -> list[float]:
    return [made_up_result(cell, derive_seed(0, "run", run) if run else 0)["accuracy"] for run in runs]


def test_the_best_cells_are_trained_again_and_the_highest_mean_is_chosen(small_search, trained):
    made = choose_cell(small_search.session, trained, 3)
    best = np.argsort(-np.nan_to_num(trained.score, nan=-1))[:3]
    assert made.finalists.tolist() == best.tolist() and made.scores.shape == (3, 3)
    for place, scores in zip(made.finalists, made.scores, strict=True):
        costs = trained.score[place] - trained.accuracy[place]
        np.testing.assert_allclose(scores, np.array(accuracies(trained.cells.cell(place), range(3))) + costs)
    assert made.chosen == made.finalists[made.scores.mean(axis=1).argmax()]
    # What it is worth is from seeds that did not decide.
    assert made.again.accuracy.tolist() == pytest.approx(accuracies(made.cell, range(3, 6)))
    assert made.again.origin.tolist() == [f"chosen cell: run {run}" for run in (3, 4, 5)]
    assert set(made.repeats.origin) == {"finalist: run 1", "finalist: run 2"} and made.trainings == 9
    assert made.expected(None).mean == pytest.approx(made.again.score.mean())
    means = [row["mean_score"] for row in made.table()]
    assert means == sorted(means, reverse=True) == sorted(made.scores.mean(axis=1), reverse=True)
    assert [row["chosen"] for row in made.table()] == [True, False, False]


def test_the_best_known_block_is_a_finalist(small_search, trained):
    worst = int(np.nanargmin(trained.score))
    origin = trained.origin.copy()
    origin[worst] = "known: somebody's"
    made = choose_cell(small_search.session, replace(trained, origin=origin), 2)
    assert len(made.finalists) == 3 and made.finalists[-1] == worst
    assert made.table()[-1]["origin"] == "known: somebody's"


def test_without_repeats_single_trainings_decide(small_search, trained, monkeypatch):
    config = small_search.config
    monkeypatch.setattr(small_search.session, "config", replace(config, bootstrap=replace(config.bootstrap, repeats=1)))
    monkeypatch.setattr(choice, "train_cells", None)
    made = choose_cell(small_search.session, trained, 3)
    assert made.chosen == trained.best and made.table() == [] and made.trainings == 0 and noise_of([made]) is None


def test_the_noise_is_pooled_over_trainings_of_both_sides_that_no_selection_has_raised(small_search, trained):
    made = choose_cell(small_search.session, trained, 3)
    noise = noise_of([made])
    groups = [*made.scores[:, 1:], made.again.score]
    freedom = sum(len(group) - 1 for group in groups)
    squares = sum(np.square(group - group.mean()).sum() for group in groups)
    assert noise.freedom == freedom == 5 and noise.deviation == pytest.approx((squares / freedom) ** 0.5)
    # Trainings that both sides share count once.
    assert noise_of([made, made]) == noise
    other = choose_cell(small_search.session, trained[trained.key != trained.key[made.chosen]], 3, "random search")
    assert noise_of([made, other]).freedom > 5 and other.again.origin[0] == "random search chosen cell: run 3"
