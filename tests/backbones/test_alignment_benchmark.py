"""The benchmark of proxies: its trainings, and what tells them apart."""

import json
from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.backbones.counting import count_costs
from nasgem_core.cells.known_blocks import MOBILENET_V1, MOBILENET_V2_3, REGNET
from nasgem_core.config.transfer import GemnetConfig
from tests.scripts import load_script
from tests.training.folders import write_images

alignment = load_script("alignment")
TARGET = alignment.Target(GemnetConfig(macs=(19_000_000,), layout="tiny", image_size=64), "images", 8)


@pytest.fixture
def small(tmp_path):
    gemnet = GemnetConfig(macs=(4_000_000,), layout="tiny", image_size=32)
    return alignment.Target(gemnet, str(write_images(tmp_path, train=30, val=2)), 1)


def test_trainings_that_differ_have_keys_that_differ():
    proxies = alignment.proxies(TARGET).values()
    judges = [TARGET, replace(TARGET, seed=1), replace(TARGET, images="others"), *proxies]
    keys = {alignment.key_of(judge, cell) for judge in judges for cell in (None, REGNET.cell, MOBILENET_V2_3.cell)}
    assert len(keys) == 3 * len(judges) and len(proxies) == 8


def test_the_target_is_built_to_its_budget():
    spec = TARGET.spec(MOBILENET_V2_3.cell, 20)
    assert count_costs(spec.build(), (64, 64)).macs == pytest.approx(19_000_000, rel=0.01)


def test_a_share_of_the_images_is_one_of_each_class(small):
    config = alignment.proxies(small)["at a budget, half the pixels"].config
    assert config.image_size == 16
    whole, part = (alignment.images_of(config, share) for share in (1.0, 0.5))
    splits = whole.train_labels, part.train_labels, part.validation_labels
    assert [np.bincount(labels).tolist() for labels in splits] == [[24, 24, 24], [12, 12, 12], [6, 6, 6]]


def test_target_and_proxies_train_a_cell_and_keep_what_they_found(small, tmp_path, monkeypatch):
    monkeypatch.setattr(alignment, "FOLDER", tmp_path / "kept")
    own = alignment.proxies(small)["at a budget: one cell per stage, 1/8 of the MACs, 3 epochs"]
    at_budget = replace(own, config=replace(own.config, macs_share=0.5, epochs=1, least_steps=1))
    by_score = replace(at_budget, target=None)
    for judge in (small, at_budget, by_score):
        found = alignment.run(judge, MOBILENET_V1.cell)
        assert 0 <= found["top1"] <= 1 and found["seconds"] > 0, found
        kept = tmp_path / "kept" / f"{alignment.key_of(judge, MOBILENET_V1.cell)}.json"
        assert json.loads(kept.read_text()) == found == alignment.run(judge, MOBILENET_V1.cell)
    assert alignment.run(by_score, MOBILENET_V1.cell)["score"] != found["top1"]
    impossible = replace(small, gemnet=replace(small.gemnet, macs=(10,)))
    assert "top1" not in alignment.run(impossible, MOBILENET_V1.cell)


def test_the_table_has_tau_over_the_cells_that_both_have_judged(capsys):
    target = {cell: {"top1": value, "seconds": 9.0} for cell, value in zip("abcd", (0.1, 0.2, 0.3, 0.4), strict=True)}
    judged = {cell: {"top1": -each["top1"], "seconds": 2.0} for cell, each in target.items()}
    judged["d"] = {"impossible": "too small", "seconds": 0.0}
    alignment.show({"target": target, "cheap": judged})
    assert "| cheap, top1 | -1.00 | -1.00 to -1.00 | 3 | 2 |" in capsys.readouterr().out
