import json
from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.backbones.layout import TINY
from nasgem_core.backbones.skeleton import MOBILE
from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.config.transfer import GemnetConfig
from nasgem_core.errors import ParameterError
from tasks.stages.gemnet import (
    COSTS_FILE,
    COSTS_SCHEMA,
    FOLDER,
    METRICS_FILE,
    PICTURE_FILE,
    build_gemnets,
    costs_of_parts,
    feature_list,
    write_gemnets,
)
from tasks.store.artifacts import read_table

CELL = Cell(np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]]), ("input", "conv1x1", "dwconv3x3"))


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_one_network_a_budget():
    specs = build_gemnets(CELL, GemnetConfig(macs=(463_000_000, 200_000_000), classes=10, image_size=192))
    assert [spec.name for spec in specs] == ["gemnet_a", "gemnet_b"]
    for spec, budget in zip(specs, (463e6, 200e6), strict=True):
        assert abs(costs_of_parts(spec)["macs"].sum() - budget) <= 0.01 * budget
        assert (spec.num_classes, spec.image_size) == (10, (192, 192))


def test_parts_have_the_shapes_of_the_built_network():
    (spec,) = build_gemnets(CELL, GemnetConfig(macs=(50_000_000,), layout="tiny", image_size=64, classes=10))
    parts = costs_of_parts(spec).set_index("part")
    assert parts["params"].sum() == sum(parameter.numel() for parameter in spec.build().parameters())
    assert list(parts["height"]) == [32, 32, 32, 16, 8, 4, 4, 1]
    maps = ("stage 2", "stage 3", "stage 4", "head")
    assert feature_list(spec) == [(parts.loc[m, "channels"], 64 // parts.loc[m, "height"]) for m in maps]
    assert parts.loc["stage 5", "channels"] == 2 * parts.loc["stage 5", "vertex_channels"] == 2 * spec.channels[-1]


def test_the_skeleton_is_the_one_of_the_parameters():
    shape = {"macs": (20_000_000,), "layout": "tiny", "image_size": 64, "classes": 20}
    (paper,) = build_gemnets(CELL, GemnetConfig(**shape, skeleton="paper"))
    (mobile,) = build_gemnets(CELL, GemnetConfig(**shape))
    assert paper.layout == TINY
    assert mobile.layout == replace(TINY, skeleton=MOBILE)
    block = {"nonlinearity": "hard_swish", "squeeze": 0.25, "dropout": 0.2, "stochastic_depth": 0.1}
    (squeezed,) = build_gemnets(CELL, GemnetConfig(**shape, **block))
    assert squeezed.layout == replace(TINY, skeleton=replace(MOBILE, **block))
    assert costs_of_parts(squeezed)["macs"].sum() == pytest.approx(20_000_000, rel=0.01)
    with pytest.raises(ParameterError, match=r"section gemnet of params.yaml: skeleton = 'paper' is"):
        build_gemnets(CELL, GemnetConfig(**shape, skeleton="paper", squeeze=0.25))
    assert costs_of_parts(mobile)["params"].sum() == sum(p.numel() for p in mobile.build().parameters())


def test_files_say_what_rebuilds_the_networks_and_old_ones_go():
    specs = build_gemnets(CELL, GemnetConfig(macs=(463_000_000, 563_000_000)))
    metrics = write_gemnets(specs, b"picture")
    assert [NetworkSpec.from_json(path.read_text()) for path in sorted(FOLDER.glob("*.json"))] == specs
    assert PICTURE_FILE.read_bytes() == b"picture"
    written = json.loads(METRICS_FILE.read_text())
    assert written["gemnet_b"] == metrics["gemnet_b"]
    costs = read_table(COSTS_FILE, COSTS_SCHEMA).groupby("network")[["macs", "params"]].sum()
    assert costs.loc["gemnet_a"].to_dict() == {name: metrics["gemnet_a"][name] for name in ("macs", "params")}
    write_gemnets(specs[:1], b"picture")
    assert [path.name for path in FOLDER.glob("*.json")] == ["gemnet_a.json"]


def test_files_that_the_stage_did_not_write_stay_and_are_named(capsys):
    specs = build_gemnets(CELL, GemnetConfig(macs=(463_000_000, 563_000_000)))
    FOLDER.mkdir(parents=True)
    for name in ("mine.json", "gemnet_c.json"):
        (FOLDER / name).write_text(specs[0].to_json())
    for written in (specs, specs[:1]):
        write_gemnets(written, b"picture")
        lines = capsys.readouterr().err.splitlines()
        assert [line.split()[0] for line in lines] == ["data/gemnet/gemnet_c.json", "data/gemnet/mine.json"]
        assert all("stays: move it elsewhere, or stage imagenet trains it" in line for line in lines)
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == ["gemnet_a", "gemnet_c", "mine"]


def test_without_a_table_of_its_own_the_stage_takes_nothing_away(capsys):
    specs = build_gemnets(CELL, GemnetConfig(macs=(463_000_000, 563_000_000)))
    write_gemnets(specs, b"picture")
    COSTS_FILE.write_bytes(b"spoilt")
    write_gemnets(specs[:1], b"picture")
    assert (FOLDER / "gemnet_b.json").is_file() and "gemnet_b.json" in capsys.readouterr().err


def test_a_budget_out_of_reach_names_the_section():
    with pytest.raises(ParameterError, match=r"section gemnet of params.yaml: macs = 1 cannot be met"):
        build_gemnets(CELL, GemnetConfig(macs=(1,)))


@pytest.mark.parametrize("macs", [(5, 5), tuple(range(1, 28))])
def test_budgets_that_cannot_be_named(macs):
    with pytest.raises(ParameterError, match=r"gemnet\.macs"):
        GemnetConfig(macs=macs)
