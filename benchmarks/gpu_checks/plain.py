"""Plain proxy training on a GPU: modules, a DataLoader with transforms, autocast, a schedule."""

import time

import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.plain_proxy import PlainImages, PlainNetwork
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import ProxyConfig
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.proxy_training import learning_rate_factor


def epoch_seconds(
    cell: Cell, images: ImageSet, config: ProxyConfig, device: str, *, epochs: int, loaders: int
) -> list[float]:
    """Train for some epochs, each with its validation; return the seconds of each, the first with all that starts.

    Args:
        cell: what is trained.
        images: training and validation images.
        config: training parameters; its schedule is that of all of its epochs.
        device: a torch device.
        epochs: how many are trained.
        loaders: processes that prepare batches.
    """
    start = time.perf_counter()
    cuda = torch.device(device).type == "cuda"
    torch.manual_seed(0)
    network = PlainNetwork(cell, NetworkLayout.from_proxy(config, images.image_size), len(images.classes))
    network = network.to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    train = PlainImages(images.train_images, images.train_labels, images, config.augment)
    validation = PlainImages(images.validation_images, images.validation_labels, images, augment=False)
    keep = {"num_workers": loaders, "pin_memory": cuda, "persistent_workers": loaders > 0}
    batches = DataLoader(train, config.batch_size, shuffle=True, drop_last=True, **keep)
    validated = DataLoader(validation, config.batch_size, **keep)
    steps = len(batches) * config.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate_factor(step, steps))
    seconds = []
    for _ in range(epochs):
        network.train()
        for inputs, labels in batches:
            with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=cuda):
                logits = network(inputs.to(device, non_blocking=True, memory_format=torch.channels_last))
            loss = nn.functional.cross_entropy(logits.float(), labels.to(device, non_blocking=True))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        network.eval()
        correct = torch.zeros((), dtype=torch.int64, device=device)
        with torch.no_grad(), torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=cuda):
            for inputs, labels in validated:
                correct += (network(inputs.to(device)).argmax(1) == labels.to(device)).sum()
        correct.item()
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
    return seconds
