"""What the catalogue says of a stage is true of its module, the parameters and the repository."""

import dataclasses
from pathlib import Path

import pytest

from flows.stages.catalogue import SEARCHED, STAGES, require_outside_stages, stage_named
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError, ParameterError

ROOT = Path(__file__).parents[3]
every_stage = pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)


@every_stage
def test_a_stage_comes_after_those_that_it_reads(stage):
    names = list(STAGES)
    assert set(stage.reads) <= set(names[: names.index(stage.name)])
    assert stage.alone or SEARCHED.keys() >= set(stage.reads)


@every_stage
def test_parameters_and_inputs_exist(stage):
    config = SearchConfig()
    for name in stage.parameters:
        value = config
        for part in name.split("."):
            assert part in {field.name for field in dataclasses.fields(value)}
            value = getattr(value, part)
    assert all((ROOT / path).exists() for path in stage.inputs)


@every_stage
def test_its_module_has_what_is_named(stage):
    assert stage.flow().name == stage.name
    for name in (stage.check, stage.share):
        assert name is None or callable(stage.function(name))


def test_an_unknown_stage_is_named():
    assert stage_named("coco").share == "take_part" and stage_named("nasgem_bench").alone
    with pytest.raises(ParameterError, match=r"^unknown stage 'pears': known are pairs, labels, .*nasgem_bench$"):
        stage_named("pears")


@pytest.mark.parametrize("place", ["data/pairs/x.json", "data/../data/raw/x", "data/metrics", "data/nasgem_bench/x"])
def test_folders_of_stages_are_refused(place):
    with pytest.raises(DataError, match=r"is kept for the stages; name another$"):
        require_outside_stages(Path(place), "name another")


def test_other_folders_are_free():
    for place in ("x.json", "data/latency/x.csv", "data/pairs_of_mine", "elsewhere/data/pairs"):
        require_outside_stages(Path(place), "")
