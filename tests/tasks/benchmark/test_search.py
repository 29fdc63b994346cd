import numpy as np
import pytest

from nasgem_core.benchmarks.catalogue import BENCHMARKS
from nasgem_core.benchmarks.table import write_table
from nasgem_core.errors import DataError
from tasks.benchmark import search as module
from tasks.benchmark.search import EVOLUTION, OURS, PAPER, RANDOM, is_searched, search_table
from tasks.benchmark.tables import table_path
from tasks.benchmark.trial import trial_of
from tests.benchmarks.small101 import small_nasbench101
from tests.benchmarks.synthetic import synthetic_table

BUDGET = 30


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_table(small_nasbench101(), table_path("nasbench101"))
    module._edits.cache_clear()


@pytest.mark.parametrize("name", [RANDOM, EVOLUTION, PAPER, pytest.param(OURS, marks=pytest.mark.slow)])
def test_every_search_spends_its_budget_and_repeats(name):
    # Boosted trees in place of the paper's predictor, which takes long to pre-train.
    trial = trial_of("nasbench101", "boosted_trees")
    found = search_table.fn(name, trial, {}, BUDGET, 1)
    truth = small_nasbench101().metrics["test_acc_mean3"].astype(float)
    assert len(found["regret"]) == BUDGET and len(set(found["rows"].tolist())) == len(found["rows"])
    assert found["regret"][-1] == pytest.approx(truth.max() - found["picked_accuracy"])
    assert np.array_equal(search_table.fn(name, trial, {}, BUDGET, 1)["rows"], found["rows"])


def test_tables_whose_cells_can_be_edited_are_searched():
    assert [name for name in (*BENCHMARKS.names(), "mine") if is_searched(name)] == ["nasbench101"]
    write_table(synthetic_table(60, name="mine"), table_path("mine"))
    with pytest.raises(DataError, match="table 'mine': it is not known how its cells can be edited"):
        search_table.fn(EVOLUTION, trial_of("mine", "random"), {}, BUDGET, 1)
