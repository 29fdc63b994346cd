"""The opening of the report: what the user gets, next to what he would have taken, and where the figures come from."""

from collections.abc import Mapping
from typing import Any

from nasgem_core.figures.page_parts import Part, Picture, Table
from nasgem_core.training.guessing import Guessing
from nasgem_core.training.image_set import ImageSet
from tasks.run.history import StageOrigin, origin_facts
from tasks.stages import coco_results, gemnet
from tasks.stages.imagenet_networks import GEMNET
from tasks.stages.imagenet_results import BETTER
from tasks.stages.imagenet_table import (
    GUESSING_REMEDY,
    LATENCY,
    SETTING_WORDS,
    accuracy_text,
    comparison,
    difference_text,
    first_networks,
    read_networks,
)
from tasks.stages.report_cells import cell_link
from tasks.stages.results import Results, column_words, cost_text, estimate_text, found_by
from tasks.stages.trained import KNOWN
from tasks.store.artifacts import read_json, read_picture

REPORTED = ("pairs", "labels", "encoder", "estimator", "bootstrap", "finalists", "gemnet", "imagenet", "coco")
"""Stages whose results are on the page."""
_AVERAGE_PRECISION = {"AP": "AP", "AP50": "AP50", "AP75": "AP75"}


def lead(results: Results) -> str:
    """Return the answer in a few sentences: of the trained network, or of the chosen cell where none is trained."""
    networks, differences = read_networks()
    name = next((name for name in networks if name.startswith(GEMNET)), "")
    return _trained_words(results, name, networks, differences) if name else _chosen_words(results)


def _trained_words(results: Results, name: str, networks: Mapping[str, Any], differences: Mapping[str, Any]) -> str:
    row = networks[name]
    size = [f"{row['macs'] / 1e6:.4g} M multiply-adds", f"{row['params'] / 1e6:.3g} M parameters"]
    size += [f"{row['bytes'] / 1e6:.3g} MB"]
    if LATENCY in row:
        size.append(f"{row[LATENCY]:.3g} ms ({SETTING_WORDS})")
    words = (
        f"{name}, built from cell {results.best['key'][:8]}, reaches {accuracy_text(row['top1'])} % top-1 on your "
        f"images with {', '.join(size)}."
    )
    if not row.get(BETTER, True):
        means = {"top1": row["top1_mean"], "validation_loss": row["validation_loss_mean"]}
        guessing = Guessing(row["guessing_top1"], row["guessing_loss"])
        words += f" It is {guessing.words(means)}; {GUESSING_REMEDY}."
    others = [other for other, first in first_networks(networks).items() if first == name and other != name]
    if not others:
        return words
    best = max(others, key=lambda other: networks[other]["top1_mean"])
    ahead = f": a difference of {difference_text(differences[best])} points" if best in differences else ""
    known = f"The best of the {len(others)} others that were" if len(others) > 1 else "The other network that was"
    reached = accuracy_text(networks[best]["top1"])
    return f"{words} {known} trained in the same way, {best}, reaches {reached} %{ahead}."


def _chosen_words(results: Results) -> str:
    best, summary = results.best, results.metrics("bootstrap")
    words = f"Cell {best['key'][:8]} was chosen among {len(results.distinct)} trained cells. "
    size = f"{best['macs'] / 1e6:.3f} M multiply-adds"
    if results.config.score.budget:
        words += (
            f"Its network has {size}; a small version of it, which judges the cell, reached an accuracy of "
            f"{best['accuracy']:.4f}."
        )
    else:
        words += f"As the small network of the search it reached an accuracy of {best['accuracy']:.4f} with {size}."
    if "expected_margin" in summary and results.searched_best["key"] == best["key"]:
        unclear = abs(summary["expected_margin"]) < (summary["expected_margin_half_width"] or 0)
        words += (
            f" Its score is {estimate_text(summary, 'expected_margin', sign='+')} above that of random search (95 % "
            f"interval{': no clear difference' if unclear else ''})."
        )
    remedy = "add gemnet to imagenet.networks" if read_networks()[0] else "set imagenet.dataset"
    return f"{words} No network of it has been trained in full yet: {remedy} and run the search again."


def origin(results: Results, images: ImageSet, origins: Mapping[str, StageOrigin]) -> dict[str, str]:
    """Return where the figures come from: data set, seed, date, time taken, machine and commit, as far as known."""
    proxy, transfer = results.config.proxy, results.config.imagenet
    side = images.image_size
    trained, judged = len(images.train_images), len(images.validation_images)
    counts = f"{trained:,} images to train cells on and {judged:,} to judge them by"
    facts = {"data set": f"{proxy.dataset}: {counts}, {side} x {side} pixels, {len(images.classes)} classes"}
    if transfer.dataset not in ("", proxy.dataset) and read_networks()[0]:
        facts["networks trained on"] = transfer.dataset
    known = origin_facts(origins[stage] for stage in REPORTED if stage in origins)
    return facts | {"seed": str(results.config.seed)} | known


