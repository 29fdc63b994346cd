import json
import subprocess
import sys

import pytest

from flows.cli import show
from flows.cli.printing import out
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import DataError
from tasks.stages.results import Results, write_selected
from tasks.stages.trained import KNOWN
from tests.flows.in_process import IMAGES
from tests.flows.workspace import ROOT

WITHOUT = {"torch", "prefect", "mlflow", "sklearn", "matplotlib"}
CELL = Cell.from_dict({"schema": "nasgem.cell/1", "operations": ["input", "skip"], "edges": [[0, 1]]})


@pytest.fixture
def printed(small_search, monkeypatch):
    """Give a function that returns what a function of the module prints of the small search."""
    monkeypatch.setattr(show, "load_config", lambda: small_search.config)
    monkeypatch.setattr(show, "prepare_environment", lambda **_: None)

    def text(function, *arguments):
        with out.capture() as capture:
            function(*arguments)
        return capture.get()

    return text


def test_showing_imports_nothing_that_takes_seconds():
    code = "import sys, flows.cli.show, tasks.stages.networks, tasks.stages.proxy_images\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not WITHOUT & set(done.stdout.split())


def test_results_name_the_chosen_cell_and_random_search(printed, small_search):
    text, results = printed(show.show_results), Results(small_search.config)
    summary = results.metrics("bootstrap")
    assert f"Chosen: cell {results.best['key'][:8]}, expected score {summary['expected_score']:.4f} +- " in text
    assert "Finalists, trained again" in text and "known: " in text
    trainings = len(results.baseline) + summary["repeated_trainings"]
    assert f"Random search with {trainings} trainings: expected score" in text and "mlflow ui" in text


def test_results_of_single_trainings_are_shown_as_such(printed, small_search, monkeypatch):
    results = Results(small_search.config)
    names = {"finalists", "repeated_trainings"}
    summary = {name: value for name, value in results.metrics("bootstrap").items() if name not in names}
    summary = {name: value for name, value in summary.items() if "expected" not in name}
    monkeypatch.setattr(Results, "metrics", lambda self, stage: summary)
    text = printed(show.show_results)
    assert f"Chosen: cell {results.best['key'][:8]}, score {results.best['score']:.4f}" in text
    assert f"Random search with {len(results.baseline)} trainings: {summary['random_best_score']:.4f}" in text


def test_a_known_block_is_shown_by_its_name(printed, small_search, monkeypatch):
    monkeypatch.setattr("tasks.stages.proxy_images.open_images", lambda *_: IMAGES)
    trained = Results(small_search.config).distinct.usable
    block = trained[trained.kinds == KNOWN].row(0)
    text = printed(show.show_cell, block["key"], None)
    assert f"found by  {block['origin']}\n" in text and f"accuracy  {block['accuracy']:.4f}, score" in text


def test_status_lists_every_stage(printed):
    lines = printed(show.show_status).splitlines()
    written = {line.split()[0]: line for line in lines if "20" in line and ":" in line}
    assert "pairs" in written and "coco" not in written
    assert any(line.split()[:1] == ["coco"] and "not run yet" in line for line in lines)


def test_a_cell_is_found_by_the_first_digits_of_its_key(small_search):
    trained = Results(small_search.config).distinct
    cell, row = show.find_cell(trained.key[0][:12], small_search.config)
    assert cell.canonical_key == trained.key[0] == row["key"]
    best, row = show.find_cell("best", small_search.config)
    assert row["key"] == best.canonical_key == Results(small_search.config).best["key"]


def test_a_selected_cell_is_found_without_a_row(small_search):
    write_selected([CELL])
    assert show.find_cell(CELL.canonical_key[:12], small_search.config) == (CELL, None)


@pytest.mark.parametrize("document", [CELL.to_dict(), {"cell": CELL.to_dict()}])
def test_a_cell_is_read_from_a_file(small_search, tmp_path, document):
    path = tmp_path / "cell.json"
    path.write_text(json.dumps(document))
    assert show.find_cell(str(path), small_search.config) == (CELL, None)


@pytest.mark.parametrize(
    ("name", "message"),
    [("zz", "no trained or selected cell starts with it"), ("", "cells start with it"), ("no.json", "cannot be read")],
)
def test_what_names_no_single_cell_is_refused(small_search, name, message):
    with pytest.raises(DataError, match=message):
        show.find_cell(name, small_search.config)


def test_a_file_without_a_cell_is_refused_by_name(small_search, tmp_path):
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(DataError, match=r"other\.json: .*give a file with a cell"):
        show.find_cell(str(tmp_path / "other.json"), small_search.config)
