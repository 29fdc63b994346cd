"""NASGEM-Bench on the command line: trained once, cut short and continued, and out of the way of a search."""

import json
import shutil
import signal

import pytest

from nasgem_core.benchmarks.table import read_table
from tests.flows.workspace import ROOT, Workspace, assert_only_grown

pytestmark = pytest.mark.slow
FOLDER = "data/nasgem_bench"


@pytest.fixture(scope="module")
def trained(pristine: Workspace, prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a folder in which the stage has run for 7 cells, two of them twice."""
    workspace = pristine.copy(tmp_path_factory.mktemp("nasgem_bench") / "repository").using(prefect_api)
    text = workspace.succeed("nasgem", "stage", "nasgem_bench")
    assert "20 cells of at most 4 vertices exist, 7 are drawn" in text
    return workspace


@pytest.fixture
def bench(trained: Workspace, tmp_path) -> Workspace:
    return trained.copy(tmp_path / "repository")


def files(workspace: Workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (workspace.root / FOLDER).iterdir() if path.suffix != ".yaml"}


def change(workspace: Workspace, old: str, new: str) -> None:
    params = workspace.root / "params.yaml"
    assert old in params.read_text()
    params.write_text(params.read_text().replace(old, new))


def test_the_table_holds_what_was_trained(bench):
    table = read_table(bench.root / FOLDER / "table.parquet")
    metrics = json.loads((bench.root / FOLDER / "metrics.json").read_text())
    assert len(table) == metrics["cells"] == 7 and table.metrics["runs"].tolist() == [2, 2, 1, 1, 1, 1, 1]
    assert (metrics["trainings"], metrics["failed_trainings"]) == (9, 0)
    repeated = table.metrics["accuracy"] != table.metrics["accuracy_mean"]
    assert repeated[:2].any() and not repeated[2:].any(), "another run has another seed"
    assert len(bench.records()) == 9


@pytest.mark.nightly
def test_running_again_writes_the_same_bytes_and_trains_nothing(bench):
    written, records = files(bench), bench.records()
    shutil.rmtree(bench.root / FOLDER)
    bench.succeed("nasgem", "stage", "nasgem_bench")
    assert files(bench) == written and bench.records() == records


@pytest.mark.nightly
def test_fewer_cells_are_the_first_ones_and_more_go_on_from_there(bench):
    table, records = read_table(bench.root / FOLDER / "table.parquet"), bench.records()
    change(bench, "cells: 7", "cells: 4")
    bench.succeed("nasgem", "stage", "nasgem_bench")
    part = read_table(bench.root / FOLDER / "table.parquet")
    assert list(part.cells) == list(table.cells)[:4]
    assert part.metrics["accuracy"].tolist() == table.metrics["accuracy"].tolist()[:4]
    assert bench.records() == records
    change(bench, "cells: 4", "cells: 8")
    bench.succeed("nasgem", "stage", "nasgem_bench")
    assert len(read_table(bench.root / FOLDER / "table.parquet")) == 8
    assert_only_grown(records, bench.records())
    assert len(bench.records()) == 10


def test_more_cells_than_exist_are_refused(bench):
    change(bench, "cells: 7", "cells: 21")
    assert "21 cells are to be drawn and 20 exist" in bench.refused("nasgem", "stage", "nasgem_bench")


@pytest.mark.nightly
def test_killed_and_started_again_it_gives_the_same_files(fresh, trained):
    log = fresh.root / "log"
    process = fresh.start("nasgem", "stage", "nasgem_bench", "--workers", "1", output=log)
    while process.poll() is None and len(fresh.records()) < 3:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    fresh.wait_until_deserted()
    kept = fresh.records()
    assert 3 <= len(kept) < 9
    fresh.succeed("nasgem", "stage", "nasgem_bench")
    assert files(fresh) == files(trained)
    assert_only_grown(kept, fresh.records())


def test_a_published_table_is_no_business_of_the_search(searched, trained):
    shutil.copytree(trained.root / FOLDER, searched.root / FOLDER)
    shutil.copy(ROOT / FOLDER / "dvc.yaml", searched.root / FOLDER)
    searched.succeed("dvc", "commit", "--force", f"{FOLDER}/dvc.yaml")
    records = searched.records("")
    change(searched, "cells: 7", "cells: 6")
    assert "Running stage" not in searched.succeed("dvc", "repro")
    assert "up to date" in searched.succeed("dvc", "status")
    assert searched.records("") == records
    searched.succeed("dvc", "repro", "--force", f"{FOLDER}/dvc.yaml")
    assert len(read_table(searched.root / FOLDER / "table.parquet")) == 6
    assert "up to date" in searched.succeed("dvc", "status")
