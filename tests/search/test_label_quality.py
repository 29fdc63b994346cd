import numpy as np
import pytest

from nasgem_core.search.label_quality import LabelQuality

RANDOM = np.random.default_rng(0)
ACCURACIES = np.linspace(0.5, 0.8, 30)


def quality(predicted, measured, accuracies=ACCURACIES, images=10_000, picked=(0.6, 0.7), random=(0.6, 0.7)):
    picks = {"picked": np.array(picked), "random": np.array(random)}
    return LabelQuality.of(predicted, measured, accuracies=accuracies, images=images, **picks)


def test_good_labels_need_no_warning():
    predicted = ACCURACIES[:20] + RANDOM.normal(0, 0.01, 20)
    found = quality(predicted, ACCURACIES[:20])
    assert found.ranks and found.tells_apart and found.warnings() == []
    assert found.sampling_error == pytest.approx(0.0048, abs=2e-4)
    assert found.metrics()["ranking_low"] > 0 and found.metrics()["labels_rank"]


def test_predictions_that_do_not_rank_are_reported_with_their_interval():
    found = quality(RANDOM.normal(size=12), ACCURACIES[:12])
    (line,) = found.warnings()
    assert line.startswith("too few labels to rank cells: Kendall's tau of 12 predictions") and "(95 %: -" in line


def test_picks_that_are_better_than_random_cells_need_no_ranks_among_them():
    predicted, measured = np.arange(12.0), np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 2]) / 1e4 + 0.7
    assert not quality(predicted, measured).ranks
    found = quality(predicted, measured, picked=measured, random=ACCURACIES[:12])
    assert found.ranks and not found.warnings() and found.metrics()["picks_gain"] > 0.1
    assert not quality(predicted, measured, picked=ACCURACIES[:12], random=measured).ranks


def test_too_few_validation_images_are_reported():
    close = 0.6 + RANDOM.normal(0, 0.03, 30)
    found = quality(close[:20], close[:20], close, 120)
    (line,) = found.warnings()
    assert line.startswith("too few validation images: the accuracies of the cells differ by")
    assert not found.metrics()["labels_tell_apart"]
    equal = np.full(30, 1 / 3)
    (line, *_) = quality(close[:20], close[:20], equal, 120).warnings()
    assert "the accuracies of the cells are equal, and chance alone moves each by 4.3 points" in line


def test_without_predictions_nothing_is_said_of_them():
    found = quality(np.empty(0), np.empty(0), picked=())
    assert found.warnings() == [] and found.metrics()["ranking_tau"] is None
