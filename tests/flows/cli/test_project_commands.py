import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from flows.cli.search_commands import app

ROOT = Path(__file__).parents[3]


def test_help_names_the_data_sets_and_the_way_to_refer_to_a_folder():
    for words in (["init"], ["data", "add"], ["data", "update"]):
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0
    page = CliRunner().invoke(app, ["data", "add", "--help"]).output
    assert "proxy, imagenet or coco" in " ".join(page.split()) and "--reference" in page


def test_a_project_is_made_outside_of_any_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["init", "my shop"])
    assert shown.exit_code == 0, shown.output
    assert "cd 'my shop'\n  nasgem search" in shown.output and (tmp_path / "my shop" / "params.yaml").is_file()
    again = CliRunner().invoke(app, ["init", "my shop"])
    assert again.exit_code == 1 and "is a project already: run nasgem in it" in again.stderr


def test_data_commands_need_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (["add", "proxy", "photos"], ["update"]):
        shown = CliRunner().invoke(app, ["data", *words])
        assert shown.exit_code == 1
        assert f"{tmp_path} does not contain params.yaml: run nasgem in the folder of a project" in shown.stderr
        assert "`nasgem init FOLDER` makes one" in shown.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_commands_import_nothing_heavy():
    code = "import sys, flows.cli.project_commands; print(*{name.split('.')[0] for name in sys.modules})"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert not {"torch", "prefect", "mlflow", "numpy", "dvc"} & set(done.stdout.split())
