import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.mlflow_runs.outbox import Outbox
from tasks.mlflow_runs.run_record import Dataset, RunRecord
from tasks.mlflow_runs.tracking import Tracking


def export_nothing(model: FullyConnectedModel, path: Path, logged: Any) -> None:
    path.mkdir()
    (path / "MLmodel").write_text("{}")


def full_record(key: str, status: Any) -> RunRecord:
    with_model = status == "FINISHED"
    return RunRecord(
        key=key,
        name="bootstrap",
        kind="stage",
        parent="a parent that never came",
        params={"seed": 1, "encoder.dimension": 32},
        metrics=[("accuracy", 0.5, 0), *[("loss", 1 / (i + 1), i) for i in range(3)]],
        tags={"git.dirty": "false"},
        inputs=[Dataset("cifar10_proxy", "d" * 64, "data/raw")],
        files={"cells/cell.json": np.frombuffer(b"{}", np.uint8)},
        models=[FullyConnectedModel.from_modules("encoder", nn.Sequential(nn.Linear(3, 2)))] if with_model else [],
        status=status,
    )


@pytest.mark.parametrize(("status", "calls"), [("RUNNING", 7), ("FINISHED", 13)])
def test_a_failure_at_any_call_leaves_one_whole_run(place, tmp_path, monkeypatch, status, calls):
    # Failing after the n-th call leaves in MLflow what failing before the next one leaves.
    monkeypatch.setattr("tasks.mlflow_runs.models._export", export_nothing)
    outbox = Outbox(tmp_path / "outbox", pytest.fail)
    outbox.put(full_record(f"whole-{status}", status))
    outbox.deliver(place.writer().write)
    expected = place.content(f"whole-{status}")
    assert expected["params"] == {"seed": "1", "encoder.dimension": "32"}
    assert expected["metrics"] == {"accuracy": [(0, 0.5)], "loss": [(0, 1.0), (1, 1 / 2), (2, 1 / 3)]}
    assert (expected["status"], expected["inputs"]) == (status, [("cifar10_proxy", "d" * 36)])
    assert (expected["artifacts"], expected["models"]) == (
        ["cells/cell.json"],
        [("encoder", "READY")] if status == "FINISHED" else [],
    )
    del expected["tags"]["nasgem.digest"]  # the key is part of it

    for failing_call in itertools.count(1):
        key = f"crash-{status}-{failing_call}"
        outbox.put(full_record(key, status))
        try:
            outbox.deliver(place.writer(place.unreliable_client(failing_call)).write)
        except ConnectionError:
            assert len(outbox.pending()) == 1
            outbox.deliver(place.writer().write)
            content = place.content(key)
            assert len(content["tags"].pop("nasgem.digest")) == 40
            assert content == expected
        else:
            break
    # Look up twice, create, inputs, artifact, [five for the model], children, values, [end].
    assert failing_call == calls + 1


def test_delivering_again_changes_nothing(place, tmp_path):
    record = RunRecord("again", "again", "cell", params={"a": 1}, metrics=[("accuracy", 0.5, 0)])
    place.tracking.log(record)
    before = place.run("again")
    client = place.unreliable_client()
    outbox = Outbox(tmp_path, pytest.fail)
    outbox.put(record)
    outbox.deliver(place.writer(client).write)
    assert client.calls == 1  # the look-up
    assert place.run("again").to_dictionary() == before.to_dictionary()


def test_a_running_search_becomes_finished_and_a_replay_leaves_it_the_same_run(place):
    running = RunRecord("s1", "s1", "search", params={"seed": 1}, metrics=[("best_score", 0.1, 0)], status="RUNNING")
    finished = RunRecord(
        "s1", "s1", "search", params={"seed": 1}, metrics=[("best_score", 0.1, 0), ("best_score", 0.2, 1)]
    )
    place.tracking.log(running)
    assert place.run("s1").info.status == "RUNNING"
    run_id = place.run("s1").info.run_id
    for record in (finished, running, finished):
        place.tracking.log(record)
        assert (place.run("s1").info.run_id, place.run("s1").info.status) == (run_id, record.status)
    points = place.client.get_metric_history(run_id, "best_score")
    assert [(point.step, point.value) for point in points] == [(0, 0.1), (1, 0.2)]


