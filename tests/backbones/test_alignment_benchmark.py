"""The benchmark of proxies: its jobs differ by what their weights depend on."""

from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.layout import named_layout
from nasgem_core.cells.known_blocks import MOBILENET_V2_3, REGNET
from nasgem_core.training.image_files import list_image_files
from tests.scripts import load_script
from tests.training.folders import write_images

alignment = load_script("alignment")
TARGET = alignment.Judge("target", named_layout("tiny", "mobile"), 19_000_000, 64, 8)


def test_trainings_that_differ_have_keys_that_differ_and_names_do_not_count():
    job = alignment.Job(REGNET.cell, TARGET, "images", 0)
    others = [
        replace(job, cell=None),
        replace(job, cell=MOBILENET_V2_3.cell),
        replace(job, seed=1),
        replace(job, images="others"),
        *(replace(job, judge=judge) for judge in alignment.judges(TARGET)[1:]),
    ]
    keys = {each.key() for each in others}
    assert len(keys) == len(others) and job.key() not in keys
    assert replace(job, judge=replace(TARGET, name="another word")).key() == job.key()


def test_the_target_is_built_to_its_budget():
    spec = alignment.Job(MOBILENET_V2_3.cell, TARGET, "images", 0).spec(20)
    assert count_costs(spec.build(), (64, 64)).macs == pytest.approx(19_000_000, rel=0.01)


def test_a_share_of_the_images_is_one_of_each_class(tmp_path):
    write_images(tmp_path, train=10, val=2)
    files, _ = list_image_files(tmp_path)
    part = alignment.part_of(files, 0.5)
    assert np.bincount(part.labels).tolist() == [5, 5, 5] and set(part.files) < set(files.files)
