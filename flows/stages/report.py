"""Stage `report`: one page that opens with the networks trained on the user's images, then how the cell was found.

It holds figures 1 and 4 of the paper and the search's own plots.
"""

from typing import Any

from flows.runtime.session import Session, stage_flow
from nasgem_core.figures.cell import draw_cell
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.page import render_page
from nasgem_core.figures.page_parts import Chapter, Picture
from nasgem_core.figures.similarity import similarity_correlations
from tasks.mlflow_runs.records import finite
from tasks.run.progress import say
from tasks.stages.encoder import GUIDED
from tasks.stages.finalists_report import finalists_pictures
from tasks.stages.imagenet_table import network_figures
from tasks.stages.plots import write_plotted
from tasks.stages.report_answer import lead, opening, origin
from tasks.stages.report_cells import cells_gallery
from tasks.stages.report_encoder import encoder_pictures, encoder_table, encoder_words
from tasks.stages.report_search import search_parts, search_pictures
from tasks.stages.results import Results
from tasks.store.artifacts import DATA, METRICS, write_bytes, write_json

REPORT = DATA / "report"
PAGE_FILE = REPORT / "report.html"
METRICS_FILE = METRICS / "report.json"


@stage_flow("report")
def report(session: Session) -> None:
    """Read every other stage, write data/report; finish the search's run in MLflow."""
    results = Results(session.config)
    found = {"best_cell": _chosen_cell(results), **search_pictures(results, session.objective), **finalists_pictures()}
    appendix = encoder_pictures(results, session.objective)
    pictures = found | appendix
    for name, picture in pictures.items():
        write_bytes(REPORT / f"{name}.png", picture.png)
    metrics = _metrics(results)
    write_json(METRICS_FILE, "nasgem.metrics/1", metrics)
    page = render_page(
        f"Network search on {session.config.proxy.dataset}",
        [
            Chapter("Your network", [*opening(results), pictures["best_cell"]]),
            Chapter("How it was found", search_parts(results, session.objective, found)),
            cells_gallery(results.distinct, results.best["key"]),
            Chapter("Appendix: the encoder", [encoder_table(results), *appendix.values()], encoder_words(results)),
        ],
        lead=lead(results),
        origin=origin(results, session.images, session.records.origins()) | {"search": session.records.name},
    )
    write_bytes(PAGE_FILE, page.encode())
    files = [PAGE_FILE, METRICS_FILE, *write_plotted(results), *(REPORT / f"{name}.png" for name in pictures)]
    say(f"  written {PAGE_FILE}")
    session.records.stage("report", finite(metrics), artifacts=files)
    session.records.search(_search_metrics(results), artifacts=[PAGE_FILE, REPORT / "best_cell.png"])


def _chosen_cell(results: Results) -> Picture:
    best = results.best
    title = f"Cell {best['key'][:8]}: accuracy {best['accuracy']:.3f}, {best['macs'] / 1e6:.3g} M MACs"
    return Picture(
        "The chosen cell",
        figure_png(draw_cell(results.best_cell, title)),
        "the chosen cell drawn as a graph",
        "The network repeats this graph: tensors that meet at a vertex are concatenated; dashed lines lead out.",
    )


def _metrics(results: Results) -> dict[str, Any]:
    """Figure 1 in numbers: how differences of score and of accuracy go with similarity, for both embeddings."""
    usable = results.distinct.usable
    return {
        f"{figure}_{kind}_{name}": value
        for figure, measured in (("figure1", usable.score), ("figure1_accuracy", usable.accuracy))
        for kind, encoder in results.encoders.items()
        for name, value in similarity_correlations(encoder.embed(usable.cells), measured).items()
    }


def _search_metrics(results: Results) -> dict[str, float]:
    """Return what searches are compared by."""
    encoder = {"encoder_r_squared": results.metrics("encoder")[GUIDED]["r_squared"]}
    return finite({**network_figures(), **results.metrics("bootstrap"), **encoder})
