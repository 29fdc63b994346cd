import torch
from torch import nn

from nasgem_core.deployment.fast_form import fast_form
from tests.deployment.networks import gemnet_spec, images, trained


def test_a_network_is_made_faster():
    spec = gemnet_spec()
    network = trained(spec)
    quick = fast_form(network)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in quick.modules())
    with torch.no_grad():
        torch.testing.assert_close(quick(images(spec)), network(images(spec)), rtol=1e-4, atol=1e-5)


def test_a_network_that_looks_at_its_values_stays_as_it_is():
    class Looks(nn.Module):
        def forward(self, images):
            return images if images.sum() > 0 else -images

    network = Looks()
    assert fast_form(network) is network and not network.training
