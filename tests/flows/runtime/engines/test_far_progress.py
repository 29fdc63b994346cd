import threading
from pathlib import Path

import pytest
import torch

from flows.runtime.engines import far_progress
from flows.runtime.engines.far_progress import FarProgress
from nasgem_core.training.checkpoint import Checkpoint, Reached, save_checkpoint


class FakeEngine:
    """A cluster with machines in folders of their own."""

    def __init__(self, machines: list[Path], *, sees_folder: bool = False) -> None:
        self.machines, self.sees_folder = machines, sees_folder
        self.asked = 0

    def ask(self, function, folders):
        self.asked += 1
        return [function([machine / folder for folder in folders]) for machine in self.machines]


def reach(folder: Path, step: int) -> Reached:
    history = tuple({"step": float(each)} for each in range(1, step + 1))
    save_checkpoint(folder, Checkpoint({}, step, step, {"w": torch.ones(1)}, {}, history))
    return Reached(step, step, history)


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(far_progress, "ASKED_EVERY", 0.0)


def answered(progress: FarProgress) -> list[Reached]:
    """Return what is known when all machines have answered."""
    progress.look()
    progress._question.join()
    found = progress.look()
    progress._question.join()
    return found


def test_machines_say_how_far_they_are_and_the_farthest_counts(here, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    progress = FarProgress(FakeEngine([one, two]), [Path("a"), Path("b")])
    assert answered(progress) == [Reached(), Reached()]
    far, near = reach(one / "a", 3), reach(two / "b", 1)
    reach(two / "a", 2)
    assert answered(progress) == [far, near]
    (one / "a/last.safetensors").unlink()
    assert answered(progress) == [far, near], "the machine that was farther has ended"
    own = reach(Path("a"), 4)
    assert answered(progress) == [own, near]


def test_machines_are_not_asked_at_every_look(here, tmp_path, monkeypatch):
    monkeypatch.setattr(far_progress, "ASKED_EVERY", 15.0)
    engine = FakeEngine([tmp_path])
    progress = FarProgress(engine, [Path("a")])
    answered(progress)
    assert engine.asked == 1


def test_nobody_waits_for_a_machine_that_hangs(here, tmp_path):
    engine, hanging = FakeEngine([tmp_path]), threading.Event()
    engine.ask = lambda *_: hanging.wait()
    progress = FarProgress(engine, [Path("a")])
    assert [progress.look() for _ in range(3)] == [[Reached()]] * 3
    hanging.set()


def test_a_cluster_that_is_gone_is_explained_elsewhere(here, tmp_path):
    engine = FakeEngine([tmp_path])
    engine.ask = lambda *_: 1 / 0
    assert answered(FarProgress(engine, [Path("a")])) == [Reached()]


def test_workers_of_this_folder_are_not_asked(here, tmp_path):
    engine = FakeEngine([tmp_path], sees_folder=True)
    far = reach(Path("a"), 2)
    assert FarProgress(engine, [Path("a")]).look() == [far] and not engine.asked
