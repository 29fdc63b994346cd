from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from flows.stages import live_training
from flows.stages.live_training import LIVE_SECONDS, LiveTraining, draw_curves, logging_rows, register, say_removed
from nasgem_core.errors import NasgemError
from nasgem_core.training.task import Progress
from tasks.mlflow_runs.records import TrainingRun


class FakeRecords:
    """Keeps what is logged of trainings."""

    def __init__(self) -> None:
        self.sent, self.stops = [], []

    def training(self, run, points, *, artifacts=(), finished) -> None:
        self.sent.append((run, [*points], [*artifacts], finished))

    def training_stopped(self, run, status) -> None:
        self.stops.append((run, status))


@pytest.fixture
def live():
    """Give a training that is shown: `live.steps` is what it shows, `live.time.now` its clock."""
    shown: list[tuple[int, dict[str, float]]] = []
    clock = SimpleNamespace(now=0.0)
    training = LiveTraining(
        records=FakeRecords(),
        run=TrainingRun("coco", "net-0", {"seed": 0}),
        shown=("loss", "AP"),
        on_step=lambda step, figures: shown.append((step, dict(figures))),
        clock=lambda: clock.now,
    )
    training.steps, training.time = shown, clock
    return training


def progress(step: int, recorded: bool = True, **metrics: float) -> Progress:
    return Progress(epoch=1, epochs=2, step=step, steps=4, metrics=metrics, recorded=recorded)


def test_the_latest_figures_are_shown_at_every_step(live):
    live.report(progress(1, loss=2.0, speed=9.0))
    live.report(progress(2, AP=0.5))
    assert live.steps == [(1, {"loss": 2.0}), (2, {"loss": 2.0, "AP": 0.5})]
    assert not live.records.sent


def test_curves_are_sent_every_now_and_then_and_each_point_once(live):
    live.report(progress(1, loss=2.0))
    live.time.now = LIVE_SECONDS
    live.report(progress(2, loss=1.0))
    live.report(progress(3, recorded=False, loss=0.7))
    live.time.now = 2 * LIVE_SECONDS
    live.report(progress(4, loss=0.5))
    (_, first, _, finished), (_, second, *_) = live.records.sent
    assert not finished
    assert [(name, value) for name, value, _ in first if name == "loss"] == [("loss", 2.0), ("loss", 1.0)]
    assert [(name, value) for name, value, _ in second if name == "loss"] == [("loss", 0.5)]


def test_pictures_are_sent_at_once(live):
    live.report(progress(1, loss=2.0), [Path("a.png")])
    assert [artifacts for _, _, artifacts, _ in live.records.sent] == [[Path("a.png")]]


def test_the_end_is_logged_whole(live):
    live.finish([{"epoch": 1, "step": 1, "loss": 2.0}, {"epoch": 2, "step": 2, "loss": 1.0}])
    ((run, points, _, finished),) = live.records.sent
    assert run == live.run and finished and {value for label, value, _ in points if label == "loss"} == {2.0, 1.0}


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_stop_is_logged(live, error, status):
    with pytest.raises(error), live:
        raise error
    assert live.records.stops == [(live.run, status)]
    with live:
        pass
    assert len(live.records.stops) == 1


def test_a_network_that_cannot_be_registered_is_named(monkeypatch):
    said = []
    monkeypatch.setattr(live_training, "say", said.append)
    register("net-0", lambda: None)
    assert said == []

    def fail() -> None:
        raise NasgemError("MLflow is away")

    register("net-0", fail)
    assert said == ["  net-0 is not registered: MLflow is away; run the stage again to register it"]


def test_networks_that_were_removed_are_named(monkeypatch):
    said = []
    monkeypatch.setattr(live_training, "say", said.append)
    say_removed(Path("data/coco"), [])
    say_removed(Path("data/coco"), ["a-0", "b-1"])
    (line,) = said
    assert line.startswith("  removed from data/coco, because params.yaml no longer asks for them: a-0, b-1; their")


def test_curves_of_each_network_have_one_colour_and_each_panel_its_column(monkeypatch):
    drawn = []
    monkeypatch.setattr(live_training, "draw_training", lambda curves, title: drawn.append((curves, title)))
    monkeypatch.setattr(live_training, "figure_png", lambda figure: b"png")
    rows = [
        {"network": name, "seed": seed, "step": step, "loss": 1.0 / step, "top1": 0.1 * step if step > 1 else None}
        for name, seed in (("a", 0), ("a", 1), ("b", 0))
        for step in (1, 2)
    ]
    panels = {"accuracy": "top1", "loss": "loss", "nothing": "other"}
    assert draw_curves(pd.DataFrame(rows), ("network", "seed"), panels, epochs=4, title="Networks") == b"png"
    ((curves, title),) = drawn
    assert title == "Networks" and set(curves) == set(panels)
    assert curves["loss"] == {"a": [[(2.0, 1.0), (4.0, 0.5)]] * 2, "b": [[(2.0, 1.0), (4.0, 0.5)]]}
    assert curves["accuracy"]["b"] == [[(4.0, 0.2)]] and curves["nothing"]["b"] == [[]]


def test_nothing_trained_is_an_empty_picture():
    empty = pd.DataFrame(columns=["network", "step", "loss"])
    assert draw_curves(empty, ("network",), {"loss": "loss"}, epochs=1, title="x").startswith(b"\x89PNG")


def test_trainings_somewhere_else_are_logged_and_only_those_that_began_were_stopped():
    records, runs = FakeRecords(), {name: TrainingRun("imagenet", name, {}) for name in ("a-0", "a-1")}
    with pytest.raises(KeyboardInterrupt), logging_rows(records, runs) as log:
        log("a-1", [{"epoch": 1, "step": 1, "loss": 2.0}])
        raise KeyboardInterrupt
    ((run, points, _, finished),) = records.sent
    assert run == runs["a-1"] and not finished and [value for name, value, _ in points if name == "loss"] == [2.0]
    assert records.stops == [(runs["a-1"], "KILLED")]
