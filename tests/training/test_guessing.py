import numpy as np
import pytest

from nasgem_core.training.guessing import Guessing

TRAIN = np.repeat([0, 1, 2], [60, 30, 10])


def test_guessing_knows_the_frequencies_of_the_training_images():
    found = Guessing.of(TRAIN, np.repeat([0, 1, 2], [6, 3, 1]), 3)
    entropy = -sum(share * np.log(share) for share in (0.6, 0.3, 0.1))
    assert found.top1 == 0.6 and found.loss == pytest.approx(entropy, rel=0.01)
    even = Guessing.of(np.repeat(np.arange(20), 500), np.arange(20), 20)
    assert even.top1 == 0.05 and even.loss == pytest.approx(np.log(20))


def test_a_class_without_training_images_has_a_finite_loss():
    assert np.isfinite(Guessing.of(np.zeros(5, int), np.ones(5, int), 2).loss)


@pytest.mark.parametrize(
    ("top1", "loss", "better"), [(0.7, 0.5, True), (0.6, 0.5, False), (0.7, 0.95, False), (0.5, 2.0, False)]
)
def test_a_training_has_to_be_better_in_both(top1, loss, better):
    guessing = Guessing(0.6, 0.9)
    metrics = {"top1": top1, "validation_loss": loss}
    assert guessing.beaten_by(metrics) is better
    words = guessing.words(metrics)
    assert words.startswith("no better than guessing: validation loss ")
    assert words.endswith(f"top-1 {100 * top1:.1f} % (guessing: 60.0 %)")
