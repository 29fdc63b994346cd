import numpy as np
import pytest

from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DataError
from nasgem_core.training.image_set import ImageSet
from tasks.run.placement import Placement
from tasks.stages import proxy_images

IMAGES = ImageSet(*2 * (np.zeros((4, 8, 8, 3), np.uint8), np.arange(4) % 2), ("a", "b"))


def test_images_are_those_that_the_search_began_with(monkeypatch):
    asked = []
    monkeypatch.setattr(proxy_images, "load_images", lambda config, folder: asked.append(str(folder)) or IMAGES)
    proxy_images.open_images.cache_clear()
    for _ in range(2):
        assert proxy_images.open_unchanged_images(ProxyConfig(), IMAGES.content_hash, Placement(images="a")) is IMAGES
    assert asked == ["a"], "read again"
    with pytest.raises(DataError, match="changed while the search was running: start it again"):
        proxy_images.open_unchanged_images(ProxyConfig(), "another hash", Placement(images="a"))
    proxy_images.open_images.cache_clear()
