import multiprocessing
import random
from dataclasses import replace

import pytest
import torch
from torch import nn

from nasgem_core.errors import DataError, NasgemError, ParameterError
from nasgem_core.training import loop
from nasgem_core.training.checkpoint import load_checkpoint
from nasgem_core.training.distributed import World
from nasgem_core.training.loop import train
from tests.training.toy import RECIPE, Poisoned, ToyTask, run_until


def assert_same(first, second):
    """Equal weights, to the bit, and equal reports but for the speed."""
    assert all(
        torch.equal(a, b)
        for a, b in zip(first.model.state_dict().values(), second.model.state_dict().values(), strict=True)
    )
    assert without_speed(first) == without_speed(second) and first.metrics == second.metrics


def without_speed(trained):
    return [{name: value for name, value in row.items() if name != "images_per_second"} for row in trained.history]


def interrupt_at(step, after_evaluation=False):
    def watch(progress):
        if progress.step >= step and ("top1" in progress.metrics) == after_evaluation:
            raise KeyboardInterrupt

    return watch


def test_a_task_is_learned_and_reported(tmp_path):
    seen = []
    recipe = replace(RECIPE, epochs=30)
    trained = train(ToyTask(dropout=0.0), recipe, tmp_path, seed=0, on_progress=seen.append)
    assert trained.metrics["top1"] > 0.8 and not trained.model.training
    losses = [row["loss"] for row in trained.history if "loss" in row]
    assert losses[-1] < 0.6 * losses[0]
    assert [(progress.step, dict(progress.metrics)) for progress in seen] == [
        (row["step"], {name: value for name, value in row.items() if name not in ("step", "epoch")})
        for row in trained.history
    ]
    assert seen[-1].step == seen[-1].steps == 150 and seen[-1].epoch == seen[-1].epochs == 30
    # Five steps an epoch are reported after two, four, and five, and evaluated after that.
    assert [row["step"] for row in trained.history][:5] == [2, 4, 5, 5, 6]


def test_the_average_is_what_is_evaluated_and_returned(tmp_path):
    task = ToyTask()
    averaged = train(task, RECIPE, tmp_path / "a", seed=0)
    assert averaged.model is not task.model
    assert averaged.metrics == task.evaluate(averaged.model, World())
    task = ToyTask()
    assert train(task, replace(RECIPE, averaging=0.0), tmp_path / "b", seed=0).model is task.model


def test_a_training_that_was_interrupted_at_any_step_goes_on_to_equal_weights(tmp_path):
    recipe = replace(RECIPE, checkpoint_seconds=0, report_steps=1, deterministic=True)
    undisturbed = train(ToyTask(), recipe, tmp_path / "whole", seed=1)
    for step in range(1, 15):
        folder = tmp_path / str(step)
        with pytest.raises(KeyboardInterrupt):
            train(ToyTask(), recipe, folder, seed=1, on_progress=interrupt_at(step, after_evaluation=step % 5 == 0))
        assert_same(train(ToyTask(), recipe, folder, seed=1), undisturbed)


def test_a_training_that_stops_at_epochs_of_its_schedule_comes_to_equal_weights(tmp_path):
    recipe = replace(RECIPE, checkpoint_seconds=0, report_steps=1)
    undisturbed = train(ToyTask(), recipe, tmp_path / "whole", seed=1)
    folder, seen = tmp_path / "parts", []
    for epochs in (1, 2):
        stopped = train(ToyTask(), recipe, folder, seed=1, until=epochs, on_progress=seen.append)
        (evaluated,) = [row for row in undisturbed.history if row["epoch"] == epochs and "top1" in row]
        assert stopped.metrics == {"top1": evaluated["top1"]} and seen[-1].epochs == 3
    with pytest.raises(KeyboardInterrupt):
        train(ToyTask(), recipe, folder, seed=1, on_progress=interrupt_at(13))
    # A step of the third epoch was reported since, and its weights are what is left.
    later = train(ToyTask(), recipe, folder, seed=1, until=1, on_progress=lambda _: pytest.fail("trained"))
    assert later.metrics == stopped.metrics and later.history[-1]["step"] == 12
    assert_same(train(ToyTask(), recipe, folder, seed=1, until=9), undisturbed)


def test_a_stop_is_evaluated_whenever_evaluations_are_due(tmp_path):
    stopped = train(ToyTask(), replace(RECIPE, evaluate_epochs=3), tmp_path, seed=1, until=2)
    assert [row["epoch"] for row in stopped.history if "top1" in row] == [2] and "top1" in stopped.metrics


