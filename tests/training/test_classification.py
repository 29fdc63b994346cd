from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.transforms import functional as F

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.training.classification import MEAN, STD, ClassificationSettings, ClassificationTask, normalised
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import list_image_files
from nasgem_core.training.loop import train
from nasgem_core.training.recipe import TrainingRecipe
from nasgem_core.training.task import BROKEN, broken_images
from tests.training.folders import write_images

SETTINGS = ClassificationSettings(
    image_size=16,
    batch_size=8,
    accumulate=1,
    crop_area=(0.5, 1.0),
    centre_share=1.0,
    label_smoothing=0.1,
    broken_share=0.01,
)
RECIPE = TrainingRecipe(epochs=4, learning_rate=0.02, averaging=0.9, report_steps=2)


@pytest.fixture
def folder(tmp_path):
    return write_images(tmp_path / "data")


def task_of(folder, seed=0, settings=SETTINGS, workers=0):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model.append(nn.Linear(8, 3))
    return ClassificationTask(model, {"kind": "small"}, list_image_files(folder), settings, seed, workers=workers)


def test_colours_are_learned(folder, tmp_path):
    trained = train(task_of(folder), RECIPE, tmp_path / "run", seed=0)
    assert trained.metrics["top1"] == 1 and trained.metrics["top5"] == 1
    assert trained.metrics["validation_loss"] < 0.8


@pytest.mark.slow
def test_workers_change_nothing(folder, tmp_path):
    alone = train(task_of(folder), RECIPE, tmp_path / "0", seed=0)
    helped = train(task_of(folder, workers=2), RECIPE, tmp_path / "2", seed=0)
    states = alone.model.state_dict().values(), helped.model.state_dict().values()
    assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))


def test_pixels_are_normalised_as_torchvision_does():
    pixels = torch.randint(0, 256, (2, 5, 4, 3), dtype=torch.uint8)
    expected = F.normalize(pixels.permute(0, 3, 1, 2).float() / 255, list(MEAN), list(STD))
    found = normalised(pixels, torch.device("cpu"))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_the_loss_is_smoothed_and_batches_are_named(folder):
    task = task_of(folder)
    batch = next(iter(task.batches(0, World(), 0)))
    logits = task.model(normalised(batch.pixels, torch.device("cpu"))).double()
    logs = torch.log_softmax(logits, 1)
    own = logs.gather(1, batch.labels[:, None]).squeeze(1)
    expected = -(0.9 * own + 0.1 * logs.mean(1)).mean()
    assert task.loss(task.model, batch).item() == pytest.approx(expected.item(), rel=1e-5)
    assert [name.split("/")[0] for name in task.names(batch)] == [task.train.classes[k] for k in batch.labels]


def test_an_epoch_begins_where_it_was_left(folder):
    task = task_of(folder)
    whole = [batch.indices.tolist() for batch in task.batches(1, World(), 0)]
    assert len(whole) == task.steps_per_epoch() == 4
    assert [batch.indices.tolist() for batch in task.batches(1, World(), 3)] == whole[3:]


def test_evaluation_shares_the_images_of_all_processes(folder):
    task = task_of(folder)

    class Recording(World):
        def sum(self, values):
            sums.append(list(values))
            return list(values)

        def gather(self, value):
            return [value]

    sums = []
    task.model.eval()
    whole = task.evaluate(task.model, World())
    for rank in range(2):
        task.evaluate(task.model, Recording(rank, 2))
    # Fifteen images: eight and seven, each process in batches of four.
    assert [entry[-1] for entry in sums] == [8, 8, 7, 7]
    assert (sums[0][0] + sums[2][0]) / 15 == pytest.approx(whole["top1"])
    assert (sums[1][0] + sums[3][0]) / 15 == pytest.approx(whole["validation_loss"])


def test_a_few_broken_images_are_skipped_counted_and_named(folder, tmp_path):
    (folder / "train/red/003.png").write_bytes(b"")
    (folder / "val/blue/000.png").write_bytes(b"not an image")
    task = task_of(folder, settings=replace(SETTINGS, broken_share=0.1))
    trained = train(task, RECIPE, tmp_path / "run", seed=0)
    assert trained.metrics["top1"] == 1
    assert task.broken == (str(folder / "train/red/003.png"), str(folder / "val/blue/000.png"))
    again = train(task_of(folder, settings=task.settings), RECIPE, tmp_path / "run", seed=0)
    assert broken_images(trained.history) == broken_images(again.history) == 2


def test_what_another_process_could_not_read_counts_here(folder):
    class Two(World):
        def gather(self, value):
            return [value, ({3, 4}, set())] if isinstance(value, tuple) else [value]

        def sum(self, values):
            return list(values)

    task = task_of(folder, settings=replace(SETTINGS, broken_share=0.1))
    assert task.evaluate(task.model.eval(), Two(0, 2))[BROKEN] == 2
    with pytest.raises(DataError, match=r"2 of 36 images of .*train cannot be read .*, more than the share of 0\.01"):
        task_of(folder).evaluate(task.model, Two(0, 2))


def test_too_many_broken_images_stop_the_training(folder, tmp_path):
    for number in range(4):
        (folder / f"train/red/{number:03}.png").write_bytes(b"")
    message = r"of 36 images of .*train cannot be read \(such as red/00.*more than the share of 0\.1 .*incomplete"
    with pytest.raises(DataError, match=message):
        train(task_of(folder, settings=replace(SETTINGS, broken_share=0.1)), RECIPE, tmp_path / "run", seed=0)


def test_the_identity_knows_network_data_and_settings(folder):
    task = task_of(folder)
    assert task_of(folder).identity == task.identity
    assert task_of(folder, settings=replace(SETTINGS, accumulate=2)).identity == task.identity
    others = [task_of(folder, settings=replace(SETTINGS, crop_area=(0.2, 1.0))), task_of(folder, seed=1)]
    (folder / "train/red/003.png").unlink()
    others.append(task_of(folder))
    assert all(other.identity != task.identity for other in others)


def test_a_set_smaller_than_a_step_is_refused(folder):
    with pytest.raises(ParameterError, match=r"batch_size = 64: .*train has 36 images; lower it"):
        task_of(folder, settings=replace(SETTINGS, batch_size=64))
