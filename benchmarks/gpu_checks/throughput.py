"""Cells an hour, each with the whole of the paper profile's training.

plain PyTorch    modules as in the paper, DataLoader with transforms in 4 processes, autocast; one training at a time
eager            `train_cell` without graphs, one training at a time
graph            `train_cell` in one process
graph, N workers the same in N processes that share the device
... with MPS     the same below NVIDIA's Multi-Process Service, which lets kernels of several processes run at once,
                 where its program is installed

Plain and eager trainings are too long for the check: each cell is trained for two epochs, and the rest is taken to last
as long as the second. The others are trained to the end. All have the same cells and validate after every epoch, but
for `graph, no curve`; `graph, channels first` has the other layout of memory.
"""

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from benchmarks.gpu_checks.plain import epoch_seconds
from benchmarks.gpu_checks.setting import PAPER_TRAININGS, Clock, Figures, OutOfTimeError, Setting
from nasgem_core.cells.cell import Cell
from nasgem_core.training.proxy import FASTEST, Mode, train_cell
from nasgem_core.training.together import Job, train_together

MPS = "nvidia-cuda-mps-control"


def throughput(setting: Setting, known: Figures, clock: Clock) -> Iterator[tuple[str, Any]]:
    """Measure."""
    cells = setting.cells(setting.size(12, 2))
    ways = {
        "graph": lambda: _together(setting, cells, 1, FASTEST),
        "plain PyTorch": lambda: _extrapolated(setting, [_plain(setting, cell) for cell in cells]),
        "graph, 4 workers": lambda: _together(setting, cells, setting.size(4, 2), FASTEST),
        "eager": lambda: _extrapolated(setting, [_eager(setting, cell) for cell in cells]),
        "graph, 2 workers": lambda: _together(setting, cells, 2, FASTEST),
        "graph, no curve": lambda: _together(setting, cells, 1, replace(FASTEST, curve=False)),
        "graph, channels first": lambda: _together(setting, cells, 1, replace(FASTEST, channels_last=False)),
    }
    if setting.is_gpu and shutil.which(MPS):
        ways["graph, 4 workers with MPS"] = lambda: _with_mps(setting, cells)
    for name, measure in ways.items():
        if name in known:
            continue
        if clock.left < setting.size(30, 1):
            raise OutOfTimeError(f"{name} was not measured")
        yield name, measure()


def _together(setting: Setting, cells: list[Cell], workers: int, mode: Mode) -> dict[str, float]:
    jobs = [Job(cell, 0, mode) for cell in cells]
    found = train_together(jobs, setting.images, setting.config, device=setting.device, workers=workers)
    notes = {result.note for result in found.results if result.note}
    if notes:
        raise RuntimeError("; ".join(sorted(notes)))
    return _figures(found.seconds / len(cells))


def _figures(seconds: float) -> dict[str, float]:
    return {
        "seconds a cell": seconds,
        "cells an hour": 3600 / seconds,
        "GPU-days": PAPER_TRAININGS * seconds / 86_400,
    }


def _extrapolated(setting: Setting, epochs: list[list[float]]) -> dict[str, float]:
    """Return the figures of trainings whose first two epochs were timed."""
    total = sum(first + (setting.config.epochs - 1) * second for first, second in epochs)
    return _figures(total / len(epochs))


def _plain(setting: Setting, cell: Cell) -> list[float]:
    loaders = setting.size(4, 0)
    return epoch_seconds(cell, setting.images, setting.config, setting.device, epochs=2, loaders=loaders)


def _eager(setting: Setting, cell: Cell) -> list[float]:
    ends = [time.perf_counter()]
    train_cell(
        cell,
        setting.images,
        setting.epochs(2),
        0,
        device=setting.device,
        mode=Mode(graphs=False),
        on_progress=lambda *_: ends.append(time.perf_counter()),
    )
    return [end - start for start, end in itertools.pairwise(ends)]


def _with_mps(setting: Setting, cells: list[Cell]) -> dict[str, Any]:
    try:
        with _mps():
            return _together(setting, cells, 4, FASTEST)
    except (OSError, subprocess.SubprocessError, BrokenExecutor) as error:  # many machines do not allow it
        return {"failed": f"{type(error).__name__}: {error}"}


@contextmanager
def _mps() -> Iterator[None]:
    """Run a service of our own: processes find it by the folder that the environment names."""
    with tempfile.TemporaryDirectory() as folder:
        names = {"CUDA_MPS_PIPE_DIRECTORY": f"{folder}/pipe", "CUDA_MPS_LOG_DIRECTORY": f"{folder}/log"}
        os.environ.update(names)
        try:
            for path in names.values():
                os.mkdir(path)
            subprocess.run([MPS, "-d"], check=True, capture_output=True, timeout=30)
            try:
                yield
            finally:
                subprocess.run([MPS], input=b"quit\n", check=False, capture_output=True, timeout=60)
        finally:
            for name in names:
                os.environ.pop(name)