@pytest.mark.slow
def test_killed_processes_go_on_to_equal_weights(tmp_path):
    recipe = replace(RECIPE, epochs=6, checkpoint_seconds=0, deterministic=True)
    undisturbed = train(ToyTask(), replace(recipe, report_steps=1), tmp_path / "whole", seed=1)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.toy"])
    generator = random.Random(0)
    for step in sorted(generator.sample(range(1, 25), 4)):
        # So long after a report that a step, a checkpoint or an evaluation may be half done.
        delay = generator.uniform(0, 0.02)
        process = context.Process(target=run_until, args=(tmp_path / "killed", step, delay, recipe))
        process.start()
        process.join()
        assert process.exitcode == -9
    survivor = train(ToyTask(), replace(recipe, report_steps=1), tmp_path / "killed", seed=1)
    assert_same(survivor, undisturbed)


def test_a_long_training_has_a_short_history_and_shows_all_reports(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "MAX_ROWS", 4)
    seen = []
    trained = train(ToyTask(), replace(RECIPE, report_steps=1), tmp_path, seed=1, on_progress=seen.append)
    rows = [(row["step"], "loss" in row) for row in trained.history]
    ends = [[(step, True), (step, False)] for step in (5, 10, 15)]
    assert rows == [(4, True), *ends[0], (8, True), *ends[1], (12, True), *ends[2]]
    recorded = [(progress.step, "loss" in progress.metrics) for progress in seen if progress.recorded]
    assert recorded == rows and {progress.step for progress in seen} == set(range(1, 16))
    every = train(ToyTask(), replace(RECIPE, report_steps=4), tmp_path / "every", seed=1)
    assert [row.get("loss") for row in every.history] == [row.get("loss") for row in trained.history]


def test_weights_are_looked_at_before_they_are_evaluated(tmp_path):
    class Steep(ToyTask):
        """A finite loss whose gradient is not; an epoch is one step."""

        def loss(self, model, batch):
            return super().loss(model, batch) + (0 * model[-1].bias.sum()).sqrt()

        def evaluate(self, model, world):
            pytest.fail("evaluated")

    with pytest.raises(
        NasgemError, match=r"weights were not finite after epoch 1, step 1 of 1.* no checkpoint has been written"
    ):
        train(Steep(count=8), RECIPE, tmp_path, seed=1)


def test_a_finished_training_is_read_and_not_done_again(tmp_path):
    finished = train(ToyTask(), RECIPE, tmp_path, seed=1)
    seen = []
    again = train(ToyTask(), RECIPE, tmp_path, seed=1, on_progress=seen.append)
    assert_same(again, finished)
    assert not seen


def test_accumulated_gradients_are_those_of_the_whole_batch(tmp_path):
    recipe = replace(RECIPE, report_steps=1)
    whole = train(ToyTask(normalise=False, dropout=0.0), recipe, tmp_path / "1", seed=1)
    task = ToyTask(accumulate=4, normalise=False, dropout=0.0)
    parts = train(task, replace(recipe, accumulate=4), tmp_path / "4", seed=1)
    for a, b in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    for a, b in zip(whole.history, parts.history, strict=True):
        assert a.get("loss", 0) == pytest.approx(b.get("loss", 0), rel=1e-5)


def test_global_generators_are_left_alone(tmp_path):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    train(ToyTask(), RECIPE, tmp_path, seed=1)
    assert torch.equal(torch.rand(3), expected)


def test_a_loss_that_is_not_finite_stops_with_its_batch_named(tmp_path):
    recipe = replace(RECIPE, checkpoint_seconds=0)
    with pytest.raises(NasgemError, match=r"the loss was nan in epoch 1, step (\d) of 5, .*image 3\b.*") as caught:
        train(Poisoned(), recipe, tmp_path, seed=1)
    step = int(str(caught.value).split("step ")[1][0])
    assert str(tmp_path) in str(caught.value) and "lower the learning rate" in str(caught.value)
    if step > 1:
        assert load_checkpoint(tmp_path, _identity(Poisoned(), recipe)).step == step - 1


def _identity(task, recipe):
    return {"task": task.identity, "recipe": recipe.identity(), "seed": 1}


class Exploding(ToyTask):
    """A loss that is finite and whose gradient is not."""

    def loss(self, model, batch):
        return super().loss(model, batch) + (self.model[-1].weight.sum() * 0).sqrt()


def test_weights_that_are_not_finite_are_never_kept(tmp_path):
    with pytest.raises(NasgemError, match=r"the weights were not finite after epoch 1, step 1 of 5, or a step before"):
        train(Exploding(), replace(RECIPE, checkpoint_seconds=0), tmp_path, seed=1)
    assert not list(tmp_path.iterdir())


