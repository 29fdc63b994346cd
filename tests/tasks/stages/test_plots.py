"""The tables that `dvc plots` draws."""

import pandas as pd
from ruamel.yaml import YAML

from tasks.stages.plots import CELLS_FILE, PLOTS, PROGRESS_FILE, write_plotted
from tests.tasks.made_up_search import KEYS, write_made_up_search


def test_the_tables_have_what_dvc_is_to_draw(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = write_made_up_search()
    assert write_plotted(results) == (PROGRESS_FILE, CELLS_FILE)
    progress, cells = pd.read_csv(PROGRESS_FILE), pd.read_csv(CELLS_FILE)
    assert list(progress["trained"]) == [1, 2, 3], "a failed training counts"
    assert list(progress["search"]) == sorted(progress["search"]) and progress["search"].notna().all()
    assert progress["random"].notna().sum() == 2 and progress["random"][0] < progress["random"][1]
    assert set(cells["cell"]) == {KEYS[0], *KEYS[2:]} and cells["accuracy"].max() == 0.6
    drawn = YAML(typ="safe").load(PLOTS)["plots"]
    for plot in drawn:
        for spec in plot.values() if isinstance(plot, dict) else ():
            for path, names in spec["y"].items():
                assert {spec["x"], *([names] if isinstance(names, str) else names)} <= set(pd.read_csv(path))
