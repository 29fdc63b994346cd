"""What `nasgem compare-searches` prints, and the page that it writes."""

from collections.abc import Sequence
from pathlib import Path

from flows.cli.printing import out, print_table
from flows.runtime.environment import prepare_environment
from flows.stages.catalogue import require_outside_stages
from nasgem_core.files import written_whole
from tasks.run.compared_search import ComparedSearch, differing_rows, judged_differently, named_apart, outcome_rows


def compare_searches(names: Sequence[str], page: Path) -> None:
    """Print two or more searches next to each other, and write the same with a plot as one file of HTML.

    Args:
        names: folders of searches, or runs of searches in MLflow.
        page: the file.
    """
    prepare_environment(only_reads=True)
    require_outside_stages(page, "name another file, such as data/selection/searches.html")
    searches = [_read(name) for name in names]
    named_apart(searches)
    header = [search.name for search in searches]
    print_table("Searches", ["", *header], outcome_rows(searches))
    different = differing_rows(searches)
    if different:
        print_table("Parameters that differ", ["", *header], different)
    else:
        out.print("\nAll parameters are equal; images or code may differ.")
    if judged_differently(searches):
        out.print(f"\n{_apart(searches)}", soft_wrap=True)
    page.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(page) as file:
        file.write(render(searches).encode())
    out.print(f"\npage      {page}")


def render(searches: Sequence[ComparedSearch]) -> str:
    """Return the page."""
    from nasgem_core.figures.inline import inline_svg
    from nasgem_core.figures.page import render_page
    from nasgem_core.figures.page_parts import Part, Table, Vector
    from nasgem_core.figures.searches import draw_searches

    header = ["", *(search.name for search in searches)]
    figure = draw_searches(
        {search.name: search.best_accuracy for search in searches},
        {search.name: search.best_score for search in searches},
    )
    note = (
        "Scores, accuracies and costs are of the small networks of each search: they compare where sections proxy and "
        "score are the same. Top-1 is of the trained networks. Intervals are 95 %."
    )
    parts: list[Part] = [
        Table("What they came to", header, outcome_rows(searches), note),
        Vector(
            "What each had found",
            inline_svg(figure, "searches"),
            "accuracy and score of the best cell so far against the number of trained cells, a line for each search",
            "The line that is higher further to the left found more with fewer trainings.",
        ),
        Table("Parameters that differ", header, differing_rows(searches)),
    ]
    return render_page(" and ".join(search.name for search in searches), parts, lead=_lead(searches))


def _lead(searches: Sequence[ComparedSearch]) -> str:
    scored = [search for search in searches if len(search.score) and search.best_score[-1] == search.best_score[-1]]
    if not scored:
        return "No search has trained a cell yet."
    if judged_differently(searches):
        return _apart(searches)
    best = max(scored, key=lambda search: search.best_score[-1])
    if len(scored) > 1 and all(search.best_score[-1] == best.best_score[-1] for search in scored):
        return f"The searches found cells of the same score, {best.best_score[-1]:.4f}."
    return f"{best.name} found the highest score, {best.best_score[-1]:.4f}, in {len(best.score)} trained cells."


def _apart(searches: Sequence[ComparedSearch]) -> str:
    first, *more = judged_differently(searches)
    which = f"{first} and {len(more)} more differ" if more else f"{first} differs"
    return f"The scores of these searches do not compare: {which}."


def _read(name: str) -> ComparedSearch:
    if Path(name).is_dir():
        from tasks.stages.searched_folder import read_folder

        return read_folder(Path(name))
    from tasks.mlflow_runs.searched_run import read_run

    return read_run(Path.cwd(), name)
