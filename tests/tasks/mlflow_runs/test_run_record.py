import numpy as np
import pytest
from torch import nn

from nasgem_core.errors import DataError
from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.mlflow_runs.run_record import Dataset, RunRecord, read_files
from tasks.store.serialization import decode, encode


def test_a_record_comes_back_from_its_plain_form(tmp_path):
    (tmp_path / "curve.json").write_text("[1, 2]")
    model = FullyConnectedModel.from_modules("encoder", nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1)))
    record = RunRecord(
        key="search/é",
        name="a search",
        kind="search",
        parent="all",
        params={"seed": 3},
        metrics=[("best_score", 0.1 + 0.2, 0), ("loss", float("nan"), 1), ("loss", float("inf"), 2), ("loss", 2, 3)],
        tags={"git.dirty": "false"},
        inputs=[Dataset("cifar", "abc", "data/raw")],
        files=read_files([tmp_path / "curve.json"]),
        models=[model],
        status="FAILED",
        started=5.0,
        ended=6.0,
    )
    read = RunRecord.from_plain(decode(encode(record.to_plain())))
    assert (read.key, read.name, read.kind, read.parent) == ("search/é", "a search", "search", "all")
    assert read.params == {"seed": "3"}
    assert read.metrics == [["best_score", 0.1 + 0.2, 0], ["loss", 2.0, 3]]
    assert read.tags == {"git.dirty": "false"}
    assert read.inputs == [Dataset("cifar", "abc", "data/raw")]
    assert {name: content.tobytes() for name, content in read.files.items()} == {"curve.json": b"[1, 2]"}
    assert read.models[0].name == "encoder"
    np.testing.assert_array_equal(read.models[0].members[0][1][0], model.members[0][1][0])
    assert (read.status, read.started, read.ended) == ("FAILED", 5.0, 6.0)
    for other in ({}, {"inputs": [], "models": []}, record.to_plain() | {"more": 1}):
        with pytest.raises((KeyError, TypeError)):
            RunRecord.from_plain(other)


@pytest.mark.parametrize(
    "other",
    [
        {"params": {"seed": 4}},
        {"metrics": [("loss", 0.5, 1)]},
        {"files": {"x": np.ones(3, np.uint8)}},
        {"files": {"y": np.zeros(3, np.uint8)}},
        {"models": [FullyConnectedModel("a", [[(np.ones((1, 2), np.float32), np.zeros(1, np.float32))]])]},
        {"status": "RUNNING"},
    ],
)
def test_the_digest_is_of_all_content_and_not_of_the_time(other):
    content = {
        "params": {"seed": 3},
        "metrics": [("loss", 0.5, 0)],
        "files": {"x": np.zeros(3, np.uint8)},
        "models": [FullyConnectedModel("a", [[(np.ones((1, 2), np.float32), np.ones(1, np.float32))]])],
    }
    first = RunRecord("a", "a", "stage", **content)
    assert first.digest() == RunRecord("a", "a", "stage", started=1.0, ended=2.0, **content).digest()
    assert first.digest() != RunRecord("a", "a", "stage", **content | other).digest()


def test_a_missing_artifact_is_an_error_where_the_record_is_made(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.txt is not a file"):
        read_files([tmp_path / "nowhere.txt"])


@pytest.mark.parametrize("key", ["", "it's", "a" * 251])
def test_keys_that_cannot_be_looked_up_are_refused(key):
    with pytest.raises(DataError, match="1 to 250 characters without quotes"):
        RunRecord(key, "a", "cell")
