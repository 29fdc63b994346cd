import pytest

from nasgem_core.config.score import ScoreConfig
from nasgem_core.errors import ParameterError


def test_the_paper_s_score_has_no_budget():
    assert ScoreConfig().limit is None


@pytest.mark.parametrize(
    ("objective", "text", "limit"),
    [("macs", "20M", 20_000_000), ("params", "450k", 450_000), ("latency", "1.5ms", 1_500_000)],
)
def test_a_budget_is_a_number_of_what_the_objective_counts(objective, text, limit):
    assert ScoreConfig(objective=objective, budget=text).limit == limit


@pytest.mark.parametrize("objective", ["memory"])
def test_other_objectives_have_no_budget(objective):
    message = rf"with score.objective = '{objective}': a budget can limit macs, params or latency; set"
    with pytest.raises(ParameterError, match=message):
        ScoreConfig(objective=objective, budget="3")


@pytest.mark.parametrize("text", ["3.5ms", "0", "-1M", "much", "0.2"])
def test_what_is_not_a_number_is_refused(text):
    with pytest.raises(ParameterError, match=f"score.budget = '{text}': must be empty, or a number of macs such as"):
        ScoreConfig(budget=text)


@pytest.mark.parametrize("text", ["20M", "2", "0ms"])
def test_a_budget_of_latency_is_a_time(text):
    with pytest.raises(ParameterError, match=f"score.budget = '{text}': must be empty, or a time such as 2ms or 800us"):
        ScoreConfig(objective="latency", budget=text)
