import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from nasgem_core.errors import NasgemError, ParameterError
from nasgem_core.training.distributed import World, open_world
from nasgem_core.training.loop import train
from tests.training.toy import RECIPE, ToyTask

SCRIPT = Path(__file__).with_name("two_processes.py")


def test_alone_nothing_is_shared():
    with open_world() as world:
        assert (world.rank, world.size, world.device.type) == (0, 1, "cpu")
        assert world.sum([1.5, 2]) == [1.5, 2] and world.gather("a") == ["a"]
        model = nn.Linear(2, 2)
        assert world.parallel(model) is model
        world.share_first([torch.zeros(1)])
        world.wait()


@pytest.mark.parametrize(
    ("error", "translated"),
    [
        (RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1"), True),
        (torch.distributed.DistBackendError("timed out"), True),
        (RuntimeError("shapes differ"), False),
    ],
)
def test_a_process_that_was_left_alone_says_so_in_a_line(monkeypatch, error, translated):
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("init_process_group", "destroy_process_group"):
        monkeypatch.setattr(torch.distributed, name, lambda *_: None)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    with pytest.raises(NasgemError if translated else RuntimeError) as caught, open_world():
        raise error
    assert (
        caught.value is error
        or str(caught.value) == "another process of this training has ended: see its message for the reason"
    )


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with (
        pytest.raises(ParameterError, match="--nproc-per-node: more processes than the 2 GPUs here"),
        open_world("cuda"),
    ):
        pass


def test_each_process_has_the_gpu_of_its_local_rank(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    seen = []
    monkeypatch.setattr(torch.cuda, "set_device", seen.append)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda *given, **named: seen.append((given, named)))
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: None)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 3)
    own = torch.device("cuda", 1)
    with open_world("cuda") as world:
        assert world == World(3, 4, own)
    assert seen == [own, (("nccl",), {"device_id": own})]


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """Trainings of `two_processes.py` under torchrun; returns what each process found."""
    folder = tmp_path_factory.mktemp("two")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, str(SCRIPT), str(folder)], cwd=SCRIPT.parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def losses(history):
    return [row["loss"] for row in history if "loss" in row]


@pytest.mark.slow
def test_without_batch_statistics_two_processes_give_the_curve_of_one(two_processes, tmp_path):
    alone = train(ToyTask(normalise=False, dropout=0.0), RECIPE, tmp_path, seed=1)
    found = two_processes[0]["plain"]
    assert losses(found["history"]) == pytest.approx(losses(alone.history), rel=1e-5)
    assert found["metrics"] == alone.metrics
    weight = torch.tensor(found["weight"])
    torch.testing.assert_close(weight, alone.model[-1].weight.detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_with_batch_statistics_they_give_the_curve_of_one_that_accumulates_two_batches(two_processes, tmp_path):
    recipe = replace(RECIPE, accumulate=2)
    alone = train(ToyTask(accumulate=2, dropout=0.0), recipe, tmp_path, seed=1)
    assert losses(two_processes[0]["normalised"]["history"]) == pytest.approx(losses(alone.history), rel=1e-5)


@pytest.mark.slow
def test_all_processes_have_equal_reports_and_only_the_first_writes(two_processes):
    first, second = two_processes
    for name in ("plain", "normalised"):
        assert losses(first[name]["history"]) == losses(second[name]["history"])
        assert first[name]["metrics"] == second[name]["metrics"] and first[name]["weight"] == second[name]["weight"]
    assert first["reports"] > 0 and second["reports"] == 0


@pytest.mark.slow
def test_accuracy_over_images_that_do_not_divide_counts_each_once(two_processes):
    assert [found["counted"] for found in two_processes] == [two_processes[0]["expected"]] * 2


@pytest.mark.slow
def test_every_process_names_the_batch_whose_loss_is_not_finite(two_processes):
    for found in two_processes:
        assert "the loss was nan in epoch 1, step" in found["poisoned"] and "image 3" in found["poisoned"]


@pytest.mark.slow
def test_gradients_stay_local_until_they_are_asked_for(two_processes):
    assert [found["local_gradient"] for found in two_processes] == [1.0, 2.0]
    # The next backward pass adds the same gradients, and averages the sums of both: (2 + 4) / 2.
    assert [found["shared_gradient"] for found in two_processes] == [3.0, 3.0]
