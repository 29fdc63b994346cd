import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor

from nasgem_core.errors import ParameterError
from nasgem_core.predictors.forest import Forest

RNG = np.random.default_rng(0)
# Few distinct values, so that splits fall on them often.
FEATURES = np.round(RNG.normal(size=(900, 12)), 1).astype(np.float32)
LABELS = FEATURES[:, 0] * FEATURES[:, 1] + FEATURES[:, 2]


def models(leaves: int, count: int = 2) -> list[GradientBoostingRegressor]:
    return [
        GradientBoostingRegressor(
            n_estimators=40, max_depth=None, max_leaf_nodes=leaves, subsample=0.7, random_state=i
        ).fit(FEATURES[:200], LABELS[:200])
        for i in range(count)
    ]


@pytest.mark.parametrize("leaves", [2, 8, 16])
def test_scores_are_the_mean_of_those_of_scikit_learn(leaves):
    fitted, rows = models(leaves), RNG.permutation(900)
    expected = np.mean([model.predict(FEATURES[rows]) for model in fitted], axis=0)
    np.testing.assert_allclose(Forest(fitted).predict(FEATURES, rows), expected, atol=1e-12)


def test_limits_are_rounded_to_what_a_number_of_32_bits_can_tell_apart():
    # A limit half way between two neighbours rounds up to the larger one, which is above it all the same.
    low, high = np.float32(0.3), np.nextafter(np.float32(0.3), np.float32(1))
    model = GradientBoostingRegressor(n_estimators=1, max_leaf_nodes=2).fit([[0.0], [1.0]] * 20, [0.0, 1.0] * 20)
    tree = model.estimators_[0, 0].tree_
    for limit in ((float(low) + float(high)) / 2, float(low), float(high)):
        tree.threshold[0] = limit
        features = np.array([[low], [high]])
        found = Forest([model]).predict(features, np.arange(2))
        np.testing.assert_allclose(found, model.predict(features), atol=1e-12)


def test_trees_without_a_split_are_constants():
    model = GradientBoostingRegressor(n_estimators=5).fit(FEATURES[:20], np.full(20, 0.25))
    assert Forest([model]).predict(FEATURES, np.arange(3)).tolist() == pytest.approx([0.25] * 3)


def test_trees_with_more_leaves_are_refused():
    with pytest.raises(ParameterError, match="a tree has 17 leaves: at most 16 can be scored"):
        Forest(models(17, 1))
