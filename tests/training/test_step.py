import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from nasgem_core.cells.cell import SCHEMA, Cell
from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.training.augmentation import ImageTensor, draw_views
from nasgem_core.training.step import Classifier, TrainingStep, Validation

LAYOUT = NetworkLayout(4, (1, 2), 1, 12)
CELL = Cell.from_dict(
    {
        "schema": SCHEMA,
        "operations": ["input", "conv1x1", "dwconv3x3", "conv3x3", "maxpool3x3"],
        "edges": [[0, 1], [0, 2], [1, 2], [1, 3], [2, 4], [1, 4]],
    }
)
WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal", "is_nonzero", "bincount", "lift_fresh")
"""Operations that read from the device, and that which numbers of the host become a tensor with."""
RATES = [0.0, 1e-3, 4e-3, 2e-3]


class PlainImages(ImageTensor):
    """Batches as a GPU makes them, wherever the images are."""

    def batch(self, views):
        return self.gathered(views)


class NothingWaits(TorchDispatchMode):
    """Fails where an operation has the host wait for the device, or brings numbers of the host to it."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        assert name not in WAITS, name
        return func(*args, **(kwargs or {}))


def made(device="cpu", dtype=torch.bfloat16, images=PlainImages, count=64):
    torch.manual_seed(0)
    network = CellNetwork(CELL, LAYOUT, 3).to(device)
    pixels = torch.randint(0, 256, (count, 20, 20, 3), dtype=torch.uint8)
    of_split = images(pixels, torch.randint(0, 3, (count,)), torch.full((3,), 128.0), torch.full((3,), 64.0))
    of_split = images(*(part.to(device) for part in vars(of_split).values()))
    classifier = Classifier(network, dtype, channels_last=images is PlainImages or device == "cuda")
    return classifier, of_split


def epoch(device="cpu"):
    return draw_views(torch.arange(64).flip(0), 16, torch.Generator().manual_seed(0)).to(device)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_step_and_a_validation_never_wait_for_the_device(dtype):
    classifier, images = made(dtype=dtype)
    if dtype == torch.float32:
        classifier.network.forward = classifier.network.forward_modules  # the fused kernels are for the CPU alone
    step, validation = TrainingStep(classifier, images, (4, 16), 1e-4), Validation(classifier, images, 30)
    step.begin(epoch(), RATES)
    with NothingWaits():
        step()
        step()
        validation()
    assert step.loss.isfinite() and 0 <= validation.correct <= 64


def test_what_waits_is_found():
    with NothingWaits(), pytest.raises(AssertionError, match="_local_scalar_dense"):
        torch.ones(1).item()
    with NothingWaits(), pytest.raises(AssertionError, match="lift_fresh"):
        torch.tensor([1.0])


def test_an_epoch_of_steps_is_the_loop_that_it_stands_for():
    classifier, images = made(dtype=torch.float32, images=ImageTensor)
    step = TrainingStep(classifier, images, (4, 16), 1e-2)
    step.begin(epoch(), RATES)
    losses = []
    for _ in range(4):
        step()
        losses.append(step.loss.item())

    classifier, images = made(dtype=torch.float32, images=ImageTensor)
    network = classifier.network.train()
    optimiser = torch.optim.Adam(network.parameters(), weight_decay=1e-2, fused=True)
    total, expected = torch.zeros(()), []
    for views, rate in zip(epoch(), RATES, strict=True):
        optimiser.param_groups[0]["lr"] = rate
        loss = nn.functional.cross_entropy(network(images.batch(views)), images.labels[views[0]])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.detach()
        expected.append(total.item())
    assert losses == expected
    for ours, theirs in zip(step.classifier.parameters, network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_an_epoch_starts_with_its_own_images_and_rates():
    classifier, images = made(dtype=torch.float32, images=ImageTensor)
    step = TrainingStep(classifier, images, (4, 16), 0.0)
    before = [parameter.detach().clone() for parameter in classifier.parameters]
    for _ in range(2):
        step.begin(epoch(), [0.0] * 4)
        step()
        assert 0 < step.loss.item() < 10
    assert all(torch.equal(*pair) for pair in zip(before, classifier.parameters, strict=True))


@pytest.mark.parametrize("batch_size", [7, 64, 1000])
def test_validation_counts_every_image_once(batch_size):
    classifier, images = made(dtype=torch.float32, images=ImageTensor)
    validation = Validation(classifier, images, batch_size)
    for _ in range(2):
        validation()
    network = classifier.network.eval()
    (views,) = draw_views(torch.arange(64), 64, None)
    expected = (network(images.batch(views)).argmax(1) == images.labels).sum()
    assert validation.correct == expected and 0 < expected < 64


def test_gradients_that_a_failed_capture_left_are_not_added_to():
    found = []
    for left in (False, True):
        classifier, images = made()
        step = TrainingStep(classifier, images, (4, 16), 1e-4)
        step.begin(epoch(), RATES[::-1])
        if left:
            for parameter in classifier.network.parameters():
                parameter.grad = torch.full_like(parameter, 1e3)
        step()
        found.append([parameter.detach().clone() for parameter in classifier.parameters])
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_on_a_gpu_nothing_waits_either(dtype):
    with torch.cuda.stream(torch.cuda.Stream()):
        classifier, images = made("cuda", dtype, ImageTensor)
        step, validation = TrainingStep(classifier, images, (4, 16), 1e-4), Validation(classifier, images, 30)
        step.begin(epoch("cuda"), RATES)
        step()
        validation()
        torch.cuda.set_sync_debug_mode("error")
        try:
            step()
            validation()
        finally:
            torch.cuda.set_sync_debug_mode("default")
        assert step.loss.isfinite()
