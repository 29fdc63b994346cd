"""Networks for a comparison: their names, their sizes, and what is refused."""

import numpy as np
import pytest

from nasgem_core.backbones.counting import count_costs
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError
from tasks.stages.contenders import contenders, within_latency
from tasks.stages.imagenet_networks import planned_networks
from tests.tasks.classifiers import CELL, SMALL, write_gemnets

OTHER = Cell(np.array([[0, 1], [0, 0]]), ("input", "dwconv3x3"))
CONFIG = SearchConfig(imagenet=SMALL)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_networks_keep_to_the_multiply_adds(here):
    fits = contenders({"aaaa": CELL, "bbbb": OTHER}, ["mobilenet_v2"], CONFIG, 3)
    assert list(fits) == ["aaaa", "bbbb", "mobilenet_v2"]
    for name, fit in fits.items():
        spec = fit(8_310_000)
        assert spec.name == name and 0.99 * 8.31e6 <= count_costs(spec.build(), (64, 64)).macs <= 8.31e6
    assert planned_networks(SMALL, 3)[""] == [fits["mobilenet_v2"](8_310_000)], "so stage imagenet has trained it"


def test_the_cell_that_was_built_has_the_name_that_stage_imagenet_gives_it(here):
    write_gemnets(here)
    assert list(contenders({"aaaa": OTHER, "bbbb": CELL}, [], CONFIG, 3)) == ["aaaa", "gemnet"]


def test_unknown_and_repeated_names_are_refused():
    with pytest.raises(ParameterError, match="'alexnet' is unknown; choose among mobilenet_v2"):
        contenders({}, ["alexnet"], CONFIG, 3)
    with pytest.raises(ParameterError, match="mobilenet_v2 would be trained twice"):
        contenders({}, ["mobilenet_v2", "mobilenet_v2"], CONFIG, 3)
    with pytest.raises(ParameterError, match=r"have at least .*\(cell aaaa\)"):
        contenders({"aaaa": CELL}, [], CONFIG, 3)["aaaa"](1000)


@pytest.mark.parametrize("nanoseconds", [300_000, 2_000_000, 9_000_000])
def test_a_latency_is_met_from_below(nanoseconds):
    def taken(macs):
        return 100_000 + 0.05 * macs

    macs = within_latency(lambda macs: macs, nanoseconds, taken)
    assert 0.9 * nanoseconds <= taken(macs) <= nanoseconds


def test_a_latency_that_no_network_meets_is_refused():
    with pytest.raises(ParameterError, match=r"latency = 0\.05 ms: the networks that were tried take longer"):
        within_latency(lambda macs: macs, 50_000, lambda macs: 100_000 + 0.05 * macs)
