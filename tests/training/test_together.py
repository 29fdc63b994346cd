import multiprocessing
from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import ProxyConfig
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.proxy import Mode, train_cell
from nasgem_core.training.together import Job, Together, train_together

CONFIG = ProxyConfig(width=4, stages=(1,), stem_stride=2, epochs=2, least_steps=0, batch_size=16)
CELLS = [Cell(np.array([[0, 1], [0, 0]]), ("input", operation)) for operation in ("conv1x1", "dwconv3x3")]


def images():
    pixels = np.random.default_rng(0).integers(0, 256, (48, 8, 8, 3), np.uint8)
    labels = np.arange(48) % 2
    return ImageSet(pixels[:32], labels[:32], pixels[32:], labels[32:], ("a", "b"))


@pytest.mark.slow
def test_trainings_in_processes_give_the_results_of_single_ones():
    jobs = [Job(CELLS[0], 1), Job(CELLS[1], 2, Mode(curve=False)), Job(CELLS[0], 3)]
    seen = []
    found = train_together(jobs, images(), CONFIG, device="cpu", workers=2, on_result=seen.append)
    for job, result in zip(jobs, found.results, strict=True):
        alone = train_cell(job.cell, images(), CONFIG, job.seed, mode=job.mode)
        same = {"seconds": 0, "images_per_second": 0}
        assert replace(result, **same) == replace(alone, **same)
    assert seen == [1, 2, 3] and 0 < found.seconds < sum(result.seconds for result in found.results) * 10


def test_trainings_an_hour_follow_from_the_seconds():
    result = train_cell(CELLS[0], images(), CONFIG, 0)
    assert Together((result,) * 6, 12.0).per_hour == 1800


def test_a_process_without_a_job_is_refused():
    with pytest.raises(ValueError, match="1 jobs for 2 processes"):
        train_together([Job(CELLS[0])], images(), CONFIG, device="cpu", workers=2)


@pytest.mark.nightly
def test_processes_end_when_the_caller_has_enough():
    def stop(_done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_together([Job(CELLS[0])] * 50, images(), CONFIG, device="cpu", workers=2, on_result=stop)
    assert not multiprocessing.active_children()
