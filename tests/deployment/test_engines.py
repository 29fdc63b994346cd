import pytest
import torch

from nasgem_core.deployment.engines import GraphNetwork, for_engine
from nasgem_core.deployment.fast_form import ENGINES
from nasgem_core.deployment.latency import Setting, TimedNetwork, measure_latency
from nasgem_core.errors import ParameterError
from nasgem_core.training import replay
from nasgem_core.training.replay import EAGER_CALLS
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
    with pytest.raises(ParameterError, match="engine = 'abacus': choose one of torch, cuda_graph, onnxruntime"):
        for_engine(torch.nn.Identity(), "n", (4, 4), "abacus", threads=1)


def test_a_network_is_captured_once_for_the_same_images(monkeypatch):
    captured = []

    def capture(function):
        captured.append(function)
        return function

    monkeypatch.setattr(replay, "capture_graph", capture)
    network, images, others = GraphNetwork(torch.nn.Flatten()), torch.ones(2, 3, 4), torch.zeros(1, 3, 4)
    for _ in range(EAGER_CALLS + 3):
        assert torch.equal(network(images), torch.ones(2, 12))
    assert len(captured) == 1
    assert torch.equal(network(others), torch.zeros(1, 12))


def test_a_network_that_cannot_be_captured_is_not_measured_as_if_it_were(monkeypatch):
    def capture(_function):
        raise RuntimeError("not permitted when stream is capturing")

    monkeypatch.setattr(replay, "capture_graph", capture)
    network, images = GraphNetwork(torch.nn.Flatten()), torch.ones(2, 3, 4)
    for _ in range(EAGER_CALLS):
        network(images)
    with pytest.raises(RuntimeError, match="not as a CUDA graph: not permitted"):
        network(images)


@pytest.mark.gpu
def test_a_graph_gives_the_logits_of_the_network_and_is_timed():
    spec = gemnet_spec()
    run = for_engine(trained(spec), spec.name, spec.image_size, "cuda_graph", threads=1)
    given = images(spec, 3).cuda()
    with torch.inference_mode():
        expected = run.network.cuda()(given)
        for _ in range(EAGER_CALLS + 2):
            torch.testing.assert_close(run(given), expected, rtol=1e-2, atol=1e-3)
    timed = TimedNetwork(spec.name, run, spec.image_size, run.network)
    (found,) = measure_latency([timed], Setting(device="cuda", repeats=5))
    assert found.median_ms > 0 and found.peak_bytes > 0
