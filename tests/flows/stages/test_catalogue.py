"""The stages of dvc.yaml depend on the code that makes their results: `dvc repro` misses none of its changes."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from flows.stages.catalogue import STAGE_NAMES
from tasks.store.fingerprint import source_closure

ROOT = Path(__file__).parents[3]
STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
RECORDING = {
    # Writes files, hands results on to MLflow and its registry, reads params.yaml: DVC watches what is made, and the
    # parameters.
    "nasgem_core.files",
    "tasks.run.parameters",
}
READERS = {
    # Modules of earlier stages, whose files are dependencies.
    "encoder": {"tasks.stages.pairs", "tasks.stages.labels"},
    "labels": {"tasks.stages.pairs"},
    "estimator": {"tasks.stages.pairs", "tasks.stages.labels"},
    "bootstrap": {"tasks.stages.pairs", "tasks.stages.labels"},
}
REGISTERED = ("nasgem_core.deployment.", "nasgem_core.detection.", "tasks.mlflow_runs.", "tasks.mlflow_registry.")
"""Rooms that the registry works with; a stage whose results are made by one names it."""


def is_watched(module: str, stage: str) -> bool:
    path = Path(*module.split(".")).with_suffix(".py")
    return any(path == Path(dep) or Path(dep) in path.parents for dep in STAGES[stage]["deps"])


def test_every_stage_is_one_of_dvc_but_the_one_that_stands_apart():
    assert (*STAGES, "nasgem_bench") == STAGE_NAMES


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_code_that_makes_its_results(stage):
    modules = {name for name in source_closure(f"flows.stages.{stage}") if not ROOT.joinpath(*name.split(".")).is_dir()}
    needed = modules - RECORDING - READERS.get(stage, set())
    assert not {name for name in needed if not name.startswith(REGISTERED) and not is_watched(name, stage)}
    assert stage != "coco" or is_watched("nasgem_core.detection.task", stage)
    assert stage not in ("imagenet", "coco") or is_watched("nasgem_core.deployment.card", stage)


def test_what_is_missing_is_seen(monkeypatch):
    monkeypatch.setitem(
        STAGES, "pairs", {"deps": ["flows/stages/pairs.py", "tasks/stages/pairs.py", "nasgem_core/cells"]}
    )
    assert not is_watched("nasgem_core.kernel.wl", "pairs") and is_watched("nasgem_core.cells.cell", "pairs")
