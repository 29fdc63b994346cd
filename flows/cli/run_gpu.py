"""What `nasgem gpu` does."""

from flows.cli.printing import out, print_table
from flows.runtime.environment import prepare_environment
from nasgem_core.errors import ParameterError

CELLS = 16
"""Cells that are trained with each number of workers."""


def run_gpu(device: str | None) -> None:
    """Measure how many trainings at a time a GPU is fastest with, and have commands in this folder start so many.

    Args:
        device: the GPU, such as cuda:0; None for the first one.

    Raises:
        ParameterError: it is no GPU, or cannot be used.
    """
    prepare_environment()
    import torch

    from nasgem_core.cells.sampling import sample_cells
    from nasgem_core.training.worker_rates import WorkerRate, best_rate, measure_workers
    from tasks.run.gpu_workers import FILE, keep_workers
    from tasks.run.parameters import load_config
    from tasks.run.placement import default_device
    from tasks.stages.proxy_images import open_images

    device = device or default_device()
    if torch.device(device).type != "cuda":
        raise ParameterError(f"device = {device!r}: workers are measured on a GPU; on the CPU there is one per core")
    index = torch.device(device).index or 0
    config = load_config()
    images = open_images(config.proxy, "data/raw")
    cells = sorted(sample_cells(config.cells, CELLS, 0), key=lambda cell: -cell.num_edges)
    name = torch.cuda.get_device_name(index)
    out.print(f"{CELLS} cells are trained on {name} by one worker, by two, and so on\n")

    def show(rate: WorkerRate) -> None:
        out.print(f"  workers {rate.workers}: {rate.per_hour:.0f} trainings an hour")

    free, _ = torch.cuda.mem_get_info(index)
    rates = measure_workers(cells, images, config.proxy, device=f"cuda:{index}", free_bytes=free, on_measured=show)
    best = best_rate(rates)
    rows = [
        [str(rate.workers), f"{rate.per_hour:.0f}", f"{rate.peak_bytes / 2**20:.0f}", "*" if rate == best else ""]
        for rate in rates
    ]
    out.print()
    print_table(f"Workers on {name}", ["workers", "trainings an hour", "MiB each", "best"], rows)
    keep_workers(name, best)
    out.print(f"\nCommands in this folder start {best.workers} per GPU of this kind  {FILE}", soft_wrap=True)
