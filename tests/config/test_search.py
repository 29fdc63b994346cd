import dataclasses
import json

import pytest

from nasgem_core.config.search import CellsConfig, SearchConfig, read_config, read_profile
from nasgem_core.errors import ParameterError
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.seeding import derive_seed


def document():
    return json.loads(json.dumps(dataclasses.asdict(SearchConfig())))


def test_defaults_read_back():
    assert read_config(document()) == SearchConfig()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("encoder", "dimension"), "32", r"encoder.dimension = '32': must be of type int"),
        (("encoder", "dimension"), True, r"encoder.dimension = True: must be of type int"),
        (("encoder", "learning_rate"), "1e-3", r"encoder.learning_rate = '1e-3': must be of type float"),
        (("encoder", "batch_size"), 1, r"encoder.batch_size = 1: must lie between 2 and 65536"),
        (("encoder", "speed"), 1, r"encoder.speed is unknown: known are dimension, hidden"),
        (("cells", "operations"), ["conv7x7"], r"cells.operations holds 'conv7x7': known operations are"),
        (("cells", "operations"), [], r"cells.operations = \[\]: must be a list with at least one"),
        (("cells", "operations"), ["conv1x1", "conv1x1"], r"name each operation once"),
        (("benchmark", "tables"), ["mine", "mine"], r"benchmark.tables = .*: name each table once"),
        (("benchmark", "predictors"), ["random", "random"], r"name each predictor once"),
        (("cells", "edge_probability"), [0.1], r"must be a list of 2 values"),
        (("cells", "edge_probability"), [0.5, 0.1], r"first value may not exceed"),
        (("cells", "edge_probability"), [0, 0.1], r"must be above 0"),
        (("cells", "vertices"), 251, r"cells.vertices = 251: must lie between 2 and 250"),
        (("predictor", "target"), "loss", r"predictor.target = 'loss': must be one of score, accuracy"),
        (("proxy", "stages"), [1, "2"], r"proxy.stages\[1\] = '2': must be of type int"),
        (("score", "penalty"), float("nan"), r"score.penalty = nan: must lie between"),
        (("finalists", "rungs"), [2, 4, 4], r"finalists.rungs = \[2, 4, 4\]: epochs must rise"),
        (("finalists", "rungs"), [], r"finalists.rungs = \[\]: must be a list with at least one"),
        (("encoder",), 3, r"encoder must be a mapping"),
        (("seed",), -1, r"seed = -1: must lie between 0"),
    ],
)
def test_wrong_values_are_named(path, value, message):
    params = document()
    place = params
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ParameterError, match=message):
        read_config(params)


def test_missing_values_are_named():
    params = document()
    del params["proxy"]["width"]
    with pytest.raises(ParameterError, match=r"proxy\.width is missing: add its default, `width: 12`"):
        read_config(params)
    del params["coco"]
    with pytest.raises(ParameterError, match=r"proxy\.width is missing"):
        read_config(params)
    params["proxy"]["width"] = 3
    with pytest.raises(ParameterError, match="coco is missing: add the section coco with dataset, train"):
        read_config(params)
    with pytest.raises(ParameterError, match="must be a mapping"):
        read_config(None)


def test_a_profile_changes_the_defaults():
    assert read_profile({}) == SearchConfig()
    config = read_profile({"seed": 3, "encoder": {"hidden": [16]}})
    assert (config.seed, config.encoder.hidden) == (3, (16,))
    assert config.encoder == dataclasses.replace(SearchConfig().encoder, hidden=(16,))
    with pytest.raises(ParameterError, match=r"encoder\.hiden is unknown"):
        read_profile({"encoder": {"hiden": [16]}})
    with pytest.raises(ParameterError, match="encoder must be a mapping"):
        read_profile({"encoder": None})


def test_more_operations_than_are_possible_are_refused_when_parameters_are_read(monkeypatch):
    names = [f"own_{i}" for i in range(25)]
    monkeypatch.setattr(OPERATIONS, "_added", dict.fromkeys(names))
    assert len(CellsConfig(operations=tuple(names[:24])).operations) == 24
    params = document()
    params["cells"]["operations"] = names
    with pytest.raises(ParameterError, match=r"cells\.operations has 25 names: at most 24 are possible; leave out"):
        read_config(params)


def test_an_encoder_that_learns_nothing_is_refused():
    params = document()
    params["encoder"] |= {"similarity_weight": 0, "reconstruction_weight": 0}
    with pytest.raises(ParameterError, match="both 0"):
        read_config(params)


def test_seeds_differ_by_part_and_repeat():
    seeds = {derive_seed(0), derive_seed(1), derive_seed(0, "a"), derive_seed(0, "a", "b"), derive_seed(0, "ab")}
    assert len(seeds) == 5
    assert derive_seed(3, "proxy", "key") == derive_seed(3, "proxy", "key")
    assert all(0 <= seed < 2**63 for seed in seeds)
