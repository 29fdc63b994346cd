import pytest
import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

from nasgem_core.backbones.concatenation import apply_to_concatenation, concatenate_normalised
from nasgem_core.networks.cell_block import concatenate
from nasgem_core.operations.registry import OPERATIONS

LAYERS = OPERATIONS.names()


def build_operation(name, in_channels, out_channels):
    return OPERATIONS.get(name).layer(in_channels, out_channels)


def parts_of(dtype, sizes=(3, 5, 4), memory_format=torch.contiguous_format):
    torch.manual_seed(0)
    return [torch.randn(2, c, 6, 7, dtype=dtype).to(memory_format=memory_format).requires_grad_() for c in sizes]


def alive_after(run, layer, monkeypatch):
    """Return which of concatenation and the first of two layers' output are alive when only the outputs are held."""
    made, cat = [], torch.cat

    def watch(tensor):
        made.append(StorageWeakRef(tensor.untyped_storage()))
        return tensor

    monkeypatch.setattr(torch, "cat", lambda *args, **kwargs: watch(cat(*args, **kwargs)))
    hook = layer[0].register_forward_hook(lambda module, inputs, output: watch(output))
    outputs = run()
    monkeypatch.undo()
    hook.remove()
    assert outputs.requires_grad and len(made) == 2
    return [not storage.expired() for storage in made]


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("sizes", [(3, 5, 4), (2, 4), (4,)])
@pytest.mark.parametrize("name", LAYERS)
def test_values_and_gradients_are_those_of_the_plain_way(name, sizes, memory_format):
    parts, layer = parts_of(torch.float32, sizes, memory_format), build_operation(name, sum(sizes), 6)
    ours, plain = apply_to_concatenation(layer, parts), layer(torch.cat(parts, dim=1))
    assert torch.equal(ours, plain)
    slope = torch.randn_like(plain)
    inputs = [*parts, *layer.parameters()]
    for mine, theirs in zip(
        torch.autograd.grad(ours, inputs, slope), torch.autograd.grad(plain, inputs, slope), strict=True
    ):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_first_and_second_order(name):
    parts = [part.detach()[:, :2, :3, :3].requires_grad_() for part in parts_of(torch.float64)]
    layer = build_operation(name, 6, 2).double()
    assert torch.autograd.gradcheck(lambda *tensors: apply_to_concatenation(layer, tensors), parts)
    assert torch.autograd.gradgradcheck(lambda *tensors: apply_to_concatenation(layer, tensors), parts)


def test_backward_can_be_repeated():
    parts, layer = parts_of(torch.float32), build_operation("dwconv3x3", 12, 6)
    outputs = apply_to_concatenation(layer, parts).square().sum()
    first = torch.autograd.grad(outputs, parts, retain_graph=True)
    for mine, again in zip(first, torch.autograd.grad(outputs, parts), strict=True):
        assert torch.equal(mine, again)


def test_autocast_has_the_gradients_of_the_plain_way():
    parts, layer = parts_of(torch.float32), build_operation("dwconv3x3", 12, 6)
    inputs, gradients = [*parts, *layer.parameters()], []
    for run in (lambda: apply_to_concatenation(layer, parts), lambda: layer(torch.cat(parts, dim=1))):
        with torch.autocast("cpu", torch.bfloat16):
            outputs = run()
        assert outputs.dtype == torch.bfloat16
        gradients.append(torch.autograd.grad(outputs.float().square().sum(), inputs))
    for mine, theirs in zip(*gradients, strict=True):
        assert torch.equal(mine, theirs)


def test_frozen_depthwise_weights_still_have_gradients_behind_them():
    parts, layer = [part.detach() for part in parts_of(torch.float32)], build_operation("dwconv3x3", 12, 6)
    layer.depthwise.weight.requires_grad_(False)
    (ours,) = torch.autograd.grad(apply_to_concatenation(layer, parts).sum(), layer.pointwise.weight)
    (plain,) = torch.autograd.grad(layer(torch.cat(parts, dim=1)).sum(), layer.pointwise.weight)
    assert torch.equal(ours, plain)


@pytest.mark.parametrize("name", ["dwconv3x3", "dwconv5x5", "maxpool3x3"])
def test_neither_concatenation_nor_depthwise_convolution_nor_pooling_is_kept(name, monkeypatch):
    parts, layer = parts_of(torch.float32), build_operation(name, 12, 6)
    assert alive_after(lambda: layer(torch.cat(parts, dim=1)), layer, monkeypatch) == [True, True]
    assert alive_after(lambda: apply_to_concatenation(layer, parts), layer, monkeypatch) == [False, False]


def test_weights_changed_before_backward_are_noticed():
    parts, layer = parts_of(torch.float32), build_operation("dwconv3x3", 12, 6)
    outputs = apply_to_concatenation(layer, parts).sum()
    with torch.no_grad():
        layer.depthwise.weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.backward()


def test_other_layers_are_taken_as_they_are():
    parts, layer = parts_of(torch.float32), nn.Sequential(nn.Conv2d(12, 4, 1), nn.Tanh())
    assert torch.equal(apply_to_concatenation(layer, parts), layer(torch.cat(parts, dim=1)))
    assert concatenate(parts[:1]) is parts[0]


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_normalised_parts_get_gradients_as_memory_of_their_own(memory_format):
    parts, seen = parts_of(torch.float32, memory_format=memory_format), []
    inner = [part * 1 for part in parts]
    whole = concatenate_normalised(inner)
    for part in inner:
        part.register_hook(lambda gradient: seen.append(gradient.is_contiguous(memory_format=memory_format)))
    slope = torch.randn(whole.shape).to(memory_format=memory_format)
    for gradient, expected in zip(torch.autograd.grad(whole, parts, slope), slope.split([3, 5, 4], dim=1), strict=True):
        assert torch.equal(gradient, expected)
    assert seen == [True] * 3
    assert concatenate_normalised(inner[:1]) is inner[0]
