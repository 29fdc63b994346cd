"""Params and multiply-adds of the rebuilt networks of Table 1 beside the published ones, as a Markdown table.

Run it with `python benchmarks/published.py`. Nothing is trained and no network takes memory: shapes pass through it.
"""

import argparse
import statistics

import torch

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.published.catalogue import RANDWIRE_CHANNELS, published_network
from nasgem_core.backbones.published.randwire import RandWire
from nasgem_core.backbones.published.reported import REPORTED

IMAGE_SIZE = (224, 224)
NUM_CLASSES = 1000
RANDWIRE_INSTANCES = 5
HEADINGS = (
    "name",
    "network",
    "params (M)",
    "published",
    "difference",
    "MACs (M)",
    "published",
    "difference",
    "MACs, element by element too",
    "top-1 error",
    "GPU-days",
)


def million(value):
    return f"{value / 1e6:.2f}" if value < 1e8 else f"{value / 1e6:.0f}"


def figure(value):
    return "-" if value is None else f"{value:g}"


def difference(measured, published):
    return "-" if published is None else f"{100 * (measured / (published * 1e6) - 1):+.1f} %"


def table_row(row):
    known = [figure(row.top1_error), figure(row.gpu_days)]
    if row.missing:
        published = [figure(row.params), "-", "-", figure(row.macs), "-", "-"]
        return [f"`{row.name}`", row.title, "-", *published, *known]
    with torch.device("meta"):
        network = published_network(row.name, NUM_CLASSES)
    costs = count_costs(network, IMAGE_SIZE)
    return [
        f"`{row.name}`",
        row.title,
        million(costs.params),
        figure(row.expected_params),
        difference(costs.params, row.expected_params),
        million(costs.macs),
        figure(row.expected_macs),
        difference(costs.macs, row.expected_macs),
        million(costs.macs + costs.elementwise),
        *known,
    ]


def randwire_spread():
    costs = []
    for seed in range(RANDWIRE_INSTANCES):
        with torch.device("meta"):
            network = RandWire(RANDWIRE_CHANNELS, NUM_CLASSES, seed)
        costs.append(count_costs(network, IMAGE_SIZE))
    spread = [
        f"{statistics.mean(values) / 1e6:.4g} +- {statistics.stdev(values) / 1e6:.2g} M {name}"
        for name, values in (("params", [c.params for c in costs]), ("MACs", [c.macs for c in costs]))
    ]
    return f"RandWire-WS, {RANDWIRE_INSTANCES} instances: {', '.join(spread)}"


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    print("| " + " | ".join(HEADINGS) + " |")
    print("|" + "---|" * len(HEADINGS))
    for row in REPORTED:
        print("| " + " | ".join(table_row(row)) + " |", flush=True)
    print("\n" + randwire_spread() + "\n")
    for row in REPORTED:
        said = [row.source, f"not rebuilt: {row.missing}" if row.missing else row.note]
        print(f"- `{row.name}`: {'; '.join(filter(None, said))}.")


if __name__ == "__main__":
    main()
