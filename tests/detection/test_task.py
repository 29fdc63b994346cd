import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nasgem_core.config.transfer import DETECTORS
from nasgem_core.detection.task import DetectionTask, MeasuredSet, detect
from nasgem_core.errors import DataError
from nasgem_core.training.distributed import World
from nasgem_core.training.loop import train
from tests.detection.toy import RECIPE, eight_images, small_task

SCRIPT = Path(__file__).with_name("two_processes.py")


@pytest.fixture
def eight(tmp_path):
    return eight_images(tmp_path)


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_training_that_was_interrupted_goes_on_to_equal_weights(eight, tmp_path, kind):
    whole = train(small_task(eight, kind), RECIPE, tmp_path / "whole", seed=3)
    assert {"loss", "classification", "box"} <= set(whole.history[0])
    assert {"AP", "AP50", "AP75"} <= set(whole.metrics)

    def stop(progress):
        if progress.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(small_task(eight, kind), RECIPE, tmp_path / "cut", seed=3, on_progress=stop)
    again = train(small_task(eight, kind), RECIPE, tmp_path / "cut", seed=3)
    first, second = weights(whole.model), weights(again.model)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_checkpoint_of_other_data_is_refused(eight, tmp_path):
    train(small_task(eight), replace(RECIPE, epochs=1), tmp_path / "run", seed=3)
    with pytest.raises(DataError, match=r"another training: task\.batch_size is 4 there and 2 here"):
        train(small_task(eight, batch_size=2), replace(RECIPE, epochs=1), tmp_path / "run", seed=3)
    other = eight_images(tmp_path / "other")
    other[0].write_text(other[0].read_text().replace("[4, 6, 20, 24]", "[5, 6, 20, 24]"))
    with pytest.raises(DataError, match=r"another training: task\.data\.train is"):
        train(small_task(other), replace(RECIPE, epochs=1), tmp_path / "run", seed=3)
    with (eight[1] / "0.png").open("ab") as file:
        file.write(b"another image")
    with pytest.raises(DataError, match=r"another training: task\.data\.train is"):
        train(small_task(eight), replace(RECIPE, epochs=1), tmp_path / "run", seed=3)


def test_what_it_is_measured_on_is_part_of_a_training(eight, tmp_path):
    first, second = small_task(eight), small_task(eight)
    assert first.identity == second.identity
    measured = MeasuredSet(first.measured[""].annotations.subset(np.arange(4)), eight[1])
    fewer = DetectionTask(first.model, {"detector": "retinanet"}, first.train, {"": measured}, batch_size=4)
    assert fewer.identity["data"]["train"] == first.identity["data"]["train"]
    assert fewer.identity["data"]["measured"] != first.identity["data"]["measured"]


def test_epochs_differ_and_hold_every_image_once(eight):
    task = small_task(eight)
    assert task.steps_per_epoch() == 2
    epochs = [[task.names(batch) for batch in task.batches(epoch, World(), 0)] for epoch in (0, 1)]
    assert all(sorted(name for batch in names for name in batch) == [f"{i}.png" for i in range(8)] for names in epochs)
    assert epochs[0] != epochs[1]
    rest = [task.names(batch) for batch in task.batches(0, World(), 1)]
    assert rest == epochs[0][1:]


def test_processes_read_the_same_images_as_one(eight):
    task = small_task(eight, workers=1)
    alone = [sample for batch in small_task(eight).batches(1, World(), 0) for sample in batch]
    helped = [sample for batch in task.batches(1, World(), 0) for sample in batch]
    for one, other in zip(alone, helped, strict=True):
        assert one.name == other.name and torch.equal(one.image, other.image) and torch.equal(one.boxes, other.boxes)


def test_a_broken_image_is_told_once_and_more_than_a_few_stop(eight):
    (eight[1] / "3.png").write_text("no image")
    warnings = []
    task = small_task(eight, on_warning=warnings.append)
    for epoch in (0, 1):
        for _ in task.batches(epoch, World(), 0):
            pass
    assert len(warnings) == 1 and warnings[0].endswith("3.png cannot be read and is skipped")
    (eight[1] / "5.png").write_text("no image")
    with pytest.raises(DataError, match=r"2 of the 8 images in .* cannot be read"):
        for _ in task.batches(2, World(), 0):
            pass


@pytest.mark.parametrize("kind", DETECTORS)
def test_shares_of_several_processes_make_the_whole(eight, kind):
    task = small_task(eight, kind)
    task.model.eval().lowest_score = 0.0
    whole = detect(task.model, task.measured[""], World())
    assert len(whole) > 50

    class Share(World):
        def gather(self, value):
            return [value]

    shares = [detect(task.model, task.measured[""], Share(rank, 3)) for rank in range(3)]
    images = [set(share.image_ids.tolist()) for share in shares]
    assert set.union(*images) == set(range(10, 18)) and sum(map(len, images)) == 8
    for share in shares:
        for image in set(share.image_ids.tolist()):
            for one, other in zip(
                vars(share.of_image(image)).values(), vars(whole.of_image(image)).values(), strict=True
            ):
                np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path):
    """RetinaNet draws nothing, so two processes with half of each batch take the steps of one.

    The images have one size here: padding to the largest of a batch would depend on how it is shared.
    """
    files = eight_images(tmp_path, (64, 64))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, str(SCRIPT), str(tmp_path), *map(str, files)],
        cwd=SCRIPT.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    alone = train(small_task(files), RECIPE, tmp_path / "alone", seed=3)
    for name, value in weights(alone.model).items():
        assert torch.equal(first["weights"][name], second["weights"][name])
        torch.testing.assert_close(first["weights"][name], value, rtol=1e-4, atol=1e-6)
    assert first["metrics"] == second["metrics"] and set(first["metrics"]) == set(alone.metrics)
