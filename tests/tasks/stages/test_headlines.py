"""The few figures for `dvc metrics`."""

import json

import pytest

from tasks.stages.headlines import FOLDER, HEADLINES, headlines_of, read_headlines, write_headlines
from tasks.store.artifacts import METRICS, write_json


@pytest.mark.parametrize(
    ("stage", "metrics", "found"),
    [
        ("encoder", {"guided": {"r_squared": 0.9}, "plain": {"r_squared": -1.0}}, {"r_squared": 0.9}),
        ("estimator", {"rounds": [{"kendall_tau": 0.1}, {"kendall_tau": 0.4}]}, {"tau": 0.4}),
        ("estimator", {"rounds": []}, {}),
        ("bootstrap", {"expected_score": 0.5, "random_expected_score": None}, {"score": 0.5}),
        (
            "imagenet",
            {"networks": {"gemnet": {"top1_mean": 0.6}, "b": {"top1_mean": 0.5}}},
            {"top1": {"gemnet": 0.6, "b": 0.5}},
        ),
        ("imagenet", {"networks": {}}, {}),
        ("coco", {"detectors": {"retinanet-gemnet": {"AP": 0.1, "AP50": 0.2}}}, {"AP": {"retinanet-gemnet": 0.1}}),
    ],
)
def test_figures_are_picked_by_their_paths(stage, metrics, found):
    assert headlines_of(metrics, HEADLINES[stage]) == found


def test_a_stage_with_headlines_writes_them_as_plain_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_json(METRICS / "finalists.json", "nasgem.metrics/1", {"top1": 0.25, "cells": 5})
    write_headlines("finalists")
    write_headlines("pairs")
    assert [path.name for path in FOLDER.iterdir()] == ["finalists.json"]
    assert json.loads((FOLDER / "finalists.json").read_text()) == {"top1": 0.25}
    assert read_headlines("finalists") == {"top1": 0.25} and read_headlines("pairs") == {}


def test_figures_of_several_networks_are_read_under_their_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    networks = {"gemnet": {"top1_mean": 0.6}, "mobilenet_v2": {"top1_mean": 0.5}}
    write_json(METRICS / "imagenet.json", "nasgem.metrics/1", {"networks": networks})
    write_headlines("imagenet")
    assert read_headlines("imagenet") == {"top1 of gemnet": 0.6, "top1 of mobilenet_v2": 0.5}
