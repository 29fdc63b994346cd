"""The few figures of each stage that `dvc metrics show` prints; all of them are in data/metrics."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.store.artifacts import DATA, METRICS, read_json, write_bytes

FOLDER = DATA / "headlines"
HEADLINES = {
    "encoder": {"r_squared": "guided.r_squared"},
    "estimator": {"tau": "rounds.-1.kendall_tau"},
    "bootstrap": {"score": "expected_score", "random": "random_expected_score"},
    "finalists": {"top1": "top1"},
    "imagenet": {"top1": "networks.*.top1_mean"},
    "coco": {"AP": "detectors.*.AP"},
}
"""Paths into data/metrics/STAGE.json, by stage and name; `*` stands for every network or detector, -1 for the last."""


def write_headlines(stage: str) -> None:
    """Write data/headlines/STAGE.json where the stage has such figures; those that it did not measure are left out."""
    if stage in HEADLINES:
        found = headlines_of(read_json(METRICS / f"{stage}.json", "nasgem.metrics/1"), HEADLINES[stage])
        write_bytes(FOLDER / f"{stage}.json", (json.dumps(found, indent=2) + "\n").encode())


def read_headlines(stage: str) -> dict[str, float]:
    """Return the figures that were written for a stage, by name; those of each network as "top1 of gemnet"."""
    file = FOLDER / f"{stage}.json"
    found: dict[str, float] = {}
    for name, value in (json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}).items():
        found |= {f"{name} of {of}": each for of, each in value.items()} if isinstance(value, dict) else {name: value}
    return found


def headlines_of(metrics: Mapping[str, Any], wanted: Mapping[str, str]) -> dict[str, Any]:
    """Return the figures at the wanted paths by name; where a path has a `*`, a mapping of what it stands for."""
    found: dict[str, Any] = {}
    for name, path in wanted.items():
        values = dict(_walk(metrics, path.split(".")))
        if values:
            found[name] = values if "*" in path else values[""]
    return found


def _walk(value: Any, path: list[str], chosen: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value at the path, with what the `*` stood for."""
    if not path:
        if value is not None:
            yield chosen, value
        return
    step, rest = path[0], path[1:]
    if step == "*":
        for name, below in value.items():
            yield from _walk(below, rest, name)
    elif isinstance(value, list):
        if value:
            yield from _walk(value[int(step)], rest, chosen)
    elif step in value:
        yield from _walk(value[step], rest, chosen)
