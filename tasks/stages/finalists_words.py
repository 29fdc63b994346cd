"""The comparison of finalists in words, as the terminal and the report show it."""

from collections.abc import Mapping
from typing import Any

from tasks.stages.finalists_results import METRICS_FILE
from tasks.store.artifacts import read_json


def finalists_summary() -> dict[str, Any]:
    """Return the metrics of the stage, empty where nothing was compared."""
    document = read_json(METRICS_FILE, "nasgem.metrics/1") if METRICS_FILE.is_file() else {}
    return document if document.get("cells") else {}


def choice_words(summary: Mapping[str, Any]) -> str:
    """Return what was chosen, and what the search had chosen."""
    if summary["top1"] is None:
        return f"cell {summary['chosen'][:8]} is the only one that can be compared"
    reached = epochs_text(summary["rungs"][-1]["until"])
    words = f"cell {summary['chosen'][:8]} has the best top-1 after {reached}, {percent(summary['top1'])} %"
    if summary["chosen"] == summary["searched"]:
        return f"{words}; it is the search's choice too"
    own, until = summary["searched_top1"], summary["searched_until"]
    known = f"has {percent(own)} % after {epochs_text(until)}" if until else "diverged or cannot meet the budget"
    return f"{words}; the search's choice, {summary['searched'][:8]}, {known}"


def agreement_words(summary: Mapping[str, Any]) -> str:
    """Return in a sentence how the proxy's ranks held, and those of each rung in the next one."""
    before = "the proxy's mean score"
    parts = []
    for rung in summary["rungs"]:
        if rung["tau"] is None:
            tau = "none, because they are too few or all equal"
        else:
            tau = f"{rung['tau']:.2f} (95 %: {rung['low']:.2f} to {rung['high']:.2f})"
        after = f"top-1 after {epochs_text(rung['until'])}"
        parts.append(f"{before} and {after}, {rung['cells']} cells: {tau}")
        before = after
    return f"Kendall's tau of {'; of '.join(parts)}." if parts else ""


def cost_words(summary: Mapping[str, Any]) -> str:
    """Return how many epochs the comparison took."""
    all_of_them = summary["epochs_without_halving"]
    return f"{summary['epochs']} epochs were trained in all, against {all_of_them} with every cell trained to the end."


def percent(share: float) -> str:
    """Return a share as a number of per cent."""
    return f"{100 * share:.1f}"


def epochs_text(count: int) -> str:
    """Return "1 epoch", "2 epochs"."""
    return f"{count} epoch" if count == 1 else f"{count} epochs"
