"""Experiments of DVC in a project of one's own: variants of the parameters, now or from a queue."""

import json
import subprocess

import pytest

from flows.project.scaffold import make_project
from tasks.run.parameters import complete
from tests.flows.workspace import ROOT, Workspace


@pytest.fixture
def project(tmp_path, prefect_api) -> Workspace:
    """Give a project whose first version is committed, with the results of stages pairs and labels."""
    folder = tmp_path / "shop"
    make_project(folder, None)
    (folder / "params.yaml").write_bytes(complete(ROOT / "profiles" / "tiny.yaml"))
    project = Workspace(folder).using(prefect_api)
    project.succeed("dvc", "repro", "labels")
    commit(project, "First version")
    return project


def commit(project: Workspace, message: str) -> None:
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["add", "--all"], [*author, "commit", "--quiet", "--message", message]):
        subprocess.run(["git", *command], cwd=project.root, check=True)


def experiments(project: Workspace) -> dict[int, dict]:
    """Return what DVC shows of the experiments, by their labels.iterations."""
    shown = json.loads(project.run("dvc", "exp", "show", "--json").stdout)
    found = [revision["data"] for base in shown for group in base["experiments"] or () for revision in group["revs"]]
    return {data["params"]["params.yaml"]["data"]["labels"]["iterations"]: data for data in found}


@pytest.mark.nightly
def test_queued_experiments_of_a_stage_run_one_after_the_other(project):
    results, parameters = project.hashes("labels"), (project.root / "params.yaml").read_bytes()
    for iterations in (1, 2):
        project.succeed("dvc", "exp", "run", "--queue", "-S", f"labels.iterations={iterations}", "labels")
    project.succeed("dvc", "exp", "run", "--run-all")
    found = experiments(project)
    assert found.keys() == {1, 2}
    hashes = {data["outs"]["data/labels"]["hash"] for data in found.values()}
    assert len(hashes) == 2 and None not in hashes, "each has results of its own"
    assert project.hashes("labels") == results and (project.root / "params.yaml").read_bytes() == parameters
