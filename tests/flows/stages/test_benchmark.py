"""The benchmark from the command line: import a table, try predictors on it, go on where it stopped."""

import json

import pandas as pd
import pytest

from tests.benchmarks.synthetic import synthetic_table
from tests.flows.workspace import Workspace, assert_only_grown

pytestmark = pytest.mark.slow
RUN = ("nasgem", "benchmark", "run", "--workers", "1")
MINE = ("--set", "benchmark.tables=[mine]", "--set", "benchmark.sizes=[30, 60]")


@pytest.fixture
def imported(fresh) -> Workspace:
    table = synthetic_table(400)
    columns = {name: table.metrics[name] for name in ("label", "truth", "params")}
    frame = pd.DataFrame({"cell": [cell.to_json() for cell in table.cells], **columns})
    frame.to_parquet(fresh.root / "mine.parquet")
    text = fresh.succeed(
        "nasgem", "benchmark", "import", "mine", "mine.parquet", "--label", "label", "--truth", "truth"
    )
    assert "data/tables/mine.parquet: 400 cells, label label, truth truth" in text
    return fresh


def taus(workspace: Workspace) -> dict[str, float]:
    document = json.loads((workspace.root / "data" / "metrics" / "benchmark.json").read_text())
    assert 0.5 < document["tables"]["mine"]["one_label"]["kendall_tau"] < 1
    return {name: sizes["60"]["kendall_tau"][0] for name, sizes in document["tables"]["mine"]["predictors"].items()}


def test_predictors_are_tried_once_and_compared(imported):
    chosen = ("--set", "benchmark.predictors=[gaussian_process, parameters, random]")
    text = imported.succeed(*RUN, *MINE, *chosen)
    assert "mine: Kendall tau" in text
    found = taus(imported)
    assert found["gaussian_process"] > found["parameters"] + 0.1 > found["random"]
    hashes, trials = imported.hashes("benchmark", "metrics"), imported.records("predictor-trial")
    assert len(trials) == 3 * 2 * 2
    imported.succeed(*RUN)
    assert (imported.hashes("benchmark", "metrics"), imported.records("predictor-trial")) == (hashes, trials)
    imported.succeed(*RUN, "--set", "benchmark.splits=3")
    assert_only_grown(trials, imported.records("predictor-trial"))
    assert len(imported.records("predictor-trial")) == 3 * 2 * 3
    folder = imported.root / "data" / "benchmark"
    assert list(folder.glob("mine_*.png"))
    imported.succeed(*RUN, "--set", "benchmark.tables=[]")
    assert not list(folder.glob("*.png")), "pictures of a table that is not named any more"


@pytest.mark.nightly
def test_what_is_missing_or_wrong_is_named(imported):
    line = imported.refused(*RUN, "--set", "benchmark.tables=[other]")
    assert "data/tables/other.parquet is missing (imported: mine)" in line
    line = imported.refused("nasgem", "search")
    assert "data/tables/other.parquet is missing" in line
    assert not (imported.root / "data" / "pairs").exists(), "a search says so before it begins"
    line = imported.refused(*RUN, *MINE, "--set", "benchmark.predictors=[oracle]")
    assert "benchmark.predictors holds 'oracle': known are ensemble" in line
    line = imported.refused(*RUN, *MINE[:2], "--set", "benchmark.predictors=[random]", "--set", "benchmark.sizes=[395]")
    assert "benchmark.sizes: 395 training cells of table 'mine', which has 400" in line
    line = imported.refused("nasgem", "benchmark", "import", "other", "mine.parquet")
    assert "say with --label" in line
    (imported.root / "broken.parquet").write_bytes((imported.root / "mine.parquet").read_bytes()[:-100])
    line = imported.refused("nasgem", "benchmark", "import", "mine", "broken.parquet", "--label", "label")
    assert "broken.parquet cannot be read as a table" in line
    assert (imported.root / "data" / "tables" / "mine.parquet").is_file()
