import pytest
import torch

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.published.mobile import SCALABLE
from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.backbones.spec import NetworkSpec, ScaledSpec
from nasgem_core.errors import DataError, ParameterError
from tests.backbones.budgets import named_in

PUBLISHED = {
    "mobilenet_v2": 300_774_272,
    "mobilenet_v3_small": 56_510_400,
    "mobilenet_v3_large": 216_589_760,
    "efficientnet_b0": 385_814_752,
}


@pytest.mark.parametrize(("family", "macs"), PUBLISHED.items())
def test_the_published_width_is_found_from_its_costs(family, macs):
    spec = scaled_to_budget(family, 1000, (224, 224), macs)
    assert (spec.width, spec.stride, spec.multiple) == (1.0, 32, 8)


@pytest.mark.parametrize("family", SCALABLE)
@pytest.mark.parametrize(("size", "macs"), [(64, 18_970_000), (32, 20_000_000)])
def test_any_budget_is_met_from_below_and_small_images_keep_a_map_of_four_pixels(family, size, macs):
    spec = scaled_to_budget(family, 20, (size, size), macs)
    network = spec.build().eval()
    assert 0.99 * macs <= count_costs(network, (size, size)).macs <= macs
    with torch.no_grad():
        assert network.forward_features(torch.zeros(1, 3, size, size))[-1].shape[-1] == 4
        assert network(torch.zeros(1, 3, size, size)).shape == (1, 20)


def test_channels_are_multiples_of_8_where_that_meets_the_budget_and_else_of_less():
    assert scaled_to_budget("mobilenet_v2", 20, (64, 64), 18_970_000).multiple == 8
    finer = scaled_to_budget("mobilenet_v2", 20, (64, 64), 22_000_000)
    assert finer.multiple == 2 and finer.build().feature_info[0].channels % 2 == 0


def test_a_budget_that_no_width_meets_is_refused_with_the_smallest_or_the_largest_network():
    with pytest.raises(ParameterError, match=r"macs = 1k cannot be met by mobilenet_v2: .* have at least ") as refused:
        scaled_to_budget("mobilenet_v2", 20, (64, 64), 1000)
    smallest = scaled_to_budget("mobilenet_v2", 20, (64, 64), named_in(refused.value))
    assert smallest.width < 0.11 and smallest.multiple == 1
    with pytest.raises(ParameterError, match=r"macs = 900G cannot be met by mobilenet_v2: .* have at most 1\.\d+G;"):
        scaled_to_budget("mobilenet_v2", 20, (64, 64), 900 * 10**9)


@pytest.mark.parametrize("family", SCALABLE)
def test_the_specification_comes_back_and_builds_the_same(family):
    spec = ScaledSpec("mine", 7, (64, 64), family, 0.35, 16, 4)
    assert NetworkSpec.from_json(spec.to_json()) == spec
    shapes = [{name: value.shape for name, value in each.build().state_dict().items()} for each in (spec, spec)]
    assert shapes[0] == shapes[1]
    assert spec.with_classes(9).build().classifier.out_features == 9


def test_a_specification_without_a_multiple_has_that_of_the_publications():
    document = ScaledSpec("mobilenet_v2", 7, (64, 64), "mobilenet_v2", 0.35, 16).to_dict()
    assert document.pop("multiple") == 8
    assert NetworkSpec.from_dict(document).multiple == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": "wide"}, "width = 'wide': must be of type float"),
        ({"stride": 1.5}, "stride = 1.5: must be of type int"),
        ({"width": -1}, "width = -1"),
        ({"multiple": 0}, "multiple = 0: must be at least 1"),
        ({"kind": "mobilenet_v9"}, "kind = 'mobilenet_v9': must be one of gemnet, published, mobilenet_v2"),
    ],
)
def test_a_damaged_specification_is_named(change, message):
    document = ScaledSpec("mobilenet_v2", 7, (64, 64), "mobilenet_v2", 0.35, 16).to_dict() | change
    with pytest.raises(DataError, match=message):
        NetworkSpec.from_dict(document)
