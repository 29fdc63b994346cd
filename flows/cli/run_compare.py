"""`nasgem compare` from the command line: what is compared, and the table of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flows.cli.printing import out, print_table
from flows.runtime.environment import prepare_environment
from flows.runtime.lock import folder_lock
from flows.runtime.server import prefect_server
from flows.stages.catalogue import require_outside_stages
from nasgem_core.config.search import SearchConfig
from nasgem_core.counts import read_count
from nasgem_core.durations import read_duration
from nasgem_core.errors import ParameterError
from tasks.run.parameters import load_config


@dataclass(frozen=True)
class Asked:
    """The options of the command.

    Args:
        cells: first digits of keys, 'best' or JSON files.
        rivals: names of networks of any size, separated by commas.
        output: folder of the results.
        macs: most multiply-adds, such as "20M"; empty with a latency.
        latency: longest time of a pass, such as "2ms"; empty with multiply-adds.
        images: folder of the images; empty for those of params.yaml.
        image_size: side of the images; 0 for that of params.yaml.
        weights: files and exported folders that networks begin with; empty for those of params.yaml.
        seeds: trainings of each network; 0 for that of params.yaml.
    """

    cells: Sequence[str]
    rivals: str
    output: Path
    macs: str = ""
    latency: str = ""
    images: str = ""
    image_size: int = 0
    weights: Sequence[str] = ()
    seeds: int = 0


def run_compare(asked: Asked) -> None:
    """Compare the networks, and print the table; raises `NasgemError` where an option is wrong."""
    prepare_environment()
    from flows.cli.show import find_cell

    require_outside_stages(asked.output, "name another folder, such as data/comparison")
    macs, nanoseconds = _limit(asked.macs, asked.latency)
    with folder_lock():
        config = _with_options(load_config(), asked)
        found = [find_cell(name, config)[0] for name in asked.cells]
        cells = {cell.canonical_key[:8]: cell for cell in found}
        rivals = [name.strip() for name in asked.rivals.split(",") if name.strip()]
        with prefect_server() as wait_for_server:
            # With Prefect, which has to know the address of its server.
            from flows.comparison import Wanted, compare_by_workers
            from tasks.stages.contenders import Limit

            seeds = asked.seeds or config.imagenet.seeds
            wanted = Wanted(cells, rivals, Limit(macs, nanoseconds), seeds, asked.output)
            wait_for_server()
            summary, differences = compare_by_workers(wanted, config)
    from tasks.stages.imagenet_table import networks_table

    table = networks_table(summary, differences)
    rows = [["-" if value is None else str(value) for value in row] for row in table.rows]
    print_table(f"{table.title}, at most {asked.macs or asked.latency}", list(table.header), rows)
    out.print_words(table.note)


def _limit(macs: str, latency: str) -> tuple[int, int]:
    """Return multiply-adds and nanoseconds, one of which is 0."""
    if bool(macs) == bool(latency):
        raise ParameterError("give one limit: --macs such as 20M, or --latency such as 2ms")
    count, duration = read_count(macs) if macs else 0, read_duration(latency) if latency else 0
    if count is None or duration is None:
        wrong = f"--macs {macs!r}: must be a number such as 20M" if macs else f"--latency {latency!r}: must be as 2ms"
        raise ParameterError(wrong)
    return count, duration


def _with_options(config: SearchConfig, asked: Asked) -> SearchConfig:
    """Return the parameters with the options in them; raises `ParameterError` without images to train on."""
    own = config.proxy.dataset if Path(config.proxy.dataset).is_dir() else ""
    dataset = asked.images or config.imagenet.dataset or own
    if not dataset:
        raise ParameterError("there are no images to train on: name their folder by --images")
    size = asked.image_size or config.imagenet.image_size
    weights = tuple(asked.weights) or config.imagenet.weights
    return replace(config, imagenet=replace(config.imagenet, dataset=dataset, image_size=size, weights=weights))
