from types import SimpleNamespace

import pytest
import torch

from flows.cli import run_gpu as module
from flows.cli.run_gpu import CELLS, run_gpu
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError
from nasgem_core.training import worker_rates
from nasgem_core.training.worker_rates import COUNTS, WorkerRate
from tasks.run import parameters
from tasks.run.gpu_workers import workers_on
from tasks.stages import proxy_images

GIB = 2**30


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "prepare_environment", lambda: None)
    monkeypatch.setattr(parameters, "load_config", SearchConfig)
    monkeypatch.setattr(proxy_images, "open_images", lambda config, folder: SimpleNamespace())
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "a GPU")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (80 * GIB, 80 * GIB))


def test_the_fastest_number_is_shown_and_kept(monkeypatch, capsys):
    rates = [WorkerRate(1, 900.0, GIB), WorkerRate(2, 1500.0, GIB), WorkerRate(4, 1510.0, GIB)]

    def measure(cells, images, config, *, device, free_bytes, on_measured):
        assert len(cells) == CELLS >= max(COUNTS) and device == "cuda:1" and free_bytes == 80 * GIB
        assert [cell.num_edges for cell in cells] == sorted((cell.num_edges for cell in cells), reverse=True)
        for rate in rates:
            on_measured(rate)
        return rates

    monkeypatch.setattr(worker_rates, "measure_workers", measure)
    run_gpu("cuda:1")
    printed = capsys.readouterr().out
    assert "workers 2: 1500 trainings an hour" in printed and "start 2 per GPU of this kind" in printed
    assert workers_on(1) == 2


def test_the_cpu_is_no_gpu():
    with pytest.raises(ParameterError, match="device = 'cpu': workers are measured on a GPU"):
        run_gpu("cpu")
