import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from flows.cli.cluster_commands import place, show_cluster
from flows.cli.search_commands import app
from flows.runtime.engines import dask_client
from flows.runtime.engines.choice import CLUSTER, ENGINE
from nasgem_core.errors import ParameterError


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("NASGEM_WORKERS", "NASGEM_DEVICE", ENGINE, CLUSTER):
        monkeypatch.setenv(name, "")
    return monkeypatch


def test_options_choose_where_work_runs_and_leave_the_rest():
    place(4, None)
    place(None, "cpu", None, "tls://head:8786")
    assert (os.environ["NASGEM_WORKERS"], os.environ["NASGEM_DEVICE"]) == ("4", "cpu")
    assert (os.environ[ENGINE], os.environ[CLUSTER]) == ("", "tls://head:8786")


@pytest.mark.parametrize("wrong", [(0, None), (None, None, "abacus"), (None, None, None, "head")])
def test_what_there_is_not_is_refused(wrong):
    with pytest.raises(ParameterError):
        place(*wrong)


@pytest.mark.parametrize("words", [["search"], ["stage", "pairs"], ["benchmark", "run"]])
def test_commands_that_train_take_a_cluster(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, [*words, "--cluster", "head:8786"])
    assert shown.exit_code == 1 and "cluster = 'head:8786': must be like tls://HOST:8786" in shown.stderr


@pytest.mark.parametrize("words", [["scheduler"], ["worker", "tls://a:1"], ["status", "--cluster", "tls://a:1"]])
def test_cluster_commands_need_a_project(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, words)
    assert (
        shown.exit_code == 1 and "does not contain params.yaml: run nasgem in the folder of a project" in shown.stderr
    )


@pytest.mark.slow
def test_help_imports_nothing_heavy():
    heavy = {"prefect", "torch", "distributed", "ray"}
    code = f"import sys, flows.cli.cluster_commands; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_workers_of_a_cluster_are_listed_where_there_is_one(environment, capsys):
    asked = []
    environment.setattr(dask_client, "cluster_lines", lambda address: asked.append(address) or ["0 workers"])
    show_cluster()
    assert capsys.readouterr().out == ""
    environment.setenv(CLUSTER, "tls://head:8786")
    show_cluster()
    assert capsys.readouterr().out == "0 workers\n" and asked == ["tls://head:8786"]
