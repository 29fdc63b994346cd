import pytest
import torch
from torch import nn

from nasgem_core.backbones.published.mobile import SCALABLE, mnasnet
from nasgem_core.backbones.stochastic_depth import StochasticDepth, set_stochastic_depth


def test_some_images_lose_their_branch_and_the_mean_stays():
    torch.manual_seed(0)
    layer = StochasticDepth(0.25)
    kept = layer(torch.ones(4000, 2, 3, 3))
    assert kept.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert torch.equal(kept, kept[:, :1, :1, :1].expand_as(kept))
    assert kept.mean().item() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(("share", "training"), [(0.5, False), (0.0, True)])
def test_without_a_share_or_training_nothing_changes_and_no_number_is_drawn(share, training):
    layer, branch = StochasticDepth(share).train(training), torch.randn(2, 3)
    before = torch.get_rng_state()
    assert layer(branch) is branch and torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("build", [*SCALABLE.values(), mnasnet])
def test_later_branches_are_left_out_more_often(build):
    network = build(0.35, 5)
    set_stochastic_depth(network, 0.2)
    shares = [module.share for module in network.modules() if isinstance(module, StochasticDepth)]
    assert len(shares) > 4 and shares == sorted(shares) and shares[-1] == 0.2
    assert shares[0] == pytest.approx(0.2 / len(shares))
    images = torch.randn(4, 3, 64, 64)
    torch.manual_seed(0)
    assert not torch.equal(network.train()(images), network(images))
    nn.functional.cross_entropy(network(images), torch.arange(4)).backward()
