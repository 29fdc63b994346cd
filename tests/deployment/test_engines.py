import pytest
import torch

from nasgem_core.deployment.engines import for_engine
from nasgem_core.deployment.fast_form import ENGINES
from nasgem_core.errors import ParameterError
from tests.deployment.networks import gemnet_spec, images, trained


@pytest.mark.slow
def test_each_engine_gives_the_logits_of_the_network(capfd):
    spec = gemnet_spec()
    network = trained(spec)
    for engine in ENGINES:
        run = for_engine(network, spec.name, spec.image_size, engine, threads=1)
        with torch.no_grad():
            torch.testing.assert_close(run(images(spec, 3)), network(images(spec, 3)), rtol=1e-4, atol=1e-5)
    assert capfd.readouterr() == ("", "")


def test_an_unknown_engine_is_named():
    with pytest.raises(ParameterError, match="engine = 'abacus': choose one of torch, onnxruntime"):
        for_engine(torch.nn.Identity(), "n", (4, 4), "abacus", threads=1)
