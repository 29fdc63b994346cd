"""A search read from its folder."""

import pytest

from nasgem_core.errors import NasgemError
from tasks.run.parameters import complete
from tasks.stages.imagenet_table import METRICS_FILE
from tasks.stages.searched_folder import read_folder
from tasks.store.artifacts import write_json
from tests.tasks.made_up_search import KEYS, write_made_up_search


def test_a_folder_is_read_where_it_is(tmp_path, monkeypatch):
    folder = tmp_path / "flowers"
    folder.mkdir()
    with monkeypatch.context() as there:
        there.chdir(folder)
        write_made_up_search()
        write_json(METRICS_FILE, "nasgem.metrics/1", {"networks": {"gemnet_a": {"top1_mean": 0.5}}})
        (folder / "own.yaml").write_text("seed: 3\n")
        (folder / "params.yaml").write_bytes(complete(folder / "own.yaml"))
    monkeypatch.chdir(tmp_path)
    found = read_folder(folder)
    assert (found.name, found.chosen, found.parameters["seed"]) == ("flowers", KEYS[0], "3")
    assert found.accuracy == pytest.approx([0.6, float("nan"), 0.5], nan_ok=True)
    assert found.figures["expected_score"] == 0.58 and "finalists" not in found.figures
    assert found.figures["top1_gemnet_a"] == 0.5
    assert found.costs.keys() == {"macs", "params"}


def test_what_is_missing_is_named_with_the_folder(tmp_path):
    with pytest.raises(NasgemError, match=rf"^{tmp_path}: params.yaml: params.yaml is missing"):
        read_folder(tmp_path)
    with pytest.raises(NasgemError, match="none cannot be read"):
        read_folder(tmp_path / "none")
