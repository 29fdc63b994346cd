"""dvc.yaml and .gitignore follow from the catalogue, and `dvc repro` misses no change of code."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from flows.stages.catalogue import SEARCHED, STAGES, Stage
from flows.stages.dvc_file import dvc_file, git_ignored, sources_of
from tasks.store.fingerprint import source_closure

ROOT = Path(__file__).parents[3]
ENTRIES = YAML(typ="safe").load(dvc_file())["stages"]
NO_RESULT = ("tasks.mlflow_runs.", "tasks.mlflow_registry.", "tasks.run.", "nasgem_core.files")
REGISTERED = ("nasgem_core.deployment.", "nasgem_core.detection.")
"""Rooms that the registry works with; a stage whose results are made by one of their modules depends on it."""
TASKS = {"estimator": "tasks.stages.scorer", "benchmark": "tasks.benchmark.trial", "report": "tasks.stages.results"}
"""Where the cached tasks of a stage are not in a module of its name."""


def is_watched(module: str, stage: str) -> bool:
    path = Path(*module.split(".")).with_suffix(".py")
    return any(path == Path(dep) or Path(dep) in path.parents for dep in ENTRIES[stage]["deps"])


@pytest.mark.parametrize("name", ["dvc.yaml", ".gitignore"])
def test_the_files_are_those_that_the_catalogue_gives(name):
    found = (ROOT / name).read_text()
    wanted = dvc_file() if name == "dvc.yaml" else git_ignored(found)
    missing, extra = (sorted(set(a.splitlines()) - set(b.splitlines())) for a, b in ((wanted, found), (found, wanted)))
    assert found == wanted, f"run `make dvc`: {name} lacks {missing} and has {extra}"


def test_the_stages_of_a_search_are_those_of_dvc():
    assert tuple(ENTRIES) == tuple(SEARCHED)
    assert ENTRIES["encoder"] == {
        "cmd": "nasgem stage encoder",
        "params": ["seed", "encoder"],
        "deps": [*sources_of(STAGES["encoder"]), "data/labels"],
        "outs": [{"data/encoder": {"persist": True}}, {"data/metrics/encoder.json": {"persist": True}}],
        "metrics": [{"data/headlines/encoder.json": {"persist": True}}],
    }
    assert len(ENTRIES["pairs"]["outs"]) == 1 and "metrics" not in ENTRIES["labels"]


@pytest.mark.parametrize("stage", SEARCHED)
def test_a_stage_depends_on_the_code_that_makes_its_results(stage):
    made_by = TASKS.get(stage, f"tasks.stages.{stage}")
    modules = {name for name in source_closure(made_by) if not ROOT.joinpath(*name.split(".")).is_dir()}
    needed = {name for name in modules if not name.startswith((*NO_RESULT, *REGISTERED))}
    assert needed and not {name for name in needed if not is_watched(name, stage)}
    assert all((ROOT / dep).exists() for dep in sources_of(SEARCHED[stage]))
    assert not any(is_watched(name, stage) for name in ("tasks.mlflow_runs.records", "tasks.run.progress"))


@pytest.mark.parametrize(
    ("stage", "module"),
    [
        ("bootstrap", "flows.stages.train_cells"),
        ("bootstrap", "flows.stages.possible_cells"),
        ("benchmark", "nasgem_core.encoders.fitting"),
        ("imagenet", "nasgem_core.deployment.card"),
        ("coco", "nasgem_core.deployment.card"),
        ("coco", "nasgem_core.detection.task"),
        ("report", "nasgem_core.networks.complexity"),
    ],
)
def test_code_that_other_flows_or_the_session_bring_is_watched_too(stage, module):
    assert is_watched(module, stage)


def test_a_change_elsewhere_runs_no_stage_again():
    assert not is_watched("nasgem_core.kernel.wl", "gemnet") and not is_watched("flows.stages.bootstrap", "gemnet")
    assert not is_watched("nasgem_core.deployment.export", "imagenet")


def test_an_input_that_is_code_brings_what_it_imports():
    found = sources_of(Stage("pairs", (), inputs=("tasks/stages/proxy.py",)))
    assert {"flows/stages/pairs.py", "tasks/stages/proxy.py", "nasgem_core/training"} <= set(found)


def test_lines_of_git_ignore_that_a_person_wrote_stay():
    text = git_ignored("/mine\n")
    assert text.startswith("/mine\n#") and text.endswith("/data/report/\n") and "nasgem_bench" not in text
    assert git_ignored(text) == text
