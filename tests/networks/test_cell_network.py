import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from nasgem_core.cells.cell import Cell
from nasgem_core.networks.cell_network import CellNetwork, NetworkLayout
from nasgem_core.operations.operation import Operation
from nasgem_core.operations.registry import OPERATIONS as KNOWN

OPERATIONS = ("conv1x1", "dwconv3x3", "conv3x3")
ALL = ("conv1x1", "conv3x3", "dwconv3x3", "dwconv5x5", "maxpool3x3", "skip")
_SPEC = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
reference = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(reference)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def random_cell(seed, names=OPERATIONS, vertices=7):
    generator = np.random.default_rng(seed)
    edges = np.triu(generator.random((vertices, vertices)) < generator.uniform(0.2, 0.8), 1)
    edges[0, 1] = True
    return Cell.pruned(edges, ("input", *generator.choice(names, vertices - 1)))


def random_network(cell, seed, dtype=torch.float64, classes=5, **changes):
    layout = NetworkLayout(
        **{"width": 3, "stages": (1, 2, 4), "stem_stride": 1 + seed % 2, "image_size": 17, **changes}
    )
    generator = torch.Generator().manual_seed(seed)
    network = CellNetwork(cell, layout, classes).to(dtype)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=generator, dtype=dtype) + (value.ndim == 1) - 0.5)
    images = torch.randn((6, 3, layout.image_size, layout.image_size), generator=generator, dtype=dtype)
    return network, images, torch.randn((6, classes), generator=generator, dtype=dtype)


def gradients(logits, slope, network):
    return torch.autograd.grad(logits, list(network.parameters()), slope)


def assert_close(ours, expected, tolerance):
    scale = max(expected.abs().max().item(), 1e-3)
    assert (ours - expected).abs().max().item() <= tolerance * scale


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("way", ["fused", "modules"])
def test_logits_and_gradients_equal_the_reference(seed, training, way):
    cell = random_cell(seed)
    network, images, slope = random_network(cell, seed)
    network.train(training)
    state = dict(network.named_parameters()) | dict(network.named_buffers())
    expected = reference.reference_logits(cell, network.layout, state, images, training)
    logits = network(images) if way == "fused" else network.forward_modules(images)
    assert_close(logits, expected, 1e-10)
    for ours, theirs in zip(gradients(logits, slope, network), gradients(expected, slope, network), strict=True):
        assert_close(ours, theirs, 1e-8)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_all_built_in_operations_equal_the_modules(seed, training):
    """Two of the values that a window covers are often equal: ReLU leaves zeros, of which the first gets the slope."""
    cell = random_cell(seed + 40, ALL, 9)
    network, images, slope = random_network(cell, seed, width=4)
    network.train(training)
    assert network._trunk is not None
    logits, expected = network(images), network.forward_modules(images)
    assert_close(logits, expected, 1e-10)
    for ours, theirs in zip(gradients(logits, slope, network), gradients(expected, slope, network), strict=True):
        assert_close(ours, theirs, 1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_single_precision_stays_close_to_the_modules(seed):
    network, images, slope = random_network(random_cell(seed), seed, torch.float32)
    logits, expected = network(images), network.forward_modules(images)
    assert_close(logits, expected, 1e-4)
    for ours, theirs in zip(gradients(logits, slope, network), gradients(expected, slope, network), strict=True):
        assert_close(ours, theirs, 1e-3)


def test_large_images_in_many_parts_equal_the_modules():
    """Columns of one operation exceed what is worked on at a time, so parts and their borders take part."""
    operations = ("dwconv3x3", "conv3x3", "dwconv3x3", "dwconv5x5", "maxpool3x3")
    cell = Cell(np.triu(np.ones((6, 6)), 1), ("input", *operations))
    network, images, slope = random_network(cell, 0, width=24, image_size=64, stem_stride=1)
    logits, expected = network(images), network.forward_modules(images)
    assert_close(logits, expected, 1e-10)
    for ours, theirs in zip(gradients(logits, slope, network), gradients(expected, slope, network), strict=True):
        assert_close(ours, theirs, 1e-8)


def test_running_statistics_follow_as_in_the_modules():
    cell = random_cell(1)
    (fused, images, _), (modules, _, _) = random_network(cell, 1), random_network(cell, 1)
    for _ in range(3):
        fused(images)
        modules.forward_modules(images)
    ours, theirs = dict(fused.named_buffers()), dict(modules.named_buffers())
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, msg=name)


@pytest.mark.parametrize("seed", range(12))
def test_every_parameter_gets_a_gradient(seed):
    network, images, slope = random_network(random_cell(seed + 20), seed, torch.float32)
    network(images).backward(slope)
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.shape == parameter.shape, name
        assert parameter.grad.abs().max() > 0, name


def test_each_vertex_is_one_convolution_one_norm_and_one_relu():
    cell = random_cell(3, ("conv1x1", "conv3x3"))
    network, images, _ = random_network(cell, 0, torch.float32)
    kinds = [type(module) for module in network.modules()]
    triplets = 1 + 3 * (cell.num_vertices - 1)
    assert kinds.count(torch.nn.Conv2d) == kinds.count(torch.nn.BatchNorm2d) == triplets
    network.requires_grad_(False)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        network.forward_modules(images)
    assert sum(event.count for event in profile.key_averages() if event.key == "aten::relu_") == triplets


def test_two_passes_before_a_backward_do_not_disturb_each_other():
    network, images, slope = random_network(random_cell(2), 2)
    alone = gradients(network(images), slope, network)
    first = network(images)
    network(2 * images + 1)
    with torch.no_grad():
        network(3 * images)
    for ours, theirs in zip(gradients(first, slope, network), alone, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_a_second_backward_says_what_to_do():
    network, images, slope = random_network(random_cell(2), 2)
    logits = network(images)
    logits.backward(slope, retain_graph=True)
    with pytest.raises(RuntimeError, match="call forward again"):
        logits.backward(slope)


def test_a_weight_changed_before_the_backward_pass_is_noticed():
    network, images, slope = random_network(random_cell(2), 2)
    logits = network(images)
    with torch.no_grad():
        network.stem.layer.weight += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        logits.backward(slope)


def test_a_changed_batch_size_gives_what_a_fresh_network_gives():
    cell = random_cell(4)
    network, images, _ = random_network(cell, 4)
    network.eval()
    together = network(images)
    torch.testing.assert_close(torch.cat([network(images[:2]), network(images[2:])]), together)


def test_an_operation_without_a_fused_kernel_takes_part(monkeypatch):
    def tanh1x1(c_in, c_out):
        return torch.nn.Sequential(torch.nn.Conv2d(c_in, c_out, 1, bias=False), torch.nn.Tanh())

    monkeypatch.setattr(KNOWN, "_added", {})
    operation = Operation(
        "tanh1x1", macs_per_pixel=lambda a, b: a * b, params=lambda a, b: a * b + 2 * b, layer=tanh1x1
    )
    KNOWN.add("tanh1x1", operation)
    cell = random_cell(5, (*OPERATIONS, "tanh1x1"))
    assert "tanh1x1" in cell.operations
    network, images, slope = random_network(cell, 5, torch.float32)
    assert network._trunk is None
    network(images).backward(slope)
    assert all(parameter.grad.abs().max() > 0 for parameter in network.parameters())


def test_gradients_for_the_images_themselves_are_right():
    network, images, slope = random_network(random_cell(6), 6)
    images.requires_grad_(True)
    (gradient,) = torch.autograd.grad(network(images), images, slope)
    assert gradient.abs().max() > 0
