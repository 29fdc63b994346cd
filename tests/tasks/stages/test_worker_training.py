import pytest
import torch

from nasgem_core.errors import DeviceMemoryError
from nasgem_core.training.checkpoint import LAST, Checkpoint, save_checkpoint
from tasks.stages.worker_training import WorkerTraining, last_checkpoint, train_alone

CPU = torch.device("cpu")


def test_a_training_is_finished_when_its_last_epoch_was_evaluated(tmp_path):
    training = WorkerTraining("net", tmp_path / "net", 3, 12, {})
    assert not training.is_finished and last_checkpoint(training.folder) == {"checkpoint": None}
    for evaluated, finished in ((2, False), (3, True)):
        save_checkpoint(training.folder, Checkpoint({}, 12, evaluated, {"w": torch.ones(1)}, {}, ()))
        assert training.is_finished == finished
    found = last_checkpoint(training.folder)["checkpoint"]
    assert found.tobytes() == (training.folder / LAST).read_bytes()
    (training.folder / LAST).write_bytes(b"cut")
    assert not training.is_finished


def test_a_device_without_memory_is_named_and_other_errors_stay_as_they_are():
    def fail(words):
        raise RuntimeError(words)

    with pytest.raises(
        DeviceMemoryError, match=r"^cpu has too little memory left for net-0: lower coco\.batch_size, or the"
    ) as caught:
        train_alone(CPU, "net-0", "coco", lambda: fail("CUDA out of memory"))
    assert caught.value.__context__ is None, "its traceback would keep the memory"
    with pytest.raises(RuntimeError, match=r"^other$"):
        train_alone(CPU, "net-0", "coco", lambda: fail("other"))
    assert train_alone(CPU, "net-0", "coco", lambda: 7) == 7
