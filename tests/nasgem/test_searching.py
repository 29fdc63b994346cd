import subprocess
import sys

import pytest

import nasgem
from nasgem import searching
from nasgem_core.cells.known_blocks import MOBILENET_V2_6
from nasgem_core.errors import NasgemError
from tasks.stages.best_cell import write_best_cell

CELL = MOBILENET_V2_6.cell


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_best_cell(CELL)
    (tmp_path / "flows.py").write_text("raise SystemExit('flows.py of the user')\n")
    (tmp_path / "tasks.py").write_text("raise SystemExit('tasks.py of the user')\n")
    return tmp_path


def test_the_chosen_cell_is_read(folder):
    assert nasgem.best_cell(folder) == CELL


def test_a_folder_without_a_search_is_named(tmp_path):
    with pytest.raises(NasgemError, match=r"is not a project: name the folder of one; `nasgem init FOLDER` makes one"):
        nasgem.best_cell(tmp_path)
    (tmp_path / "params.yaml").touch()
    with pytest.raises(NasgemError, match=r"data/bootstrap/best_cell.json is missing: run the stage"):
        nasgem.best_cell(tmp_path)
    with pytest.raises(NasgemError, match=r"missing is not a folder: name one that `nasgem init` has made"):
        nasgem.best_cell(tmp_path / "missing")


def test_a_search_is_the_command_in_the_folder(folder, monkeypatch):
    commands = []
    real = subprocess.run

    def run(command, **options):
        if "search" in command:
            commands.append((command, options["cwd"], options["env"]["PYTHONSAFEPATH"]))
            return subprocess.CompletedProcess(command, 0)
        return real(command, **options)

    monkeypatch.setattr(searching.subprocess, "run", run)
    parameters = {"score.penalty": 0.05, "encoder.hidden": (16, 8), "proxy.dataset": "my photos"}
    assert nasgem.search(folder, profile="tiny", parameters=parameters) == CELL
    options = ["--profile", "tiny", "--set", "score.penalty=0.05", "--set", "encoder.hidden=[16, 8]"]
    options += ["--set", 'proxy.dataset="my photos"']
    assert commands == [([sys.executable, "-m", "nasgem", "search", *options], folder, "1")]


def test_a_search_that_fails_is_an_error(tmp_path, capfd):
    with pytest.raises(NasgemError, match=rf"the search in {tmp_path} ended with code 1"):
        nasgem.search(tmp_path)
    assert "does not contain params.yaml" in capfd.readouterr().err
