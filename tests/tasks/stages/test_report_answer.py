"""The opening of the report."""

import numpy as np
import pytest

from nasgem_core.figures.image import figure_png
from nasgem_core.figures.page_parts import Picture
from nasgem_core.figures.training import draw_training
from nasgem_core.training.image_set import ImageSet
from tasks.run.history import StageOrigin
from tasks.stages import coco_results, gemnet
from tasks.stages.best_cell import write_finalist
from tasks.stages.imagenet_table import METRICS_FILE
from tasks.stages.report_answer import lead, opening, origin
from tasks.store.artifacts import read_json, write_bytes, write_json
from tests.tasks.made_up_search import CELLS, KEYS, write_made_up_search


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_made_up_search()


def write_networks(**networks):
    size = {"macs": 18_970_000, "params": 422_000, "bytes": 1_700_000, "learning_rate": 0.1, "top5_mean": 0.9}
    rows = {name: {**size, "top1": top1, "top1_mean": float(np.mean(top1))} for name, top1 in networks.items()}
    if "gemnet_a" in rows:
        rows["gemnet_a"]["latency_ms"] = 2.512
    differences = {name: {"mean": 0.025, "low": 0.01, "high": 0.04} for name in rows if name != "gemnet_a"}
    write_json(METRICS_FILE, "nasgem.metrics/1", {"networks": rows, "differences": differences})


def test_without_a_trained_network_the_answer_is_the_cell_and_what_to_do(results):
    words = lead(results)
    assert words.startswith(f"Cell {KEYS[0][:8]} was chosen among 5 trained cells.")
    assert (
        "Its score is +0.1800 +- 0.0400 above that of random search (95 % interval)." in words
        and "set imagenet.dataset" in words
    )
    assert [part.title for part in opening(results)] == ["The chosen cell and the baselines"]


def test_a_trained_network_is_the_answer_and_comes_with_the_best_other(results):
    write_networks(gemnet_a=[0.6, 0.62], mobilenet_v2=[0.585], shufflenet_v2=[0.5])
    assert lead(results) == (
        f"gemnet_a, built from cell {KEYS[0][:8]}, reaches 61.0 +- 12.7 % top-1 on your images with 18.97 M "
        "multiply-adds, 0.422 M parameters, 1.7 MB, 2.51 ms (one image, ONNX Runtime, one CPU thread). The best of the "
        "2 others that were trained in the same way, mobilenet_v2, reaches 58.5 %: a difference of +2.5 (95 %: +1.0 "
        "to +4.0) points."
    )
    table, picture, _ = opening(results)
    assert (
        table.first
        and table.rows[0][0] == "gemnet_a"
        and "the first row is what the others are compared with" in picture.caption
    )
    write_networks(gemnet_a=[0.6, 0.62], mobilenet_v2=[0.585])
    assert " The other network that was trained in the same way, mobilenet_v2, reaches 58.5 %: " in lead(results)
    write_networks(gemnet_a=[0.6, 0.62])
    assert "other" not in lead(results)


def test_a_network_that_guesses_is_said_to_do_so(results):
    write_networks(gemnet_a=[0.1, 0.1], mobilenet_v2=[0.585])
    document = read_json(METRICS_FILE, "nasgem.metrics/1")
    figures = {"guessing_top1": 0.1, "guessing_loss": 2.3, "validation_loss_mean": 2.36}
    for better in (True, False):
        document["networks"]["gemnet_a"] |= {"better_than_guessing": better, **figures}
        write_json(METRICS_FILE, "nasgem.metrics/1", document)
        assert ("It is no better than guessing: validation loss 2.36 (guessing: 2.3)" in lead(results)) is not better
    assert "add images, raise imagenet.least_steps" in lead(results)


def test_a_rival_alone_is_not_called_the_network_of_the_cell(results):
    write_networks(mobilenet_v2=[0.585])
    assert lead(results).startswith("Cell ") and "add gemnet to imagenet.networks" in lead(results)
    write_networks(mobilenet_v2=[0.585], gemnet_a=[0.6, 0.62])
    assert lead(results).startswith("gemnet_a, built from cell ")


def test_the_baselines_are_the_best_known_block_and_the_best_of_random_search(results):
    table = opening(results)[-1]
    rows = {row[0]: row for row in table.rows}
    assert list(rows) == ["the chosen cell", "the best known block", "the best of random search"]
    assert [str(row[1]) for row in table.rows] == [KEYS[place][:8] for place in (0, 2, 4)]
    assert [row[4] for row in table.rows] == ["0.5800 +- 0.0200", "0.5100", "0.4000 +- 0.0300"]
    write_finalist(CELLS[2], CELLS[0])
    del results.__dict__["best_cell"], results.__dict__["best"]
    assert [row[0] for row in opening(results)[-1].rows][:2] == ["the chosen cell", "the search's choice"]
    assert "above random search" not in lead(results), "that is said of another cell"


def test_networks_that_were_built_and_detectors_that_were_trained_are_listed(results):
    write_json(gemnet.METRICS_FILE, "nasgem.metrics/1", {"gemnet_a": {"macs": 10**7, "params": 10**6, "width": 8.5}})
    detector = {"backbone": "gemnet_a-0", "macs": 3 * 10**9, "params": 9 * 10**6, "AP": 0.211, "AP50": 0.4}
    write_json(coco_results.METRICS_FILE, "nasgem.metrics/1", {"detectors": {"retinanet": detector}, "skipped": {}})
    write_bytes(coco_results.CURVES_FILE, figure_png(draw_training({}, "nothing"), dpi=20))
    detectors, curves, built, _ = opening(results)
    assert built.rows == [["gemnet_a", "10.00", "1.000", "4.00", "8.5"]]
    assert detectors.rows == [["retinanet", "21.1", "40.0", None, "3.00", "9.00", "gemnet_a-0"]]
    assert isinstance(curves, Picture)


def test_the_origin_names_data_seed_time_and_code_as_far_as_they_are_known(results):
    images = ImageSet(*(part for _ in range(2) for part in (np.zeros((4, 16, 16, 3), np.uint8), np.arange(4))), "abcd")
    facts = origin(results, images, {})
    images_words = "cifar10_proxy: 4 images to train cells on and 4 to judge them by, 16 x 16 pixels, 4 classes"
    assert facts == {"data set": images_words, "seed": "0"}
    noted = {"pairs": StageOrigin("ab", 1e9, 61.0, "cpu, 2 cores", "c" * 40, False)}
    noted["report"] = StageOrigin("ab", 2e9, 999.0, "cpu, 2 cores", "c" * 40, False)
    facts = origin(results, images, noted)
    assert (facts["time taken"], facts["commit"], facts["machine"]) == ("1 min 1 s", "c" * 10, "cpu, 2 cores")
