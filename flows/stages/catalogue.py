"""The stages: what each needs and fills, in the order in which a search runs them; cheap to import.

To add a stage, write its flow as the function NAME in flows/stages/NAME.py and list it here, then run `make dvc`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from nasgem_core.errors import DataError, ParameterError

DATA = Path("data")
OBJECTIVE = "tasks/stages/objective.py"
"""What the score charges; stages have it from their session."""
TARGET = tuple(f"gemnet.{name}" for name in ("image_size", "layout", "nonlinearity", "skeleton", "squeeze"))
"""What decides the networks of a search at a budget."""


@dataclass(frozen=True)
class Stage:
    """Everything about a stage that can be said without importing its code.

    Its flow is the function of its name in the module of its name. It fills data/NAME.

    Args:
        name: of the stage, its flow, its module and its folder.
        parameters: sections and fields of params.yaml that its results depend on.
        reads: stages whose folders it reads.
        inputs: other files and folders that its results depend on: data, and code that its module does not import.
        images: data sets of images that it reads, by the sections of params.yaml that name them.
        metrics: whether it also writes data/metrics/NAME.json.
        check: function of its module that a search calls with its session before it runs anything, to report a
            mistake of the user early.
        share: function of its module by which the other processes of `torchrun` join its trainings, if they can.
        alone: whether it runs by its own name only: it takes hours, and no search needs it.
    """

    name: str
    parameters: tuple[str, ...]
    reads: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    metrics: bool = True
    check: str | None = None
    share: str | None = None
    alone: bool = False

    @property
    def folder(self) -> Path:
        """The folder that it fills."""
        return DATA / self.name

    @property
    def module(self) -> str:
        """The module of its flow."""
        return f"flows.stages.{self.name}"

    def function(self, name: str) -> Callable[..., Any]:
        """Import its module and return a function of it."""
        return getattr(import_module(self.module), name)

    def check_inputs(self, session: Any) -> None:
        """Report a mistake of the user early, once in a session."""
        if self.check and self.name not in session.checked:
            self.function(self.check)(session)
            session.checked.add(self.name)

    def flow(self) -> Any:
        """Import its module and return its Prefect flow."""
        return self.function(self.name)


STAGES = {
    stage.name: stage
    for stage in (
        Stage("pairs", ("seed", "cells", "pairs"), metrics=False),
        Stage("labels", ("labels",), reads=("pairs",)),
        Stage("encoder", ("seed", "encoder"), reads=("labels",)),
        Stage(
            "estimator",
            ("seed", "cells", "proxy", "score", *TARGET, "predictor", "estimator"),
            reads=("encoder",),
            inputs=(OBJECTIVE,),
            images=("proxy",),
            check="check_parameters",
        ),
        Stage(
            "bootstrap",
            ("seed", "cells", "proxy", "score", *TARGET, "predictor.kind", "bootstrap"),
            reads=("encoder", "estimator"),
            inputs=(OBJECTIVE,),
            images=("proxy",),
        ),
        Stage(
            "finalists",
            ("seed", "cells", "proxy", "score", "finalists", "gemnet", "imagenet"),
            reads=("estimator", "bootstrap"),
            images=("proxy", "imagenet"),
        ),
        Stage("gemnet", ("proxy", "score", "gemnet"), reads=("bootstrap", "finalists"), images=("proxy",)),
        Stage(
            "imagenet",
            ("seed", "imagenet"),
            reads=("gemnet",),
            images=("imagenet",),
            check="check_images",
            share="take_part",
        ),
        Stage(
            "coco",
            ("seed", "coco"),
            reads=("imagenet",),
            images=("coco",),
            check="check_annotations",
            share="take_part",
        ),
        Stage("ablation", ("seed", "cells", "pairs", "labels", "encoder", "ablation")),
        Stage(
            "benchmark",
            ("seed", "benchmark"),
            inputs=("data/tables", "nasgem_core/encoders", "nasgem_core/predictors"),
            check="planned_trials",
        ),
        Stage(
            "report",
            ("seed", "cells", "proxy", "score", "predictor", "bootstrap", "imagenet.dataset"),
            reads=(
                "labels",
                "encoder",
                "estimator",
                "bootstrap",
                "finalists",
                "gemnet",
                "imagenet",
                "coco",
                "ablation",
            ),
            inputs=(OBJECTIVE,),
            images=("proxy",),
        ),
        Stage("nasgem_bench", ("seed", "proxy", "nasgem_bench"), images=("proxy",), metrics=False, alone=True),
    )
}
"""The stages by name, each after those that it reads."""
SEARCHED = {name: stage for name, stage in STAGES.items() if not stage.alone}
"""The stages of a search."""
IMAGES = tuple(dict.fromkeys(name for stage in SEARCHED.values() for name in stage.images))
"""The data sets of images that they read."""


def stage_named(name: str) -> Stage:
    """Return the stage of that name; raises `ParameterError` where there is none."""
    if name not in STAGES:
        raise ParameterError(f"unknown stage {name!r}: known are {', '.join(STAGES)}")
    return STAGES[name]


def require_outside_stages(output: Path, remedy: str) -> None:
    """Refuse a place in a folder that stages write or read; raises `DataError` that ends in the remedy."""
    for name in (*STAGES, "metrics", "headlines", "raw", "tables"):
        if output.resolve().is_relative_to((DATA / name).resolve()):
            raise DataError(f"output = {output}: {DATA / name} is kept for the stages; {remedy}")
