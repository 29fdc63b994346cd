import pytest

from nasgem_core.cosine import cosine_decay


def test_it_falls_from_one_to_zero_along_a_cosine():
    assert cosine_decay(0, 7) == 1
    assert cosine_decay(1, 3) == pytest.approx(0.75)
    assert cosine_decay(7, 14) == pytest.approx(0.5)
    assert cosine_decay(7, 7) == 0
