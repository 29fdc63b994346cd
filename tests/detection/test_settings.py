import dataclasses
import json

import pytest

from nasgem_core.config.documents import read_fields
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.errors import ParameterError


def test_settings_survive_json():
    settings = DetectorSettings(kind="faster_rcnn", short_side=240, long_side=320, square=True)
    assert read_fields(DetectorSettings, json.loads(json.dumps(dataclasses.asdict(settings)))) == settings


@pytest.mark.parametrize(("short_side", "scale"), [(800, 1.0), (1000, 1.0), (240, 0.3)])
def test_objects_shrink_below_the_papers_size(short_side, scale):
    assert DetectorSettings(short_side=short_side, long_side=1333).scale == pytest.approx(scale)


def test_sides_in_the_wrong_order_are_refused():
    with pytest.raises(ParameterError, match="short_side = 100: must not exceed long_side = 50"):
        DetectorSettings(short_side=100, long_side=50)


def test_colours_that_are_not_three_are_refused():
    with pytest.raises(ParameterError, match=r"std = \[1.0\]: give three numbers"):
        DetectorSettings(std=(1.0,))
