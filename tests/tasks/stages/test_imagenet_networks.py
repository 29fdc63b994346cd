"""Which networks the names in the parameters stand for, and what is said of those that cannot be."""

from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.layout import IMAGENET, TINY
from nasgem_core.backbones.skeleton import MOBILE
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import DataError, ParameterError
from tasks.stages.imagenet_networks import met_budget, planned_networks
from tests.tasks.classifiers import CELL, SMALL, write_gemnets


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def gemnets(here):
    write_gemnets(here)
    return here


def test_both_networks_take_a_size_that_both_can_have(gemnets):
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2"), macs=19_500_000)
    macs = met_budget(config, 20)
    assert macs > 19_500_000 * 1.01
    costs = [count_costs(spec.build(), (64, 64)).macs for spec in planned_networks(config, 20)]
    assert costs == pytest.approx([macs, macs], rel=0.01)
    assert met_budget(replace(config, macs=18_970_000), 20) == 18_970_000
    assert met_budget(replace(config, networks=("gemnet",)), 20) == 19_500_000


def test_the_cell_is_that_of_the_stage_and_not_of_a_network_beside_its_own(gemnets):
    other = Cell(np.array([[0, 1], [0, 0]]), ("input", "conv1x1"))
    (gemnets / "data" / "gemnet" / "a_mine.json").write_text(
        GEMNetSpec("a_mine", 1000, (224, 224), other, IMAGENET, 32.0).to_json()
    )
    (spec,) = planned_networks(replace(SMALL, networks=("gemnet",), macs=18_970_000), 20)
    assert spec.cell == CELL


def test_gemnet_keeps_the_skeleton_that_it_was_built_with(gemnets):
    layout = replace(IMAGENET, skeleton=MOBILE)
    built = GEMNetSpec("gemnet_a", 1000, (224, 224), CELL, layout, 32.0)
    (gemnets / "data" / "gemnet" / "gemnet_a.json").write_text(built.to_json())
    (spec,) = planned_networks(replace(SMALL, networks=("gemnet",), macs=18_970_000), 20)
    assert spec.layout == replace(TINY, skeleton=MOBILE)
    assert count_costs(spec.build(), (64, 64)).macs == pytest.approx(18_970_000, rel=0.01)


def test_without_a_budget_gemnet_is_trained_as_it_was_built(gemnets):
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2_1_4"), macs=0, image_size=128)
    specs = planned_networks(config, 7)
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
        ({"macs": 22_000_000}, r"^imagenet\.macs = 22M cannot be met by a MobileNetV2 within 1 %"),
        ({"macs": 0}, r"^imagenet\.macs = 0, and networks names mobilenet_v2, which is sized to it: set it"),
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
        planned_networks(replace(SMALL, networks=("gemnet",), macs=0), 20)


def test_gemnet_and_its_rival_have_equal_costs(gemnets):
    config = replace(SMALL, networks=("gemnet", "mobilenet_v2"), macs=18_970_000)
    specs = planned_networks(config, 20)
    assert [spec.name for spec in specs] == ["gemnet", "mobilenet_v2"]
    assert specs[0].cell == CELL and specs[0].layout == TINY
    costs = [count_costs(spec.build(), (64, 64)).macs for spec in specs]
    assert costs == pytest.approx([config.macs] * 2, rel=0.01)
    assert [spec.build().classifier.out_features for spec in specs] == [20, 20]
