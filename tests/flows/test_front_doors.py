"""Two front doors, one cache: the search flow and `dvc repro` never redo each other's work, nor serve stale results."""

import json
import shutil

import pytest

from tests.flows.workspace import STAGE_FOLDERS, Workspace, assert_only_grown

pytestmark = pytest.mark.slow
STAGES = ("estimator", "bootstrap")
PAGE = "data/report/report.html"


def up_to_date(workspace: Workspace) -> bool:
    return "up to date" in workspace.succeed("dvc", "status")


def test_after_a_search_dvc_has_nothing_to_do(searched):
    hashes, records = searched.hashes(), searched.records("")
    assert up_to_date(searched)
    text = searched.succeed("dvc", "repro")
    assert "Running stage" not in text and "up to date" in text
    assert (searched.hashes(), searched.records("")) == (hashes, records)


@pytest.mark.nightly
def test_after_dvc_repro_the_search_trains_nothing(fresh, searched_folder):
    fresh.succeed("dvc", "repro")
    assert up_to_date(fresh)
    hashes, records = fresh.hashes(), fresh.records("")
    assert {**searched_folder.hashes(), PAGE: hashes[PAGE]} == hashes, "the page says when and how long"
    assert records.keys() == searched_folder.records("").keys()
    fresh.succeed("nasgem", "search")
    assert up_to_date(fresh)
    assert (fresh.hashes(), fresh.records("")) == (hashes, records)


def test_deleted_outputs_come_back_with_the_same_bytes(searched):
    hashes, records = searched.hashes(), searched.records("")
    for name in STAGE_FOLDERS:
        shutil.rmtree(searched.root / "data" / name)
    searched.succeed("nasgem", "search")
    assert (searched.hashes(), searched.records("")) == (hashes, records)
    shutil.rmtree(searched.root / "data" / "encoder")
    searched.succeed("dvc", "repro")
    assert (searched.hashes(), searched.records("")) == (hashes, records)
    assert up_to_date(searched)


@pytest.mark.nightly
def test_other_predictor_parameters_train_no_cell_again(searched):
    trained, encoders, predictors = searched.records(), searched.records("encoder-fit"), searched.records("predictor")
    hashes = searched.hashes("pairs", "labels", "encoder", "ablation")
    searched.succeed("nasgem", "search", "--set", "predictor.iterations=80")
    assert_only_grown(trained, searched.records())
    assert searched.records("encoder-fit") == encoders
    assert len(searched.records("predictor")) > len(predictors)
    assert searched.hashes("pairs", "labels", "encoder", "ablation") == hashes
    assert "iterations: 80" in (searched.root / "params.yaml").read_text()
    assert up_to_date(searched)


@pytest.mark.nightly
def test_changed_code_of_the_encoder_runs_the_encoder_again(searched):
    searched = searched.own_code()
    trained, encoders, pairs = searched.records(), searched.records("encoder-fit"), searched.records("pair")
    helper = searched.root / "nasgem_core" / "encoders" / "ordering.py"
    helper.write_text(helper.read_text() + "\n\nUNUSED = 1\n")
    changed = searched.succeed("dvc", "status")
    assert "encoder:" in changed and "pairs:" not in changed
    searched.succeed("dvc", "repro", "encoder")
    assert len(searched.records("encoder-fit")) == 2 * len(encoders)
    assert (searched.records(), searched.records("pair")) == (trained, pairs)


@pytest.mark.nightly
def test_dvc_runs_one_stage_alone(searched):
    hashes, records = searched.hashes(), searched.records("")
    searched.succeed("dvc", "repro", "-s", "-f", "labels")
    assert (searched.hashes(), searched.records("")) == (hashes, records)
    assert up_to_date(searched)


@pytest.mark.nightly
def test_refreshing_does_the_work_anew(searched):
    hashes, records = searched.hashes(), searched.records("pair")
    searched.succeed("nasgem", "stage", "pairs", PREFECT_TASKS_REFRESH_CACHE="true")
    assert searched.hashes() == hashes
    storage = searched.root / ".nasgem" / "prefect" / "storage"
    assert searched.records("pair").keys() == records.keys()
    (name,) = records
    assert (storage / name).stat().st_mtime > (searched.root / "data" / "metrics" / "report.json").stat().st_mtime


@pytest.mark.nightly
def test_another_penalty_or_budget_trains_nothing(searched):
    hashes, trained = searched.hashes(), searched.records()
    text = searched.succeed("nasgem", "select", "--macs", "10k", "--penalty", "0.01", "--top", "3")
    assert "nothing was trained" in text and "at most 0.01 M MACs" in text
    text = searched.succeed("nasgem", "select", "--top", "2")
    listed = text[text.index("not trained yet") :].strip().splitlines()[-1].split()[0]
    assert f"key       {listed}" in searched.succeed("nasgem", "show", listed)
    assert (searched.hashes(), searched.records()) == (hashes, trained)
    assert up_to_date(searched)
    assert "have more than 1 MACs: raise" in searched.refused("nasgem", "select", "--macs", "1")


DIVERGING = """

def train_cell(cell, images, config, seed, *, device, _train=train_cell):
    result = _train(cell, images, config, seed, device=device)
    return replace(result, accuracy=math.nan, failed=True, reason="the loss was nan") if {} else result
"""


@pytest.mark.nightly
def test_trainings_that_diverge_are_recorded_and_the_search_goes_on(searched):
    searched = searched.own_code()
    module = searched.root / "tasks" / "stages" / "proxy.py"
    source = module.read_text()
    begun = "import math\nfrom dataclasses import replace\n"

    module.write_text(f"{source}\n{begun}{DIVERGING.format('cell.num_vertices % 2')}")
    searched.succeed("nasgem", "search")
    metrics = {name: json.loads((searched.root / "data/metrics" / f"{name}.json").read_text()) for name in STAGES}
    assert 0 < metrics["estimator"]["failed_cells"] < metrics["estimator"]["trained_cells"]
    assert metrics["bootstrap"]["best_score"] > 0
    assert up_to_date(searched)

    module.write_text(f"{source}\n{begun}{DIVERGING.format('True')}")
    message = searched.refused("nasgem", "search")
    assert " trainings failed (the loss was nan)" in message and "change proxy.learning_rate" in message


@pytest.mark.nightly
def test_the_search_notices_that_its_parameters_were_changed_meanwhile(searched):
    lock = (searched.root / "dvc.lock").read_bytes()
    process = searched.start("nasgem", "search", output=searched.root / ".nasgem" / "log")
    searched.wait_for_line(searched.root / ".nasgem" / "log", "stage estimator")
    params = searched.root / "params.yaml"
    params.write_text(params.read_text().replace("penalty: 0.1", "penalty: 0.2"))
    assert process.wait(300) == 1
    assert "was changed while the search was running" in (searched.root / ".nasgem" / "log").read_text()
    assert (searched.root / "dvc.lock").read_bytes() == lock
    assert not up_to_date(searched)
