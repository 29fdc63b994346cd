import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.backbones import channels
from nasgem_core.backbones.channels import Budget, fit_channels, smallest_cost
from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.layout import IMAGENET, named_layout
from nasgem_core.errors import ParameterError
from tests.backbones.cells import INVERTED_RESIDUAL, sampled_cells

CELLS = sampled_cells(400)
SMALL = Frame(named_layout("tiny", "mobile"), 10, (64, 64))


@given(index=st.integers(0, 399), cost=st.sampled_from(["macs", "params"]), factor=st.floats(1.05, 20.0))
def test_no_budget_is_exceeded_and_what_is_left_is_less_than_a_channel_multiple(index, cost, factor):
    cell = CELLS[index]
    budget = Budget(round(factor * smallest_cost(cell, SMALL, Budget(0, cost))), cost)
    width, found = fit_channels(cell, SMALL, budget)
    costs = getattr(gemnet_costs(cell, SMALL.layout, found, 10, (64, 64)), cost)
    assert costs <= budget.amount and budget.met_by(costs) == (costs >= 0.99 * budget.amount)
    if not budget.met_by(costs):
        for stage in range(len(found)):
            wider = [value + 4 * (place == stage) for place, value in enumerate(found)]
            assert not budget.met_by(getattr(gemnet_costs(cell, SMALL.layout, wider, 10, (64, 64)), cost))
    assert width > 0 and len(found) == 6 and all(value % 4 == 0 for value in found)


def test_the_smallest_network_has_the_smallest_channels():
    for cost in ("macs", "params"):
        least = getattr(gemnet_costs(INVERTED_RESIDUAL, SMALL.layout, (4,) * 6, 10, (64, 64)), cost)
        assert smallest_cost(INVERTED_RESIDUAL, SMALL, Budget(0, cost)) == least
        with pytest.raises(ParameterError, match=f"{cost} = .* cannot be met: .* layout 'tiny'"):
            fit_channels(INVERTED_RESIDUAL, SMALL, Budget(int(least) // 2, cost))


def test_budgets_have_words():
    assert (Budget(20_000_000).words, Budget(450_000, "params").words) == ("20M MACs", "450k params")


def test_solving_costs_a_few_thousand_networks_at_once(monkeypatch):
    # This takes milliseconds: a clock would measure the machine as well.
    costed = []

    def counting(*arguments):
        costs = gemnet_costs(*arguments)
        costed.append(np.size(costs.macs))
        return costs

    monkeypatch.setattr(channels, "gemnet_costs", counting)
    for cell in CELLS[:20]:
        fit_channels(cell, Frame(IMAGENET, 1000, (224, 224)), Budget(563_000_000))
    assert 40 <= len(costed) <= 3 * 20
    assert max(costed) < 5_000