def test_a_finished_search_keeps_its_figures_when_a_later_command_ends_without_any(place):
    search = RunRecord("a-finished-search", "search", "search", params={"seed": 1}, status="RUNNING")
    for record in (
        replace(search, status="FINISHED", metrics=[("best_score", 0.4, 0)]),
        search,
        replace(search, status="FINISHED"),
    ):
        place.tracking.log(record)
        run = place.run(search.key)
        assert (run.data.metrics, run.info.status) == ({"best_score": 0.4}, record.status)


def test_no_run_ends_before_it_has_begun_even_when_the_clock_was_set_back(place):
    place.tracking.log(RunRecord("back", "back", "stage", status="RUNNING", started=90_000.0))
    place.tracking.log(RunRecord("back", "back", "stage", started=90_000.0, ended=3_600.0))
    info = place.run("back").info
    assert (info.status, info.start_time, info.end_time) == ("FINISHED", 90_000_000, 90_000_000)


def test_a_training_that_was_stopped_keeps_its_run_and_points(place):
    begun = RunRecord("t1", "t1", "training", params={"seed": 0}, metrics=[("loss", 2.0, 10)], status="RUNNING")
    place.tracking.log(begun)
    run_id = place.run("t1").info.run_id
    stopped = replace(begun, metrics=[], status="KILLED")
    more = replace(begun, metrics=[("loss", 1.0, 20)])
    for record in (stopped, more, stopped):
        place.tracking.log(record)
        assert (place.run("t1").info.run_id, place.run("t1").info.status) == (run_id, record.status)
    assert [point.value for point in place.client.get_metric_history(run_id, "loss")] == [2.0, 1.0]


@pytest.mark.parametrize(
    "other", [{"params": {"seed": 2}, "metrics": [("accuracy", 0.5, 0)]}, {"params": {"seed": 1}, "metrics": []}]
)
def test_a_contradicting_record_replaces_the_run_and_keeps_the_children(place, other):
    key = f"replaced-{len(other['metrics'])}"
    place.tracking.log(RunRecord(key, "p", "stage", params={"seed": 1}, metrics=[("accuracy", 0.5, 0)]))
    place.tracking.log(RunRecord(f"{key}-child", "c", "cell", parent=key))
    old = place.run(key).info.run_id
    place.tracking.log(RunRecord(key, "p", "stage", **other))
    assert place.run(key).info.run_id != old
    assert place.run(f"{key}-child").data.tags["mlflow.parentRunId"] == place.run(key).info.run_id


def test_children_find_their_parent_whichever_comes_first(place):
    place.tracking.log(RunRecord("early", "early", "cell", parent="family"))
    place.tracking.log(RunRecord("family", "family", "search"))
    place.tracking.log(RunRecord("late", "late", "cell", parent="family"))
    parent = place.run("family").info.run_id
    assert [place.run(key).data.tags["mlflow.parentRunId"] for key in ("early", "late")] == [parent, parent]


def test_values_that_mlflow_does_not_take_are_left_out_or_shortened(place):
    metrics = [("accuracy", float("nan"), 0), ("loss", float("inf"), 0), ("score", 0.5, 0)]
    params = {"long": "x" * 7000} | {f"p{i}": i for i in range(250)}
    metrics += [("curve", i / 7, i) for i in range(250)]
    place.tracking.log(RunRecord("limits", "limits", "cell", params=params, metrics=metrics, tags={"t": "y" * 9000}))
    data = place.run("limits").data
    assert data.params["long"] == "x" * 5997 + "..." and data.tags["t"] == "y" * 7997 + "..."
    assert {name: data.params[name] for name in ("p0", "p99", "p100", "p249")} == {
        "p0": "0",
        "p99": "99",
        "p100": "100",
        "p249": "249",
    }
    assert data.metrics == {"score": 0.5, "curve": 249 / 7}
    points = place.client.get_metric_history(place.run("limits").info.run_id, "curve")
    assert [(point.step, point.value) for point in points] == [(i, i / 7) for i in range(250)]


def test_a_name_that_mlflow_refuses_does_not_hold_up_the_next_run(place, tmp_path):
    warnings: list[str] = []
    tracking = Tracking(place.tracking.uri, Outbox(tmp_path, warnings.append), place.writer(), pytest.fail)
    tracking.log(RunRecord("refused", "refused", "cell", metrics=[("a*b", 1.0, 0)]))
    tracking.log(RunRecord("next", "next", "cell"))
    assert len(warnings) == 1 and "MLflow refuses run refused" in warnings[0] and "a*b" in warnings[0]
    assert place.run("next").info.status == "FINISHED"
    assert tracking.close() == 0
