"""Which tables of latency a search at a budget of time can use."""

from dataclasses import replace

import pandas as pd
import pytest

from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.layout import named_layout
from nasgem_core.config.score import ScoreConfig
from nasgem_core.config.search import CellsConfig, SearchConfig
from nasgem_core.errors import DataError, ParameterError
from tasks.stages.latency_table import read_latency, write_latency
from tasks.stages.target_latency import fit_target_latency
from tests.tasks.stages.latency_tables import TRUE, write_table_of

FRAME = Frame(named_layout("tiny", "mobile"), 4, (64, 64))


@pytest.fixture
def config(tmp_path):
    write_table_of(FRAME, tmp_path)
    path = str(tmp_path / "latency.parquet")
    return SearchConfig(score=ScoreConfig(objective="latency", budget="1ms", latency_table=path))


def test_the_times_are_those_of_the_table(config):
    model, error = fit_target_latency(config, FRAME)
    assert model.times == pytest.approx(TRUE.times, rel=0.05, abs=300) and error.relative < 0.01


def test_a_missing_table_is_named_with_the_command_that_makes_it(config, tmp_path):
    missing = replace(config, score=replace(config.score, latency_table=str(tmp_path / "no" / "latency.parquet")))
    with pytest.raises(ParameterError, match=r"is missing: measure .* `nasgem latency --sampled 40 --macs 19M"):
        fit_target_latency(missing, FRAME)


def test_networks_of_another_size_or_none_are_refused(config, tmp_path):
    with pytest.raises(DataError, match="measured with other networks than sections gemnet and proxy"):
        fit_target_latency(config, replace(FRAME, num_classes=5))
    table = read_latency(tmp_path / "latency.parquet")
    write_latency(tmp_path, table.drop(columns="gemnet"))
    with pytest.raises(DataError, match="measured with other networks"):
        fit_target_latency(config, FRAME)


def test_rows_of_two_engines_are_refused(config, tmp_path):
    table = read_latency(tmp_path / "latency.parquet")
    write_latency(tmp_path, pd.concat([table, table.assign(engine="torch")]))
    with pytest.raises(DataError, match="2 different values of engine, which cannot be compared: measure again with"):
        fit_target_latency(config, FRAME)


def test_an_operation_that_no_cell_has_is_named(config):
    other = replace(config, cells=CellsConfig(operations=("conv1x1", "conv3x3")))
    with pytest.raises(DataError, match="has no cell with operation 'conv3x3'"):
        fit_target_latency(other, FRAME)
