"""The commands of `nasgem` around searches; those for networks and projects are added to them.

Imports are inside the commands, so that help appears at once, and Prefect is imported when the address of its server
is known.
"""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.cluster_commands import Cluster, Device, Engine, Store, Workers, clusters, place, show_cluster
from flows.cli.compare_command import comparing
from flows.cli.guard import guarded
from flows.cli.network_commands import commands
from flows.cli.ordered_commands import OrderedCommands
from flows.cli.project_commands import projects
from flows.cli.store_commands import stores
from flows.stages.catalogue import STAGES

app = typer.Typer(
    cls=OrderedCommands,
    help="Find efficient neural networks by graph embedding (NASGEM). Start with `nasgem init`, then `nasgem search`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

*_FIRST, _LAST = STAGES
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Set a parameter in params.yaml first, e.g. --set score.penalty=0.05. Repeatable."),
]


@app.command()
def search(
    profile: Annotated[str | None, typer.Option(help="Write params.yaml from this profile first.")] = None,
    earlier: Annotated[
        list[str] | None,
        typer.Option("--from", help="Folder of an earlier search to learn from (predictor.earlier). Repeatable."),
    ] = None,
    assignments: Set = None,
    workers: Workers = None,
    device: Device = None,
    engine: Engine = None,
    cluster: Cluster = None,
    store: Store = None,
) -> None:
    """Run the whole search, and show what it found.

    It does what params.yaml says. Work done before with equal parameters is read, not done again, so a search that was
    stopped goes on.
    """
    with guarded():
        place(workers, device, engine, cluster, store=store)
        from flows.cli.run_flows import run_search

        run_search(profile, _assigned(assignments) | ({"predictor.earlier": earlier} if earlier else {}))
        from flows.cli.show import show_results

        show_results()


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help=f"{', '.join(_FIRST)} or {_LAST}.")],
    assignments: Set = None,
    weights: Annotated[
        list[str] | None,
        typer.Option("--from", help="Stage imagenet: begin with these weights (imagenet.weights). Repeatable."),
    ] = None,
    workers: Workers = None,
    device: Device = None,
    engine: Engine = None,
    cluster: Cluster = None,
    store: Store = None,
) -> None:
    """Run one stage. It reads what earlier stages wrote into data/."""
    with guarded():
        place(workers, device, engine, cluster, store=store)
        from flows.cli.run_flows import run_stage
        from nasgem_core.errors import ParameterError

        changes = _assigned(assignments)
        if weights and name != "imagenet":
            raise ParameterError(f"--from: stage {name} trains no network that could begin with weights; imagenet does")
        run_stage(name, changes | {"imagenet.weights": weights} if weights else changes)


@app.command()
def select(
    macs: Annotated[str | None, typer.Option(help="Budget of multiply-adds, such as 10M or 800k.")] = None,
    penalty: Annotated[float | None, typer.Option(help="Lambda of the score; default: the one in params.yaml.")] = None,
    top: Annotated[
        int, typer.Option(help="Predicted cells, or dominated ones with --pareto, to list.", min=1, max=1000)
    ] = 5,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Show the front of accuracy against MACs, params and latency.")
    ] = False,
    picture: Annotated[Path, typer.Option(help="With --pareto: the .png or .svg file of the plot.")] = Path(
        "data/selection/pareto.png"
    ),
) -> None:
    """Choose again under another budget; trains nothing.

    It can choose under another penalty too. With --pareto, it shows the front instead.
    """
    with guarded():
        if pareto:
            from flows.cli.show_front import show_front

            show_front(macs, penalty, top, picture)
            return
        from flows.cli.run_flows import run_select

        selection = run_select(macs, penalty, top)
        from flows.cli.show import show_selection

        show_selection(selection)


benchmark = typer.Typer(
    help="Compare predictors on tables of measured cells.",
    no_args_is_help=True,
)
app.add_typer(benchmark, name="benchmark")


@benchmark.command("import")
def import_table(
    name: Annotated[
        str, typer.Argument(help="nasbench101, nasbench201, nasbench201-raw, or a name for a table of your own.")
    ],
    file: Annotated[
        Path | None,
        typer.Argument(
            help=".tfrecord or .npz (101), .pth or .npz (201), .parquet or .csv (own); nasgem_bench needs none."
        ),
    ] = None,
    label: Annotated[str | None, typer.Option(help="Own table: the metric that a search may observe.")] = None,
    truth: Annotated[str | None, typer.Option(help="Own table: the metric to rank by; default: the label.")] = None,
    edges: Annotated[
        bool, typer.Option("--edges", help="Own table: the operations of its cells are on edges.")
    ] = False,
    duplicates: Annotated[
        str | None, typer.Option(help="Own table: mean, to average rows of one cell that disagree; default: refuse.")
    ] = None,
) -> None:
    """Read the file of a benchmark into data/tables.

    It becomes one compact parquet file.
    """
    with guarded():
        from flows.cli.run_flows import run_import

        run_import(name, file, label, truth, edges=edges, duplicates=duplicates)


