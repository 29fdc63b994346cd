"""What a GPU has to reach, and whether it did, from the figures of the parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.gpu_checks.setting import PAPER_GPU_DAYS

GRAPH_RATIO, TOGETHER_RATIO, SHARE = 5.0, 8.0, 17.0
"""One training at a time and four, by cells an hour, against plain PyTorch; the paper's cost by the search's."""


@dataclass(frozen=True)
class Bar:
    """One bar.

    Args:
        what: it is about.
        wanted: in words.
        found: in words; empty where nothing was measured.
        met: whether it was reached; None where nothing was measured.
    """

    what: str
    wanted: str
    found: str = ""
    met: bool | None = None

    @property
    def word(self) -> str:
        """Say whether it was reached."""
        return "not measured" if self.met is None else "yes" if self.met else "no"


def bars(parts: Mapping[str, Mapping[str, Any]]) -> list[Bar]:
    """Return all bars; `parts` are the figures by name of part."""
    return [
        _tests(parts.get("tests", {})),
        _parity(parts.get("parity", {})),
        _graph(parts.get("parity", {})),
        *_throughput(parts.get("throughput", {})),
        _accuracy(parts.get("accuracy", {})),
        _training(parts.get("networks", {})),
    ]


def _tests(figures: Mapping[str, Any]) -> Bar:
    bar = Bar("tests marked gpu", "all pass")
    if "passed" not in figures:
        return bar
    bad = figures["failures"]
    return Bar(
        bar.what, bar.wanted, f"{figures['passed']} passed, {len(bad)} did not", not bad and figures["passed"] > 0
    )


def _parity(figures: Mapping[str, Any]) -> Bar:
    tolerances = figures.get("tolerance", {})
    bar = Bar("forward and gradients, CPU against GPU", "within the tolerance")
    found = {name: figures[name] for name in tolerances if name in figures}
    if not found:
        return bar
    worst = {name: values["max"] for name, values in found.items()}
    met = len(found) == len(tolerances) and all(worst[name] <= tolerances[name] for name in found)
    return Bar(bar.what, bar.wanted, ", ".join(f"{name} {value:.1e}" for name, value in worst.items()), met)


def _graph(figures: Mapping[str, Any]) -> Bar:
    bar = Bar("graph against eager", "equal bits where eager repeats them, else within 3 times its noise")
    if "graph against eager" not in figures:
        return bar
    rows = figures["graph against eager"]
    good = [row["graph"] <= 3 * row["repeat"] for row in rows]
    equal = sum(row["graph"] == 0 for row in rows)
    return Bar(bar.what, bar.wanted, f"{sum(good)} of {len(rows)} cells, {equal} equal to the bit", all(good))


def _throughput(figures: Mapping[str, Any]) -> list[Bar]:
    rates = {name: value["cells an hour"] for name, value in figures.items() if "cells an hour" in value}
    plain = rates.get("plain PyTorch")
    made = []
    for name, ratio in (("graph", GRAPH_RATIO), ("graph, 4 workers", TOGETHER_RATIO)):
        bar = Bar(f"{name}: cells an hour against plain PyTorch", f"at least {ratio:g} times")
        if plain and name in rates:
            found = rates[name] / plain
            bar = Bar(bar.what, bar.wanted, f"{found:.2f} times", found >= ratio)
        made.append(bar)
    limit = PAPER_GPU_DAYS / SHARE
    bar = Bar("GPU-days of the paper profile's trainings", f"at most {limit:.4f} (the paper: {PAPER_GPU_DAYS:g})")
    days = [value["GPU-days"] for name, value in figures.items() if name.startswith("graph") and "GPU-days" in value]
    return [*made, Bar(bar.what, bar.wanted, f"{min(days):.4f}", min(days) <= limit) if days else bar]


def _accuracy(figures: Mapping[str, Any]) -> Bar:
    bar = Bar("accuracy, graph in bfloat16 less eager in float32, paired", "0 inside of the 95 % interval")
    if "difference" not in figures:
        return bar
    row = figures["difference"]
    low, high = row["low"], row["high"]
    return Bar(bar.what, bar.wanted, f"{row['mean']:+.4f} ({low:+.4f} to {high:+.4f})", low <= 0 <= high)


def _training(figures: Mapping[str, Any]) -> Bar:
    bar = Bar("GEMNet-A's images a second per MAC against MobileNetV2x1.4's", "at least 1 time")
    if not {"gemnet_a", "mobilenet_v2_1_4"} <= figures.keys():
        return bar
    ours, theirs = (figures[name]["GMACs a second"] for name in ("gemnet_a", "mobilenet_v2_1_4"))
    return Bar(bar.what, bar.wanted, f"{ours / theirs:.2f} times", ours >= theirs)
