import numpy as np
import pytest

from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.known_blocks import known_blocks
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.documents import read_fields
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import ParameterError
from nasgem_core.search.target_networks import TargetNetworks
from tests.search.target_networks import SHORT, target_networks

BLOCKS = CellBatch.from_cells([block.cell for block in known_blocks(CellsConfig())])
RANDOM = sample_distinct_cells(CellsConfig(), 12, 0)


def macs_of(cell, frame, channels):
    return int(gemnet_costs(cell, frame.layout, channels, frame.num_classes, frame.image_size).macs)


@pytest.mark.parametrize(("amount", "cost"), [(20_000_000, "macs"), (500_000, "params")])
def test_wanted_networks_have_the_budget_and_small_ones_a_share_of_the_macs(amount, cost):
    networks = target_networks(amount, cost, small=SHORT)
    costs = networks.complexity(BLOCKS)
    assert (np.abs(getattr(costs, cost) - amount) <= 0.01 * amount).all()
    for cell, macs in zip(BLOCKS, costs.macs, strict=True):
        assert macs == macs_of(cell, networks.target, networks.channels(cell))
        small = macs_of(cell, networks.small, networks.small_channels(cell))
        assert small == pytest.approx(0.125 * macs, rel=0.0201)


def test_obstacles_say_which_network_there_is_not():
    networks = target_networks()
    assert not any(map(networks.obstacle, BLOCKS))
    tight = target_networks(3_000_000)
    assert {networks.obstacle(cell) for cell in RANDOM} | {tight.obstacle(cell) for cell in RANDOM} == {
        "",
        "no network of 3M MACs",
        "the small network that judges a cell needs more than 0.125 of the MACs",
    }
    impossible = next(cell for cell in RANDOM if tight.obstacle(cell).startswith("no network"))
    with pytest.raises(ParameterError, match="macs = 3M cannot be met"):
        tight.complexity(CellBatch.from_cells([impossible]))


@pytest.mark.parametrize(("amount", "cost"), [(2_000_000, "macs"), (20_000, "params")])
def test_the_nearest_budget_is_met(amount, cost):
    networks = target_networks(amount, cost, small=SHORT)
    nearest = networks.nearest_budget(list(RANDOM), 5)
    assert sum(not networks.obstacle(cell) for cell in RANDOM) < 5
    assert amount < nearest < 20 * amount
    assert sum(not target_networks(nearest, cost, small=SHORT).obstacle(cell) for cell in RANDOM) >= 5


def test_a_budget_above_all_networks_has_no_larger_one_that_helps():
    assert target_networks(10**15).nearest_budget(list(BLOCKS), 1) is None


def test_plain_values_give_them_back():
    networks = target_networks(small=SHORT)
    assert read_fields(TargetNetworks, networks.to_dict()) == networks
