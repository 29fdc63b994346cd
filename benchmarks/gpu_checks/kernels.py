"""What one step of a proxy training has a GPU do: how many kernels, how long, and which take longest.

Of the cell with the median number of edges, without a graph: a graph holds the same kernels.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu_checks.setting import Clock, Figures, Setting
from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.training.augmentation import ImageTensor, draw_views
from nasgem_core.training.step import Classifier, TrainingStep

STEPS, SHOWN = 3, 15


def kernels(setting: Setting, known: Figures, clock: Clock) -> Iterator[tuple[str, Any]]:
    """Profile."""
    cells = setting.cells(setting.size(31, 3))
    cell = cells[len(cells) // 2]
    yield "cell", f"{cell.num_vertices} vertices, {cell.num_edges} edges"
    images, config = setting.images, setting.config
    layout = NetworkLayout.from_proxy(config, images.image_size)
    device = torch.device(setting.device)
    moments = images.mean, images.std
    train = ImageTensor.from_arrays(images.train_images, images.train_labels, moments, device)
    for name, channels_last in (("channels last", True), ("channels first", False)):
        if name in known:
            continue
        torch.manual_seed(0)
        network = CellNetwork(cell, layout, len(images.classes)).to(device)
        classifier = Classifier(network, torch.bfloat16, channels_last=channels_last)
        step = TrainingStep(classifier, train, (3 * STEPS, config.batch_size), config.weight_decay)
        views = draw_views(torch.arange(len(train)).repeat(3 * STEPS), config.batch_size, None)
        step.begin(views[: 3 * STEPS], [1e-3] * 3 * STEPS)
        for _ in range(STEPS):
            step()
        activity = ProfilerActivity.CUDA if setting.is_gpu else ProfilerActivity.CPU
        with profile(activities=[activity]) as found:
            for _ in range(STEPS):
                step()
            if setting.is_gpu:
                torch.cuda.synchronize(device)
        yield name, _figures(found, setting.is_gpu)


def _figures(found: profile, of_gpu: bool) -> dict[str, Any]:
    rows = [
        (event.key, event.count, event.self_device_time_total if of_gpu else event.self_cpu_time_total)
        for event in found.key_averages()
    ]
    rows = sorted((row for row in rows if row[2] > 0), key=lambda row: -row[2])
    total = sum(time for _, _, time in rows)
    return {
        "kernels a step": sum(count for _, count, _ in rows) / STEPS,
        "milliseconds a step": total / STEPS / 1e3,
        "longest": {f"{count // STEPS} x {name[:90]}": f"{time / total:.1%}" for name, count, time in rows[:SHOWN]},
    }
