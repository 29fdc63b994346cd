"""Which networks the names in the parameters stand for, and what is said of those that cannot be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.layout import IMAGENET, TINY
from nasgem_core.backbones.published.mobile import SCALABLE
from nasgem_core.backbones.skeleton import MOBILE
from nasgem_core.backbones.spec import GEMNetSpec, ScaledSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.known_blocks import MOBILENET_V2_4
from nasgem_core.errors import DataError, ParameterError
from tasks.stages.best_cell import BEST_CELL_FILE, write_best_cell
from tasks.stages.imagenet_networks import check_network_names, met_budgets, planned_networks
from tests.backbones.budgets import named_in
from tests.tasks.classifiers import CELL, SMALL, write_gemnets


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def gemnets(here):
    write_gemnets(here)
    return here


WIDE = np.zeros((9, 9), np.int64)
WIDE[0, 1:] = 1  # eight leaves of at least eight channels


def test_no_network_is_larger_than_the_budget_because_of_another_one(gemnets):
    (gemnets / "wide.json").write_text(Cell(WIDE, ("input", *["dwconv3x3"] * 8)).to_json())
    config = replace(SMALL, networks=("wide.json", "mobilenet_v2"), macs=(18_970_000,))
    with pytest.raises(ParameterError, match=r"^imagenet\.macs = 18\.97M cannot be met: .* have at least ") as refused:
        planned_networks(config, 20)
    macs = named_in(refused.value)
    specs = planned_networks(replace(config, macs=(macs,)), 20)[""]
    assert [spec.name for spec in specs] == ["wide", "mobilenet_v2"]
    for spec in specs:
        assert 0.99 * macs <= count_costs(spec.build(), (64, 64)).macs <= macs


def test_the_cell_is_that_of_the_stage_and_not_of_a_network_beside_its_own(gemnets):
    other = Cell(np.array([[0, 1], [0, 0]]), ("input", "conv1x1"))
    (gemnets / "data" / "gemnet" / "a_mine.json").write_text(
        GEMNetSpec("a_mine", 1000, (224, 224), other, IMAGENET, 32.0).to_json()
    )
    (spec,) = planned_networks(replace(SMALL, networks=("gemnet",), macs=(18_970_000,)), 20)[""]
    assert spec.cell == CELL


def test_gemnet_keeps_the_skeleton_that_it_was_built_with(gemnets):
    layout = replace(IMAGENET, skeleton=MOBILE)
    built = GEMNetSpec("gemnet_a", 1000, (224, 224), CELL, layout, 32.0)
    (gemnets / "data" / "gemnet" / "gemnet_a.json").write_text(built.to_json())
    (spec,) = planned_networks(replace(SMALL, networks=("gemnet",), macs=(18_970_000,)), 20)[""]
    assert spec.layout == replace(TINY, skeleton=MOBILE)
    assert count_costs(spec.build(), (64, 64)).macs == pytest.approx(18_970_000, rel=0.01)


def test_without_a_budget_gemnet_is_trained_as_it_was_built(gemnets):
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2_1_4"), macs=(0,), image_size=128)
    specs = planned_networks(config, 7)[""]
    assert [spec.name for spec in specs] == ["gemnet_a", "gemnet_b", "mobilenet_v2_1_4"]
    assert {(spec.num_classes, spec.image_size) for spec in specs} == {(7, (128, 128))}
    assert specs[0].layout == IMAGENET and specs[1].width == 40.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"networks": ("gemnet",)}, "data/gemnet holds no network: run `nasgem stage gemnet`"),
        (
            {"networks": ("alexnet",)},
            "imagenet.networks names 'alexnet': it is unknown; choose among gemnet, mobile",
        ),
        ({"macs": (22_000,)}, r"^imagenet\.macs = 22k cannot be met by mobilenet_v2: its networks have at least"),
        (
            {"macs": (0,)},
            r"^imagenet\.macs = 0 sizes networks as the GEMNet in data/gemnet, which holds none: run `nasgem",
        ),
    ],
)
def test_networks_that_cannot_be_are_named(here, changes, message):
    with pytest.raises((DataError, ParameterError), match=message):
        planned_networks(replace(SMALL, **changes), 20)


def test_a_foreign_file_among_the_networks_is_named(gemnets):
    (gemnets / "data" / "gemnet" / "gemnet_c.json").write_text("{}")
    with pytest.raises(DataError, match=r"data/gemnet/gemnet_c\.json: not a network"):
        planned_networks(replace(SMALL, networks=("gemnet",)), 20)


def test_a_network_that_would_be_trained_twice_is_named(gemnets):
    path = gemnets / "data" / "gemnet" / "gemnet_b.json"
    path.write_text((path.parent / "gemnet_a.json").read_text())
    with pytest.raises(ParameterError, match="gemnet_a would be trained twice"):
        planned_networks(replace(SMALL, networks=("gemnet",), macs=(0,)), 20)


def test_gemnet_and_its_rivals_have_equal_costs(gemnets):
    rivals = (*SCALABLE, "block_mobilenet_v2_4")
    specs = planned_networks(replace(SMALL, networks=("gemnet", *rivals), macs=(18_970_000,)), 20)[""]
    assert [spec.name for spec in specs] == ["gemnet", *rivals]
    assert specs[0].cell == CELL and specs[0].layout == specs[-1].layout == TINY
    assert specs[-1].cell == MOBILENET_V2_4.cell
    networks = [spec.build() for spec in specs]
    costs = [count_costs(network, (64, 64)).macs for network in networks]
    assert costs == pytest.approx([18_970_000] * len(costs), rel=0.01)
    assert {network.classifier.out_features for network in networks} == {20}
    assert {network.feature_info[-1].stride for network in networks} == {16}


def test_files_of_cells_and_networks_are_networks_too(gemnets):
    other = Cell(np.array([[0, 1], [0, 0]]), ("input", "dwconv3x3"))
    (gemnets / "mine.json").write_text(other.to_json())
    write_best_cell(other)
    (gemnets / "built.json").write_text(GEMNetSpec("gemnet_x", 5, (224, 224), other, IMAGENET, 32.0).to_json())
    (gemnets / "scaled.json").write_text(ScaledSpec("x", 5, (64, 64), "efficientnet_b0", 0.3, 16).to_json())
    networks = ("mine.json", str(BEST_CELL_FILE), "built.json", "scaled.json")
    specs = planned_networks(replace(SMALL, networks=networks, macs=(18_970_000,)), 20)[""]
    assert [spec.name for spec in specs] == ["mine", "best_cell", "built", "scaled"]
    assert {(spec.cell, spec.layout, spec.channels) for spec in specs[:3]} == {(other, TINY, specs[0].channels)}
    assert (specs[3].width, specs[3].num_classes) == (0.3, 20)
    built, scaled = planned_networks(replace(SMALL, networks=networks[2:], macs=(0,)), 20)[""]
    assert (built.layout, built.width, built.num_classes) == (IMAGENET, 32.0, 20) and scaled == specs[3]


@pytest.mark.parametrize("name", ["mine.json", "block_regnet", "efficientnet_b0"])
def test_without_a_budget_rivals_are_sized_as_gemnet_was_built(gemnets, name):
    (gemnets / "mine.json").write_text(CELL.to_json())
    config = replace(SMALL, networks=("gemnet", name), macs=(0,), image_size=64)
    built, other, rival = planned_networks(config, 20)[""]
    assert (built.name, other.name, rival.name) == ("gemnet_a", "gemnet_b", Path(name).stem)
    wanted = count_costs(built.build(), (64, 64)).macs
    assert met_budgets(config, 20) == [wanted]
    assert count_costs(rival.build(), (64, 64)).macs == pytest.approx(wanted, rel=0.01)


def test_each_network_is_sized_to_each_budget_and_those_of_the_first_do_not_change(gemnets):
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2", "darts"), macs=(18_970_000,))
    both = planned_networks(replace(config, macs=(18_970_000, 30_000_000)), 20)
    assert list(both) == ["", "30M"] and both[""] == planned_networks(config, 20)[""]
    assert [spec.name for spec in both["30M"]] == ["gemnet", "mobilenet_v2"], "darts is as it is, and trained once"
    costs = [count_costs(spec.build(), (64, 64)).macs for spec in both["30M"]]
    assert costs == pytest.approx([30_000_000] * 2, rel=0.01)


@pytest.mark.parametrize(
    ("text", "fault"),
    [(None, "No such file"), ("{", "Expecting property name"), ("{}", "not a cell"), ('{"kind": 1}', "not a network")],
)
def test_a_file_without_a_cell_or_a_network_is_named(here, text, fault):
    if text is not None:
        (here / "mine.json").write_text(text)
    with pytest.raises(
        DataError, match=rf"imagenet\.networks names mine\.json: .*{fault}.*; give a JSON file of a cell"
    ):
        check_network_names(replace(SMALL, networks=("mine.json",)))
