"""Predictors by name, each imported when it is first asked for, so that one can change without the others noticing."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nasgem_core.errors import ParameterError
from nasgem_core.registry import Registry

if TYPE_CHECKING:
    from nasgem_core.predictors.recipe import Recipe

_ROOM = "nasgem_core.predictors"
PERCEPTRON = "perceptron"
"""The kind that is not in this catalogue: the paper's predictor, on embeddings."""
_BASELINES = {
    "one_hot_boosting": f"{_ROOM}.one_hot:BOOSTING",
    "one_hot_process": f"{_ROOM}.one_hot:PROCESS",
    "one_hot_ridge": f"{_ROOM}.one_hot:RIDGE",
    "parameters": f"{_ROOM}.baselines:PARAMETERS",
    "random": f"{_ROOM}.baselines:RANDOM",
}
"""What any predictor has to beat; they pick no cells."""
PREDICTORS: "Registry[Recipe]" = Registry(
    "predictor",
    {
        "ensemble": f"{_ROOM}.ensemble:RECIPE",
        "gaussian_process": f"{_ROOM}.gp:RECIPE",
        "boosted_trees": f"{_ROOM}.trees:RECIPE",
        "message_passing": f"{_ROOM}.network:RECIPE",
        "adjacency_mlp": f"{_ROOM}.rivals.perceptron:RECIPE",
        "plain_autoencoder": f"{_ROOM}.rivals.autoencoder:PLAIN",
        "guided_autoencoder": f"{_ROOM}.rivals.autoencoder:GUIDED",
        "lstm": f"{_ROOM}.rivals.lstm:RECIPE",
        "gcn": f"{_ROOM}.rivals.gcn:RECIPE",
        "gates": f"{_ROOM}.rivals.gates:RECIPE",
        "nas_bowl": f"{_ROOM}.rivals.nas_bowl:RECIPE",
        **_BASELINES,
    },
    "nasgem.predictors",
)
"""`ensemble` is the whole of what this room offers; the next three are its kinds of members, each alone."""


def search_predictors() -> tuple[str, ...]:
    """Return the names of the predictors that can pick cells in a search: all but the baselines."""
    return tuple(name for name in PREDICTORS.names() if name not in _BASELINES)


def check_names(kind: str, benchmarked: Iterable[str]) -> None:
    """Check names in the parameters; nothing is imported.

    Args:
        kind: `predictor.kind`.
        benchmarked: `benchmark.predictors`.

    Raises:
        ParameterError: there is no such predictor, or it cannot pick cells.
    """
    kinds = (PERCEPTRON, *search_predictors())
    if kind not in kinds:
        raise ParameterError(f"predictor.kind = {kind!r}: must be one of {', '.join(kinds)}")
    for name in benchmarked:
        if name not in PREDICTORS.names():
            raise ParameterError(f"benchmark.predictors holds {name!r}: known are {', '.join(PREDICTORS.names())}")
