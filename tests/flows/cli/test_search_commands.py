import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from flows.cli.search_commands import app
from flows.stages.catalogue import STAGES

ROOT = Path(__file__).parents[3]
COMMANDS = ("search", "stage", "select", "show", "status", "serve", "export", "predict", "detect", "latency")


def test_help_lists_the_commands():
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert name in shown.output
        page = CliRunner().invoke(app, [name, "--help"])
        assert page.exit_code == 0 and len(page.output.splitlines()) > 4


def test_stage_help_names_every_stage():
    words = CliRunner().invoke(app, ["stage", "--help"]).output.replace(",", " ").replace(".", " ").split()
    assert STAGES.keys() <= set(words)


def test_help_imports_nothing_heavy():
    code = "import sys, flows.cli.search_commands; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"torch", "prefect", "mlflow", "numpy", "dvc"} & set(done.stdout.split())


def test_a_folder_without_parameters_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (
        ["search"],
        ["stage", "pairs"],
        ["status"],
        ["show", "best"],
        ["select"],
        ["serve"],
        ["latency"],
        ["predict", "x"],
    ):
        shown = CliRunner().invoke(app, command)
        assert shown.exit_code == 1
        assert f"{tmp_path} does not contain params.yaml" in shown.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_stage_is_named_at_once():
    shown = CliRunner().invoke(app, ["stage", "pears"])
    assert shown.exit_code == 1
    assert shown.stderr.startswith("nasgem: unknown stage 'pears': known are pairs, labels, encoder")
