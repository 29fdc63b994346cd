from nasgem_core.config.search import SearchConfig
from tasks.run.flat_parameters import flat_params


def test_params_are_flat():
    flat = flat_params(SearchConfig())
    assert flat["encoder.dimension"] == "32"
    assert flat["seed"] == "0"
    assert flat["proxy.dataset"] == "cifar10_proxy"
    assert flat["proxy.augment"] == "false"
    assert flat["cells.operations"] == '["conv1x1", "dwconv3x3"]'
