"""Latency of networks and of their fast forms, relative to MobileNetV2 of equal multiply-adds, in two engines.

GEMNets of MobileNetV2's block and of a cell that a search chose, and MobileNetV2 itself, each as trained and in its
fast form (`nasgem_core/deployment/standalone/fast.py`), run by PyTorch and by ONNX Runtime: one image per pass, one
thread. All take turns in one run, and every median is divided by that of MobileNetV2 as trained, in the same engine.
Run it on an idle machine with `python benchmarks/fast_form.py`.
"""

import argparse

from torch import nn

from nasgem_core.backbones.layout import named_layout
from nasgem_core.backbones.scaled import scaled_to_budget
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.known_blocks import MOBILENET_V2_6
from nasgem_core.deployment.engines import OnnxNetwork
from nasgem_core.deployment.fast_form import ONNX_RUNTIME, TORCH, fast_form
from nasgem_core.deployment.latency import Latency, Setting, TimedNetwork, measure_latency

SEARCHED_CELL = Cell.from_dict(
    {
        "schema": "nasgem.cell/1",
        "operations": ["input", "conv1x1", *["dwconv3x3"] * 4, "conv1x1", *["dwconv3x3"] * 2, "conv1x1"],
        "edges": [[0, 1], [0, 2], [2, 3], [0, 4], [4, 5], [0, 6], [6, 7], [0, 8], [8, 9]],
    }
)
RIVAL = "MobileNetV2"


def networks(macs: int, side: int, classes: int, skeleton: str) -> dict[str, nn.Module]:
    """Return the networks with these multiply-adds, for inference."""
    layout, size = named_layout("tiny", skeleton), (side, side)
    specs = {
        "MobileNetV2's block as a cell": fit_to_budget(
            "block", MOBILENET_V2_6.cell, layout, num_classes=classes, image_size=size, macs=macs
        ),
        "a searched cell": fit_to_budget(
            "searched", SEARCHED_CELL, layout, num_classes=classes, image_size=size, macs=macs
        ),
        RIVAL: scaled_to_budget("mobilenet_v2", classes, size, macs),
    }
    return {name: spec.build().eval() for name, spec in specs.items()}


def measured(built: dict[str, nn.Module], side: int, repeats: int) -> dict[tuple[str, str, str], Latency]:
    """Return the latency of each network by (name, engine, form)."""
    timed = {}
    for name, network in built.items():
        for form, make in (("as trained", lambda trained, _: trained), ("fast", fast_form)):
            timed[name, "PyTorch", form] = make(network, TORCH)
            timed[name, "ONNX Runtime", form] = OnnxNetwork(make(network, ONNX_RUNTIME), name, (side, side), threads=1)
    listed = [TimedNetwork(" ".join(key), network, (side, side), built[key[0]]) for key, network in timed.items()]
    return dict(zip(timed, measure_latency(listed, Setting(repeats=repeats)), strict=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--macs", type=int, default=18_970_000)
    parser.add_argument("--side", type=int, default=64, help="pixels of the images")
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--skeleton", default="mobile")
    parser.add_argument("--repeats", type=int, default=200, help="timed passes of each")
    options = parser.parse_args()
    built = networks(options.macs, options.side, options.classes, options.skeleton)
    found = measured(built, options.side, options.repeats)
    print(f"{'network':30} {'engine':13} {'form':11} {'median ms':>9} {'by ' + RIVAL:>14}")
    for (name, engine, form), latency in sorted(found.items(), key=lambda item: (item[0][1], item[0][0])):
        ratio = latency.median_ms / found[RIVAL, engine, "as trained"].median_ms
        print(f"{name:30} {engine:13} {form:11} {latency.median_ms:9.3f} {ratio:14.2f}")


if __name__ == "__main__":
    main()
