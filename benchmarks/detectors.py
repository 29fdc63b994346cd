"""Params and multiply-adds of detectors at 800x1333, compared with the paper's Table 2, as a Markdown table.

Run it with `python benchmarks/detectors.py`. The GEMNets are those that stage `gemnet` has written to `data/gemnet`, or
those in the folder named by `--gemnets`. Nothing is trained or computed: only shapes pass through the networks.
"""

import argparse
import sys
from pathlib import Path

import torch

from nasgem_core.backbones.shapes import shapes_only
from nasgem_core.backbones.spec import NetworkSpec, PublishedSpec
from nasgem_core.config.transfer import DETECTORS
from nasgem_core.detection.costs import detector_costs
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import for_detection
from nasgem_core.errors import DataError

COCO_CATEGORIES = 80
TITLES = {"retinanet": "RetinaNet", "faster_rcnn": "Faster R-CNN, FPN"}
TABLE_2 = {
    ("retinanet", "MobileNetV2x1.4"): (14.2, 170.5, 33.5),
    ("retinanet", "MnasNetx1.3"): (14.8, 169.2, 35.0),
    ("retinanet", "GEMNet-A"): (13.5, 166.9, 35.4),
    ("retinanet", "GEMNet-B"): (14.2, 169.2, 35.7),
    ("faster_rcnn", "MobileNetV2x1.4"): (22.1, 133.4, 33.6),
    ("faster_rcnn", "MnasNetx1.3"): (22.6, 132.1, 35.4),
    ("faster_rcnn", "GEMNet-A"): (21.4, 133.1, 35.3),
    ("faster_rcnn", "GEMNet-B"): (22.0, 133.6, 35.7),
}
"""The paper's params (millions), multiply-adds (billions) and AP (percent) of each detector and backbone."""
PUBLISHED = {"MobileNetV2x1.4": "mobilenet_v2_1_4", "MnasNetx1.3": "mnasnet_1_3"}
HEADINGS = (
    "detector",
    "backbone",
    "params (M)",
    "paper",
    "difference",
    "MACs (G)",
    "paper",
    "difference",
    "paper's AP",
)


def backbones(folder):
    """Return the networks by title: the published ones and those in the folder.

    If the folder has none, the table has no GEMNet and a line on stderr says so; any other file ends the run.
    """
    found = {title: PublishedSpec.for_imagenet(name) for title, name in PUBLISHED.items()}
    paths = sorted(folder.glob("*.json"))
    if not paths:
        print(f"{folder} has no networks, so GEMNet is left out: run `nasgem stage gemnet` first", file=sys.stderr)
    for path in paths:
        try:
            spec = NetworkSpec.from_json(path.read_bytes())
        except (DataError, OSError) as error:
            raise SystemExit(f"{path}: {error}; or run `nasgem stage gemnet` first and name its folder") from None
        title = next((title for _, title in TABLE_2 if title.lower() == spec.name.lower().replace("_", "-")), spec.name)
        found[title] = spec
    return found


def measured(kind, spec):
    with shapes_only():
        detector = Detector(for_detection(spec).build(), COCO_CATEGORIES, DetectorSettings(kind=kind))
    costs = detector_costs(detector)
    return costs.params / 1e6, costs.macs / 1e9


def table_row(kind, title, spec):
    published = TABLE_2.get((kind, title))
    figures = [None, None] if spec is None else measured(kind, spec)
    cells = [TITLES[kind], title]
    for place, (value, form) in enumerate(zip(figures, (".2f", ".1f"), strict=True)):
        paper = published and published[place]
        gap = f"{100 * (value / paper - 1):+.1f} %" if value and paper else "-"
        cells += [format(value, form) if value else "-", f"{paper}" if paper else "-", gap]
    return [*cells, f"{published[2]}" if published else "-"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gemnets", type=Path, default=Path("data/gemnet"), help="folder of networks as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    known = backbones(arguments.gemnets)
    titles = list(dict.fromkeys([*(title for _, title in TABLE_2), *known]))
    print(f"| {' | '.join(HEADINGS)} |")
    print("|" + "---|" * len(HEADINGS))
    for kind in DETECTORS:
        for title in titles:
            print(f"| {' | '.join(table_row(kind, title, known.get(title)))} |", flush=True)


if __name__ == "__main__":
    main()