def opening(results: Results) -> list[Part]:
    """Return the tables and pictures of the networks that were trained, of what was built, and of the baselines."""
    parts: list[Part] = []
    for part in comparison():
        if isinstance(part, Picture):
            caption = "In the first panel the first row is what the others are compared with. In the others, up and to "
            caption += "the left is better."
            parts.append(Picture(part.title, part.png, part.alternative, caption))
        else:
            parts.append(Table(part.title, part.header, part.rows, part.note, first=True))
    return [*parts, *_detectors(), *_built(), _baselines(results)]


def _built() -> list[Part]:
    """Return the table of the networks that stage `gemnet` has built."""
    if not gemnet.METRICS_FILE.is_file():
        return []
    rows = [
        [
            name,
            f"{row['macs'] / 1e6:.2f}",
            f"{row['params'] / 1e6:.3f}",
            f"{row['params'] * 4e-6:.2f}",
            f"{row['width']:g}",
        ]
        for name, row in read_json(gemnet.METRICS_FILE, "nasgem.metrics/1").items()
        if isinstance(row, Mapping)
    ]
    note = "Size: the weights as 32-bit numbers. Width: channels of the first stage, which meet the budget."
    return [
        Table(
            "Networks built from the chosen cell",
            ["network", "MACs (M)", "params (M)", "size (MB)", "width"],
            rows,
            note,
        )
    ]


def _detectors() -> list[Part]:
    """Return the table and the curves of the detectors that stage `coco` has trained."""
    document = read_json(coco_results.METRICS_FILE, "nasgem.metrics/1") if coco_results.METRICS_FILE.is_file() else {}
    detectors = document.get("detectors", {})
    if not detectors:
        return []
    rows = [
        [
            name,
            *(_percent(row.get(figure)) for figure in _AVERAGE_PRECISION),
            f"{row['macs'] / 1e9:.2f}",
            f"{row['params'] / 1e6:.2f}",
            row["backbone"],
        ]
        for name, row in detectors.items()
    ]
    header = ["detector", *_AVERAGE_PRECISION.values(), "MACs (G)", "params (M)", "backbone"]
    parts: list[Part] = [Table("Detectors", header, rows, "Average precision in percent on the validation images.")]
    if coco_results.CURVES_FILE.is_file():
        text = "average precision and losses of each detector over its epochs"
        caption = "A curve that still rises at its end would gain from more epochs."
        parts.append(Picture("Detectors while they trained", read_picture(coco_results.CURVES_FILE), text, caption))
    return parts


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f}"


def _baselines(results: Results) -> Table:
    """Return the chosen cell, the best known block and the best of random search, as small networks of the search."""
    summary, trained = results.metrics("bootstrap"), results.distinct
    repeated = {row["key"]: row for row in [*summary.get("finalists", []), *summary.get("random_finalists", [])]}
    chosen = {"the chosen cell": results.best}
    if results.searched_best["key"] != results.best["key"]:
        chosen["the search's choice"] = results.searched_best
    known = trained[[str(origin).startswith(KNOWN) for origin in trained.origin]].ranked
    if len(known):
        chosen["the best known block"] = known.row(0)
    randomly = [row["key"] for row in summary.get("random_finalists", []) if row["chosen"]]
    ranked = results.baseline.ranked
    ranked = ranked[ranked.key == randomly[0]] if randomly else ranked
    if len(ranked):
        chosen["the best of random search"] = ranked.row(0)
    added = list(trained.columns)
    rows: list[list[object]] = []
    for what, row in chosen.items():
        mean, expected = repeated.get(row["key"], {}).get("mean_score"), None
        if "expected_score" in summary and row["key"] == results.searched_best["key"]:
            expected = estimate_text(summary, "expected_score")
        elif "random_expected_score" in summary and randomly == [row["key"]]:
            expected = estimate_text(summary, "random_expected_score")
        expected = expected or (None if mean is None else f"{mean:.4f}")
        costs = [*(cost_text(row[name]) for name in added), f"{row['macs'] / 1e6:.3f}", f"{row['params'] / 1e3:.1f}"]
        rows.append(
            [
                what,
                cell_link(row["key"]),
                f"{row['accuracy']:.4f}",
                f"{row['score']:.4f}",
                expected,
                *costs,
                found_by(row),
            ]
        )
    header = [
        "",
        "cell",
        "accuracy",
        "score",
        "score, trained again",
        *map(column_words, added),
        "MACs (M)",
        "params (k)",
        "found by",
    ]
    note = (
        "Accuracy and score are of the small networks that the search trains, once each: compare them with each other. "
        "Trained again: mean over other seeds, with its 95 % interval where the trainings came after the choice."
    )
    return Table("The chosen cell and the baselines", header, rows, note, first=True)
