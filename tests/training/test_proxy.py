import gc
import math
import subprocess
import sys
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DeviceMemoryError, ParameterError
from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.seeding import derive_seed
from nasgem_core.training.augmentation import ImageTensor, draw_views
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.proxy import Mode, train_cell, train_network
from nasgem_core.training.proxy_training import learning_rate_factor
from nasgem_core.training.step import TrainingStep

CONFIG = ProxyConfig(width=4, stages=(1, 2), stem_stride=2, epochs=2, least_steps=0, batch_size=16, augment=True)
CELL = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), ("input", "dwconv3x3", "conv1x1"))
OTHER = Cell(np.array([[0, 1], [0, 0]]), ("input", "conv3x3"))


def stripes(train=96, validation=32, size=12):
    """Two classes that differ in the direction of their stripes."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, train + validation)
    lines = np.where(np.arange(size) // 2 % 2, 200, 50)
    images = np.where(labels[:, None, None] == 0, lines[None, :, None], lines[None, None, :])[..., None]
    images = np.clip(images + generator.normal(0, 20, (*images.shape[:3], 3)), 0, 255).astype(np.uint8)
    return ImageSet(images[:train], labels[:train], images[train:], labels[train:], ("rows", "columns"))


def outcome(result):
    return result.accuracy, result.epoch_losses, result.epoch_accuracies


def test_an_easy_task_is_learned_and_every_epoch_reported():
    seen = []
    result = train_cell(
        CELL, stripes(), replace(CONFIG, epochs=8), seed=0, on_progress=lambda *progress: seen.append(progress)
    )
    assert not result.failed and result.reason == "" and result.accuracy > 0.9
    assert result.accuracy == result.epoch_accuracies[-1] and result.epoch_losses[-1] < result.epoch_losses[0]
    assert seen == [
        (i + 1, {"loss": loss, "accuracy": accuracy})
        for i, (loss, accuracy) in enumerate(zip(result.epoch_losses, result.epoch_accuracies, strict=True))
    ]
    assert result.images_per_second > 0 and result.seconds > 0


def test_equal_seeds_give_equal_bits_and_others_do_not():
    images = stripes()
    first = train_cell(CELL, images, CONFIG, seed=3)
    train_cell(OTHER, images, CONFIG, seed=4)
    torch.manual_seed(77)
    assert outcome(train_cell(CELL, images, CONFIG, seed=3)) == outcome(first)
    assert outcome(train_cell(CELL, images, CONFIG, seed=4)) != outcome(first)


@pytest.mark.slow
def test_a_fresh_process_gives_the_same_bits():
    images = stripes()
    train_cell(OTHER, images, CONFIG, seed=0)
    here = outcome(train_cell(CELL, images, CONFIG, seed=3))
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('here', {__file__!r})\n"
        "here = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(here)\n"
        "print(here.outcome(here.train_cell(here.CELL, here.stripes(), here.CONFIG, seed=3)))"
    )
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert fresh.stdout.strip() == str(here)


def test_global_state_is_left_as_it_was():
    threads = torch.get_num_threads()
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    train_cell(CELL, stripes(), CONFIG, seed=0)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_diverged_training_is_a_result_with_a_reason():
    result = train_cell(CELL, stripes(), replace(CONFIG, learning_rate=10.0, weight_decay=1.0, epochs=1), seed=0)
    assert not result.failed  # batch normalisation holds even this
    images = stripes()
    object.__setattr__(images, "mean", (math.nan,) * 3)
    result = train_cell(CELL, images, CONFIG, seed=0)
    assert result.failed and math.isnan(result.accuracy)
    assert result.reason == "the training loss was nan in epoch 1 of 2: lower learning_rate"
    assert result.epoch_losses == result.epoch_accuracies == ()


def test_images_too_small_for_the_network_are_refused():
    with pytest.raises(ParameterError, match="image_size = 12 is too small"):
        train_cell(CELL, stripes(), replace(CONFIG, stages=(1, 1, 1, 1)), seed=0)


def test_a_batch_larger_than_the_images_is_all_of_them():
    result = train_cell(CELL, stripes(), replace(CONFIG, batch_size=500), seed=0)
    assert not result.failed and len(result.epoch_losses) == 2


def test_without_augmentation_the_outcome_differs():
    images = stripes()
    assert outcome(train_cell(CELL, images, replace(CONFIG, augment=False), 0)) != outcome(
        train_cell(CELL, images, CONFIG, 0)
    )


def network_of(images, seed):
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(seed, "initialisation"))
        return CellNetwork(CELL, NetworkLayout.from_proxy(CONFIG, images.image_size), len(images.classes))


def written_out(images, config, seed):
    """Train batch by batch, with every number on the host."""
    network = network_of(images, seed)
    moments = (images.mean, images.std)
    train = ImageTensor.from_arrays(images.train_images, images.train_labels, moments, torch.device("cpu"))
    optimiser = torch.optim.Adam(network.parameters(), weight_decay=config.weight_decay, fused=True)
    shuffle = torch.Generator().manual_seed(derive_seed(seed, "shuffle"))
    augmentation = torch.Generator().manual_seed(derive_seed(seed, "augmentation"))
    losses, step, steps = [], 0, len(train) // config.batch_size
    for _ in range(config.epochs):
        total = torch.zeros(())
        order = torch.randperm(len(train), generator=shuffle)
        for index in order[: steps * config.batch_size].split(config.batch_size):
            rate = config.learning_rate * learning_rate_factor(step, steps * config.epochs)
            optimiser.param_groups[0]["lr"] = rate
            (views,) = draw_views(index, config.batch_size, augmentation)
            loss = torch.nn.functional.cross_entropy(network(train.batch(views)), train.labels[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.detach()
            step += 1
        losses.append(total.item() / steps)
    return tuple(losses)


def test_a_training_has_the_bits_of_the_loop_that_is_written_out():
    images, config = stripes(), replace(CONFIG, epochs=3, weight_decay=1e-3)
    assert train_cell(CELL, images, config, seed=2).epoch_losses == written_out(images, config, 2)


def test_without_a_curve_only_the_last_epoch_is_validated():
    seen = []
    config = replace(CONFIG, epochs=3)
    found = train_cell(
        CELL, stripes(), config, 1, mode=Mode(curve=False), on_progress=lambda *progress: seen.append(progress)
    )
    whole = train_cell(CELL, stripes(), config, 1)
    assert found.epoch_accuracies == (whole.accuracy,) and found.epoch_losses == whole.epoch_losses
    assert [list(metrics) for _, metrics in seen] == [["loss"], ["loss"], ["loss", "accuracy"]]


def test_a_training_that_is_over_leaves_nothing_in_memory():
    made = []

    def build():
        network = network_of(stripes(), 0)
        made.append(weakref.ref(network))
        return network

    train_network(build, stripes(), CONFIG, seed=0)  # torch imports what it needs, which keeps frames for a while
    gc.disable()  # a GPU's memory is needed before the garbage collector comes
    try:
        train_network(build, stripes(), CONFIG, seed=0)
        assert made[1]() is None
    finally:
        gc.enable()


def test_a_device_without_enough_memory_is_named_and_keeps_nothing(monkeypatch):
    made = []

    def step(self):
        made.append(weakref.ref(self.classifier.network))
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB")

    train_cell(CELL, stripes(), CONFIG, seed=0)
    monkeypatch.setattr(TrainingStep, "__call__", step)
    gc.disable()
    try:
        with pytest.raises(DeviceMemoryError, match=r"^cpu has too little memory left for a training of 16 images"):
            train_cell(CELL, stripes(), CONFIG, seed=0)
        assert made[0]() is None
    finally:
        gc.enable()


@pytest.mark.gpu
def test_a_training_that_does_not_fit_is_refused_and_another_one_fits():
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-6)
    try:
        with pytest.raises(DeviceMemoryError, match=r"^cuda has too little memory"):
            train_cell(CELL, stripes(), CONFIG, seed=0, device="cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert not train_cell(CELL, stripes(), CONFIG, seed=0, device="cuda").failed


@pytest.mark.gpu
@pytest.mark.parametrize("mode", [Mode(), Mode(graphs=False), Mode(reduced=False), Mode(curve=False)])
def test_a_gpu_learns_the_same_task(mode):
    result = train_cell(CELL, stripes(), replace(CONFIG, epochs=8), seed=0, device="cuda", mode=mode)
    assert result.accuracy > 0.9 and result.note == ""


@pytest.mark.gpu
def test_a_graph_gives_the_losses_of_the_steps_it_replaces():
    images, config = stripes(), replace(CONFIG, epochs=4)
    graph, eager, cpu = (
        train_cell(CELL, images, config, seed=0, device=device, mode=Mode(graphs=graphs, reduced=False)).epoch_losses
        for device, graphs in (("cuda", True), ("cuda", False), ("cpu", False))
    )
    np.testing.assert_allclose(graph[0], eager[0], rtol=1e-2)
    np.testing.assert_allclose(graph, eager, atol=0.05)
    np.testing.assert_allclose(graph[0], cpu[0], rtol=2e-2)


@pytest.mark.gpu
def test_a_gpu_gets_its_memory_back():
    train_cell(CELL, stripes(), CONFIG, seed=0, device="cuda")
    before = torch.cuda.memory_reserved()
    train_cell(CELL, stripes(), CONFIG, seed=0, device="cuda")
    assert torch.cuda.memory_reserved() <= before
