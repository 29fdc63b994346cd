"""Params and multiply-adds of the rebuilt networks of Table 1, compared with the published ones, as Markdown.

The published figures are the paper's. Those in parentheses are from the network's own publication, if the paper gives
none or those of another network. Run it with `python benchmarks/published.py`. Nothing is trained, and networks take no
memory: only shapes pass through them.
"""

import argparse
import statistics

import torch

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.published.catalogue import RANDWIRE_CHANNELS, published_network
from nasgem_core.backbones.published.randwire import RandWire
from nasgem_core.backbones.published.reported import REPORTED, TOLERANCE
from nasgem_core.backbones.shapes import shapes_only

IMAGE_SIZE = (224, 224)
NUM_CLASSES = 1000
RANDWIRE_INSTANCES = 5
HEADINGS = (
    "name",
    "network",
    "params (M)",
    "paper",
    "difference",
    "MACs (M)",
    "paper",
    "difference",
    "all (M)",
    "top-1 error",
    "GPU-days",
)


def million(value):
    return f"{value / 1e6:.2f}" if value < 1e8 else f"{value / 1e6:.0f}"


def figure(value):
    return "-" if value is None else f"{value:g}"


def difference(measured, given):
    share = measured / (given * 1e6) - 1
    return f"**{100 * share:+.1f} %**" if abs(share) > TOLERANCE else f"{100 * share:+.1f} %"


def both(paper, own, shown):
    """Return the paper's figure as text, followed by that of the network's own publication in parentheses."""
    parts = [shown(paper)] if paper is not None else []
    parts += [f"({shown(own)})"] if own is not None else []
    return " ".join(parts) or "-"


def compared(measured, paper, own):
    """Return the measured figure, the published ones, and their differences."""
    return [
        million(measured),
        both(paper, own, figure),
        both(paper, own, lambda given: difference(measured, given)),
    ]


def table_row(row):
    names, known = [f"`{row.name}`", row.title], [figure(row.top1_error), figure(row.gpu_days)]
    if row.missing:
        return [*names, "-", figure(row.params), "-", "-", figure(row.macs), "-", "-", *known]
    with shapes_only():
        network = published_network(row.name, NUM_CLASSES)
    costs = count_costs(network, IMAGE_SIZE)
    return [
        *names,
        *compared(costs.params, row.params, row.own_params),
        *compared(costs.macs, row.macs, row.own_macs),
        million(costs.macs + costs.elementwise),
        *known,
    ]


def table_lines():
    yield f"| {' | '.join(HEADINGS)} |"
    yield "|" + "---|" * len(HEADINGS)
    for row in REPORTED:
        yield f"| {' | '.join(table_row(row))} |"


def notes():
    """Return the notes below the table: why figures differ, and why networks are missing."""
    lines = [f"- **{row.title}**: {row.note}." for row in REPORTED if row.note]
    missing = [f"- **{row.title}**: {row.missing}." for row in REPORTED if row.missing]
    return [f"Differences above {100 * TOLERANCE:g} %:", "", *lines, "", "Not rebuilt:", "", *missing]


def randwire_spread():
    costs = []
    for seed in range(RANDWIRE_INSTANCES):
        with shapes_only():
            network = RandWire(RANDWIRE_CHANNELS, NUM_CLASSES, seed)
        costs.append(count_costs(network, IMAGE_SIZE))
    spread = [
        f"{statistics.mean(values) / 1e6:.4g} +- {statistics.stdev(values) / 1e6:.2g} M {name}"
        for name, values in (("params", [c.params for c in costs]), ("MACs", [c.macs for c in costs]))
    ]
    return f"{RANDWIRE_INSTANCES} seeds give {' and '.join(spread)}"


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    for line in table_lines():
        print(line, flush=True)
    print("", *notes(), "", f"RandWire-WS: {randwire_spread()}.", "", "Sources:", "", sep="\n")
    for row in REPORTED:
        print(f"- **{row.title}**: {row.source}.")


if __name__ == "__main__":
    main()