def test_clipping_bounds_the_step(tmp_path):
    recipe = replace(RECIPE, optimiser="sgd", momentum=0.0, weight_decay=0.0, averaging=0.0, epochs=1, warmup_steps=0)
    task = ToyTask(count=8)
    before = torch.cat([parameter.detach().flatten().clone() for parameter in task.model.parameters()])
    train(task, replace(recipe, clip_norm=1e-3), tmp_path, seed=0)
    after = torch.cat([parameter.detach().flatten() for parameter in task.model.parameters()])
    assert (after - before).norm().item() == pytest.approx(1e-3 * recipe.learning_rate, rel=1e-3)


class TwoParts(ToyTask):
    """A loss of two named parts, as detectors have."""

    def loss(self, model, batch):
        loss = super().loss(model, batch)
        return {"boxes": 0.25 * loss, "classes": 0.75 * loss}


def test_named_parts_are_summed_and_reported(tmp_path):
    whole = train(ToyTask(), RECIPE, tmp_path / "a", seed=1)
    parts = train(TwoParts(), RECIPE, tmp_path / "b", seed=1)
    for a, b in zip(whole.history, parts.history, strict=True):
        if "loss" in a:
            assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)
            assert b["boxes"] == pytest.approx(b["loss"] / 4) and b["classes"] == pytest.approx(0.75 * b["loss"])


def test_evaluation_every_few_epochs_and_after_the_last(tmp_path):
    trained = train(ToyTask(), replace(RECIPE, evaluate_epochs=2), tmp_path, seed=1)
    assert [row["epoch"] for row in trained.history if "top1" in row] == [2, 3]


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    train(ToyTask(), RECIPE, tmp_path, seed=1)
    other = ToyTask(normalise=False)
    with pytest.raises(DataError, match=r"another training: task\.network\.normalise is true there and false here"):
        train(other, RECIPE, tmp_path, seed=1)
    with pytest.raises(DataError, match=r"recipe\.epochs is 3 there and 4 here"):
        train(ToyTask(), replace(RECIPE, epochs=4), tmp_path, seed=1)


def test_data_that_is_too_small_or_ends_too_soon_is_named(tmp_path):
    with pytest.raises(ParameterError, match="batch_size is larger than the number of training images"):
        train(ToyTask(count=7), RECIPE, tmp_path, seed=1)

    class Short(ToyTask):
        def batches(self, epoch, world, first_step):
            return list(super().batches(epoch, world, first_step))[:-1]

    with pytest.raises(DataError, match="the data ended at step 5 of 5 in epoch 1"):
        train(Short(), RECIPE, tmp_path, seed=1)


def test_sixteen_bits_on_the_cpu_when_asked(tmp_path):
    seen = []

    class Watched(ToyTask):
        def loss(self, model, batch):
            logits = model(self.images[batch])
            seen.append(logits.dtype)
            return nn.functional.cross_entropy(logits, self.labels[batch])

    train(Watched(), replace(RECIPE, precision="bfloat16", epochs=1), tmp_path, seed=1)
    assert set(seen) == {torch.bfloat16}


class OnGpu(ToyTask):
    """The same images, brought to a GPU batch by batch."""

    def loss(self, model, batch):
        logits = model(self.images[batch].cuda())
        return nn.functional.cross_entropy(logits.float(), self.labels[batch].cuda())

    def evaluate(self, model, world):
        hits = (model(self.images.cuda()).argmax(1) == self.labels.cuda()).sum().item()
        return {"top1": hits / len(self.labels)}


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_gpu_learns_in_each_precision_and_goes_on_after_an_interruption(precision, tmp_path):
    recipe = replace(RECIPE, epochs=30, precision=precision, checkpoint_seconds=0, report_steps=1)
    world = World(device=torch.device("cuda"))
    with pytest.raises(KeyboardInterrupt):
        train(OnGpu(dropout=0.0), recipe, tmp_path, seed=0, world=world, on_progress=interrupt_at(70))
    trained = train(OnGpu(dropout=0.0), recipe, tmp_path, seed=0, world=world)
    assert trained.metrics["top1"] > 0.8
    assert [row["step"] for row in trained.history if "loss" in row] == list(range(1, 151))


@pytest.mark.gpu
def test_a_loss_on_a_gpu_that_is_not_finite_is_named_with_its_step(tmp_path):
    class PoisonedOnGpu(OnGpu):
        def loss(self, model, batch):
            return super().loss(model, batch) * (float("nan") if 3 in batch.tolist() else 1)

    with pytest.raises(NasgemError, match=r"the loss was nan in epoch 1, step \d of 5, with the images .*image 3"):
        train(PoisonedOnGpu(), RECIPE, tmp_path, seed=0, world=World(device=torch.device("cuda")))
