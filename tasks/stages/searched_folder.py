"""A search read from the folder in which it ran."""

from contextlib import chdir
from pathlib import Path

from nasgem_core.errors import NasgemError
from tasks.run.compared_search import COSTS, ComparedSearch
from tasks.run.flat_parameters import flat_params
from tasks.run.parameters import load_config
from tasks.stages.imagenet_table import network_figures
from tasks.stages.results import Results


def read_folder(folder: Path) -> ComparedSearch:
    """Return the search whose params.yaml and data/ are in a folder; raises `NasgemError` that names the folder."""
    try:
        with chdir(folder):
            config = load_config()
            results = Results(config)
            searched, best, figures = results.searched, results.best, results.metrics("bootstrap")
            networks = network_figures()
    except NasgemError as error:
        raise type(error)(f"{folder}: {error}") from None
    except OSError as error:
        raise NasgemError(f"{folder} cannot be read: {error.strerror}") from None
    costs = {name: float(best[name]) for name in COSTS if name in best}
    numbers = {name: value for name, value in figures.items() if isinstance(value, int | float)} | networks
    return ComparedSearch(
        folder.resolve().name, flat_params(config), searched.accuracy, searched.score, numbers, best["key"], costs
    )
