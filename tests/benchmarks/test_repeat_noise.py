import numpy as np
import pytest
from scipy import stats

from nasgem_core.benchmarks.repeat_noise import noise_share, tau_ceiling


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0, 3.0])
def test_the_ceiling_is_the_closed_form_of_normal_values(noise):
    # tau = 2/pi asin(rho), and rho between true and observed is the root of the share that is not noise.
    generator = np.random.default_rng(1)
    observed = generator.normal(size=2000) + noise * generator.normal(size=2000)
    share = noise**2 / (1 + noise**2)
    assert noise_share(observed, noise) == pytest.approx(share, abs=0.05)
    expected = 2 / np.pi * np.arcsin(np.sqrt(1 - share))
    assert tau_ceiling(observed, noise, 0) == pytest.approx(expected, abs=0.02)


def test_the_ceiling_is_what_the_true_means_reach():
    generator = np.random.default_rng(2)
    true = generator.beta(8, 2, size=3000)
    observed = true + 0.05 * generator.normal(size=3000)
    reached = stats.kendalltau(true, observed).statistic
    assert tau_ceiling(observed, 0.05, 0) == pytest.approx(reached, abs=0.02)


def test_nothing_is_ranked_where_all_is_noise():
    observed = np.array([0.5, 0.51, 0.49])
    assert noise_share(observed, 1.0) == 1 and tau_ceiling(observed, 1.0, 0) == 0
    assert noise_share(np.full(3, 0.5), 0.1) == 1


def test_equal_seeds_give_equal_ceilings():
    observed = np.random.default_rng(3).normal(size=100)
    assert tau_ceiling(observed, 0.5, 1) == tau_ceiling(observed, 0.5, 1) != tau_ceiling(observed, 0.5, 2)
