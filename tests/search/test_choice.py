import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.intervals import LEVEL
from nasgem_core.search.choice import best_by_mean, expected_margin, expected_score, pick_finalists
from nasgem_core.search.noise import Noise

FINALISTS, REPEATS, CELLS = 5, 3, 66
SEARCHES = 600


def choose(true: np.ndarray, noise: float, generator: np.random.Generator) -> tuple[int, np.ndarray, Noise]:
    """Choose as stage `bootstrap` does: the cell, new measurements of it, and the noise of one."""

    def measure(cells: np.ndarray, count: int) -> np.ndarray:
        return true[cells, None] + noise * generator.normal(size=(len(cells), count))

    first = measure(np.arange(len(true)), 1)[:, 0]
    finalists = pick_finalists(first, FINALISTS)
    again = measure(finalists, REPEATS - 1)
    place = best_by_mean(np.column_stack([first[finalists], again]))
    chosen = int(finalists[place])
    fresh = measure(np.array([chosen]), REPEATS)[0]
    groups = [*np.repeat(np.arange(FINALISTS), REPEATS - 1), *[FINALISTS] * REPEATS]
    return chosen, fresh, Noise.of(np.concatenate([again.ravel(), fresh]), np.array(groups))


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
def test_the_mean_of_repeats_picks_better_cells_than_single_measurements_and_says_what_they_are_worth(noise):
    generator = np.random.default_rng(0)
    gain, bias_of_single, bias, covered, margins = [], [], [], [], []
    for _ in range(SEARCHES):
        true = generator.normal(size=CELLS)
        chosen, fresh, found = choose(true, noise, generator)
        # As many trainings, the new ones of the chosen cell included, on more cells.
        single = generator.normal(size=CELLS + FINALISTS * (REPEATS - 1) + REPEATS)
        measured = single + noise * generator.normal(size=len(single))
        gain.append(true[chosen] - single[measured.argmax()])
        bias_of_single.append(measured.max() - single[measured.argmax()])
        estimate = expected_score(fresh, found)
        bias.append(estimate.mean - true[chosen])
        covered.append(abs(estimate.mean - true[chosen]) <= estimate.half_width)
        other, others, _ = choose(true[::-1].copy(), noise, generator)
        margin = expected_margin(fresh, others, found)
        margins.append(abs(margin.mean - (true[chosen] - true[::-1][other])) <= margin.half_width)
    assert np.mean(gain) > 2 * np.std(gain) / SEARCHES**0.5
    assert np.mean(bias_of_single) > 0.3 * noise
    assert abs(np.mean(bias)) < 3 * noise / (REPEATS * SEARCHES) ** 0.5
    for hits in (covered, margins):
        assert abs(np.mean(hits) - LEVEL) < 3 * (LEVEL * (1 - LEVEL) / SEARCHES) ** 0.5


def test_finalists_are_the_best_and_the_best_of_those_required():
    scores = np.array([0.3, np.nan, 0.5, 0.4, 0.1, 0.2])
    assert pick_finalists(scores, 2).tolist() == [2, 3]
    assert pick_finalists(scores, 2, [1, 4, 5]).tolist() == [2, 3, 5]
    assert pick_finalists(scores, 2, [3, 4]).tolist() == [2, 3] == pick_finalists(scores, 2, [1]).tolist()
    assert pick_finalists(scores, 9).tolist() == [2, 3, 0, 5, 4]
    with pytest.raises(DataError, match=r"all trainings failed; lower proxy\.learning_rate"):
        pick_finalists(np.array([np.nan]), 2)


def test_a_finalist_that_failed_again_is_behind_those_that_did_not():
    assert best_by_mean(np.array([[0.5, 0.1], [0.4, 0.3]])) == 1
    assert best_by_mean(np.array([[0.9, np.nan], [0.4, 0.3]])) == 1
    assert best_by_mean(np.array([[0.8, np.nan], [0.9, np.nan]])) == 1


def test_what_is_not_known_is_not_a_number():
    none, noise = np.array([np.nan]), Noise(0.1, 4)
    assert np.isnan(expected_score(none, noise).mean) and np.isnan(expected_margin(none, np.ones(1), noise).mean)
    alone = expected_score(np.array([0.5, np.nan]), None)
    assert alone.mean == 0.5 and np.isnan(alone.half_width)
    assert expected_score(np.array([0.5, np.nan]), noise).half_width == pytest.approx(2.776445 * 0.1)
    assert expected_margin(np.array([0.5]), np.array([0.2, 0.4]), noise).mean == pytest.approx(0.2)
