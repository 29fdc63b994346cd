import numpy as np

from flows.stages import train_cells as module
from flows.stages.train_cells import Settings, Source, train_cells
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.search.objective import objective_class
from tasks.stages.networks import proxy_networks
from tests.flows.in_process import made_up_result


def test_results_come_in_any_order_and_stay_with_their_cells(small_search):
    cells = sample_distinct_cells(small_search.config.cells, 5, 9)
    predicted = np.linspace(0, 1, 5)
    trained = train_cells(small_search.session, cells, Source("estimator", "random", 3), predicted)
    assert list(trained.key) == cells.keys and set(trained.round) == {3} and set(trained.origin) == {"random"}
    expected = [made_up_result(cell)["accuracy"] for cell in cells]
    np.testing.assert_array_equal(trained.accuracy, expected)
    assert trained.predicted.tolist() == predicted.tolist()
    assert all(cell == cell.canonical_form() for cell in trained.cells)


def test_cells_can_have_names_of_their_own(small_search):
    cells = sample_distinct_cells(small_search.config.cells, 2, 12)
    trained = train_cells(small_search.session, cells, Source("estimator", "known", names=("one", "other")))
    assert trained.origin.tolist() == ["known: one", "known: other"]


def test_each_result_is_logged_under_its_stage(small_search):
    cells = sample_distinct_cells(small_search.config.cells, 3, 10)
    tracking = small_search.session.records._tracking
    train_cells(small_search.session, cells, Source("nasgem_bench", "run 9"))
    logged = [record for record in tracking.records if record.kind == "cell"]
    assert {record.params["key"] for record in logged} == set(cells.keys)
    assert all("nasgem_bench-run_9-" in record.key for record in logged)


def test_other_settings_have_networks_and_scores_of_their_own(small_search):
    session, cells = small_search.session, sample_distinct_cells(small_search.config.cells, 3, 11)
    networks = proxy_networks(small_search.config.nasgem_bench.training(small_search.config.proxy), session.images)
    objective = objective_class("macs").open("macs", networks, 0.5)
    settings = Settings(objective, small_search.config.proxy, 7)
    trained = train_cells(session, cells, Source("nasgem_bench", "run 0"), settings=settings)
    assert np.array_equal(trained.macs, networks.complexity(cells).macs) and trained.columns == {}
    usable = trained.usable
    np.testing.assert_allclose(usable.score, usable.accuracy - 0.5 * np.log10(usable.macs / 1e6))


def test_trainings_that_were_slower_than_they_should_be_are_counted(small_search, monkeypatch):
    def run(_engine, _task, inputs, on_result, **_):
        for place, given in enumerate(inputs):
            note = "without a CUDA graph: not permitted" if place else ""
            on_result(place, {**made_up_result(given["cell"]), "note": note})

    said = []
    monkeypatch.setattr(module, "run_side_by_side", run)
    monkeypatch.setattr(module, "say", said.append)
    cells = sample_distinct_cells(small_search.config.cells, 3, 13)
    train_cells(small_search.session, cells, Source("estimator", "random"))
    assert said == ["  2 of 3 were trained without a CUDA graph: not permitted"]
