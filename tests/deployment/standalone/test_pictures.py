import numpy as np
import pytest
from PIL import Image

from nasgem_core.deployment.standalone import pictures
from nasgem_core.training.image_files import upright
from tests.deployment.networks import photo


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "LA", "CMYK", "1"])
def test_a_picture_is_what_training_makes_of_it(mode):
    picture = photo(60, 40).convert(mode)
    exif = picture.getexif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees
    found = pictures.upright(picture)
    assert (found.mode, found.size) == ("RGB", (40, 60))
    assert np.array_equal(np.asarray(found), np.asarray(upright(picture)))


def test_of_sixteen_bits_the_upper_ones_are_kept():
    deep = Image.fromarray(np.asarray(photo(60, 40).convert("L")).astype(np.uint16) * 257 + 100)
    assert deep.mode.startswith("I;16")
    assert np.array_equal(np.asarray(pictures.upright(deep)), np.asarray(upright(deep)))
    with pytest.raises(ValueError, match="the picture's pixels are of mode F: save it with 8 or 16 bits"):
        pictures.upright(photo(6, 4).convert("F"))
