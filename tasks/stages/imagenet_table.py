"""The figures of stage `imagenet` in words, as the terminal and the report show them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasgem_core.figures.comparison import Compared, draw_comparison, fronts
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.page_parts import Picture, Table
from nasgem_core.intervals import mean_and_interval
from tasks.run.compared_search import TOP1
from tasks.store.artifacts import METRICS, read_json

METRICS_FILE = METRICS / "imagenet.json"
LATENCY = "latency_ms"
"""Name of a network's latency in the metrics, where it was measured."""
LATENCY_TORCH = "torch_latency_ms"
"""Likewise in PyTorch."""
BUDGET = "budget"
"""Name of the budget that a network's name ends in, where it was sized to another than the first one."""
SETTING_WORDS = "one image, ONNX Runtime, one CPU thread"
"""How latency is measured."""
GUESSING_REMEDY = "add images, raise imagenet.least_steps, or begin with trained weights (imagenet.weights)"
"""What to do where a network is no better than guessing."""
MACS_WORDS, PARAMS_WORDS = "multiply-adds (millions)", "parameters (millions)"
_LATENCY_WORDS = f"latency (ms): {SETTING_WORDS}"
_SHORT = {MACS_WORDS: "MACs", PARAMS_WORDS: "params", _LATENCY_WORDS: "latency"}
Row = Mapping[str, Any]
"""What the metrics say of a network."""


def read_networks() -> tuple[dict[str, Row], dict[str, Row]]:
    """Return the networks that were trained and the differences of their accuracies, by name; none without any."""
    document = read_json(METRICS_FILE, "nasgem.metrics/1") if METRICS_FILE.is_file() else {}
    return document.get("networks", {}), document.get("differences", {})


def network_figures() -> dict[str, float]:
    """Return the mean accuracies of the networks that were trained, by names that begin with `TOP1`."""
    return {f"{TOP1}{name}": float(row["top1_mean"]) for name, row in read_networks()[0].items()}


def first_networks(networks: Mapping[str, Row]) -> dict[str, str]:
    """Return for each network the first one of its budget, which it is compared with."""
    first: dict[str, str] = {}
    return {name: first.setdefault(row.get(BUDGET, ""), name) for name, row in networks.items()}


def difference_text(row: Row) -> str:
    """Return a difference of accuracies in points with its interval, such as "+1.2 (95 %: +0.3 to +2.1)"."""
    mean = f"{100 * row['mean']:+.1f}"
    return mean if row["low"] is None else f"{mean} (95 %: {100 * row['low']:+.1f} to {100 * row['high']:+.1f})"


def cost_text(row: Row) -> str:
    """Return what a network costs, such as "18.8M MACs  0.486M params  2.5 ms (3.1 in PyTorch)"."""
    words = f"{row['macs'] / 1e6:.4g}M MACs  {row['params'] / 1e6:.3g}M params"
    times = [f"{row[figure]:.3g}" for figure in (LATENCY, LATENCY_TORCH) if figure in row]
    if len(times) == 2:
        return f"{words}  {times[0]} ms ({times[1]} in PyTorch)"
    return f"{words}  {times[0]} ms" if times else words


def compared_networks(networks: Mapping[str, Row]) -> list[Compared]:
    """Return the networks for figures; those of one name at several budgets are of one kind."""
    compared = []
    for name, row in networks.items():
        costs = {MACS_WORDS: row["macs"] / 1e6, PARAMS_WORDS: row["params"] / 1e6}
        if LATENCY in row:
            costs[_LATENCY_WORDS] = row[LATENCY]
        kind = name.removesuffix(f"_{row[BUDGET]}") if BUDGET in row else name
        compared.append(Compared(name, kind, row["top1"], costs))
    return compared


def front_words(on_fronts: Mapping[str, set[str]], name: str) -> str:
    """Return the costs on whose Pareto fronts a network is, such as "MACs, latency", or "dominated"."""
    found = [_SHORT.get(word, word) for word, names in on_fronts.items() if name in names]
    return ", ".join(found) or "dominated"


def comparison() -> list[Table | Picture]:
    """Return a table and a picture of the networks that were trained; nothing where the stage has trained none."""
    networks, differences = read_networks()
    return [networks_table(networks, differences), _picture(networks)] if networks else []


def networks_table(networks: Mapping[str, Row], differences: Mapping[str, Row]) -> Table:
    """Return the table of the networks that were trained, in their order; latencies where any was measured."""
    first, on_fronts = first_networks(networks), fronts(compared_networks(networks))
    timed = {
        figure: words
        for figure, words in {LATENCY: "latency (ms)", LATENCY_TORCH: "in PyTorch (ms)"}.items()
        if any(figure in row for row in networks.values())
    }
    rows = [
        [
            name,
            accuracy_text(row["top1"]),
            f"{row['macs'] / 1e6:.2f}",
            f"{row['params'] / 1e6:.3f}",
            *(f"{row[figure]:.3g}" if figure in row else None for figure in timed),
            f"{row['bytes'] / 1e6:.2f}",
            difference_text(differences[name]) if name in differences else None,
            front_words(on_fronts, name),
            f"{100 * row['top5_mean']:.1f}",
            len(row["top1"]),
            f"{row['learning_rate']:g}",
        ]
        for name, row in networks.items()
    ]
    several = len(set(first.values())) > 1
    reference = f"{', '.join(dict.fromkeys(first.values()))} (of its budget)" if several else next(iter(networks))
    header = ["network", "top-1 (%)", "MACs (M)", "params (M)", *timed.values(), "size (MB)"]
    header += [f"{reference} less it, in points of top-1", "Pareto front of", "top-5 (%)", "seeds", "learning rate"]
    note = (
        "Intervals are Student's, 95 %. Differences are paired by seed: equal images, crops and order. "
        f"{f'Latency: {SETTING_WORDS}, and likewise in PyTorch. ' if timed else ''}"
        "Size: the weights as 32-bit numbers. "
        "A network is on the Pareto front of a cost unless another one costs no more and is no less accurate on "
        "average, and is better in one of the two."
    )
    return Table("Networks trained on your images", header, rows, note)


def accuracy_text(accuracies: Sequence[float]) -> str:
    """Return the mean in percent with its 95 % interval where there is one, such as "61.0 +- 12.7"."""
    mean, half = (100 * value for value in mean_and_interval(np.array(accuracies)))
    return f"{mean:.1f}" if np.isnan(half) else f"{mean:.1f} +- {half:.1f}"


def _picture(networks: Mapping[str, Row]) -> Picture:
    compared = compared_networks(networks)
    words = "; ".join(dict.fromkeys(word for each in compared for word in each.costs))
    text = f"accuracy of each network with interval, and against each cost with the Pareto front: {words}"
    return Picture("Accuracy and cost of these networks", figure_png(draw_comparison(compared)), text)