@benchmark.command("run")
def run_benchmark(
    assignments: Set = None,
    workers: Workers = None,
    engine: Engine = None,
    cluster: Cluster = None,
    store: Store = None,
) -> None:
    """Try the predictors of params.yaml on its tables. Earlier results are read; same as `nasgem stage benchmark`.

    For instance: --set benchmark.tables=[nasbench201] --set benchmark.splits=3
    """
    with guarded():
        place(workers, None, engine, cluster, store=store)
        from flows.cli.run_flows import run_stage

        run_stage("benchmark", _assigned(assignments))
        from flows.cli.show import show_benchmark

        show_benchmark()


@app.command()
def build(
    cell: Annotated[str, typer.Argument(help="First digits of the key of a listed cell, 'best', or a JSON file.")],
    macs: Annotated[str, typer.Option(help="Most multiply-adds that it may have, such as 463M.")],
    layout: Annotated[str, typer.Option(help="imagenet, tiny or cifar: how often images are halved.")] = "imagenet",
    skeleton: Annotated[
        str, typer.Option(help="paper, mobile or mobile_8: scales, repeats, activations, multiples of channels.")
    ] = "mobile",
    classes: Annotated[int, typer.Option(help="Number of classes.", min=1)] = 1000,
    image_size: Annotated[
        int | None,
        typer.Option(help="Side of the images for the budget; default: 224, 64 or 32.", min=1),
    ] = None,
    nonlinearity: Annotated[str, typer.Option(help="relu or hard_swish, in the later stages and the head.")] = "relu",
    squeeze: Annotated[
        float, typer.Option(help="Share of channels inside squeeze-and-excitation; 0: none.", min=0, max=1)
    ] = 0.0,
    output: Annotated[Path | None, typer.Option(help="Also write a .json file that rebuilds the network.")] = None,
) -> None:
    """Build the network of a cell within a budget.

    It is a GEMNet of the width that meets the budget. Shows costs, channels and feature maps.
    """
    with guarded():
        from flows.cli.build import Shape, build_network

        build_network(cell, macs, Shape(layout, skeleton, classes, image_size, nonlinearity, squeeze), output)


@app.command()
def show(
    cell: Annotated[str, typer.Argument(help="First digits of the key of a listed cell, 'best', or a JSON file.")],
    picture: Annotated[Path | None, typer.Option(help="Also draw it into this .png or .svg file.")] = None,
) -> None:
    """Show a cell: its graph, its costs and its measurements."""
    with guarded():
        from flows.cli.show import show_cell

        show_cell(cell, picture)


@app.command()
def status(engine: Engine = None, cluster: Cluster = None) -> None:
    """Show which stages have results, and what is running.

    With a cluster, it also lists the workers, and what each of them does.
    """
    with guarded():
        place(None, None, engine, cluster)
        from flows.cli.show import show_status

        show_status()
        show_cluster()


@app.command("compare-searches")
def compare_searches(
    searches: Annotated[
        list[str], typer.Argument(help="Folders of searches, or runs in MLflow by the last word of their names or id.")
    ],
    page: Annotated[Path, typer.Option(help="The .html file of the comparison.")] = Path(
        "data/selection/searches.html"
    ),
) -> None:
    """Show two or more searches next to each other.

    The table has what they found, and which parameters differ.
    """
    with guarded():
        from flows.cli.compare_searches import compare_searches as compare

        compare(searches, page)


@app.command()
def serve(
    cron: Annotated[
        str | None, typer.Option(help="Schedule, such as '0 2 * * *' for every night at two (UTC).")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the deployment.")] = "nasgem",
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", help="Parameter that each run sets in params.yaml first. Repeatable."),
    ] = None,
) -> None:
    """Serve the search on a schedule or on request.

    It becomes a Prefect deployment, which Prefect's pages show.
    """
    with guarded():
        from flows.runtime.environment import prepare_environment

        prepare_environment()
        from flows.cli.serve import serve_search

        serve_search(cron, name, _assigned(assignments))


app.add_typer(clusters)
app.add_typer(commands)
app.add_typer(comparing)
app.add_typer(projects)
app.add_typer(stores, name="store")


def _assigned(assignments: list[str] | None) -> dict[str, object]:
    from nasgem_core.errors import ParameterError
    from tasks.run.parameters import parse_value

    changes = {}
    for text in assignments or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"--set {text}: write it as name=value, such as score.penalty=0.05")
        changes[name.strip()] = parse_value(value)
    return changes
