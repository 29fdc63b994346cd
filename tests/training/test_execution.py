import random

import numpy as np
import pytest
import torch

from nasgem_core.errors import ParameterError
from nasgem_core.training.distributed import World
from nasgem_core.training.execution import Precision, execution, seed_generators


def draws():
    return random.random(), np.random.random(), torch.rand(()).item()


def test_generators_follow_the_seed_and_are_given_back():
    torch.manual_seed(5)
    with execution(World(), deterministic=False):
        pass
    expected = draws()
    torch.manual_seed(5)
    before = random.getstate(), np.random.get_state()
    with execution(World(), deterministic=True):
        assert torch.are_deterministic_algorithms_enabled()
        seed_generators(1, "step", 7)
        first = draws()
        seed_generators(1, "step", 8)
        assert first != draws()
        seed_generators(1, "step", 7)
        assert first == draws()
    assert not torch.are_deterministic_algorithms_enabled()
    assert random.getstate() == before[0] and torch.rand(()).item() == expected[2]


def test_precision_on_the_cpu():
    images = torch.randn(2, 3)
    for name, kind in (("auto", torch.float32), ("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        precision = Precision(name, torch.device("cpu"))
        with precision.autocast():
            assert (images @ images.T).dtype == kind
        assert not precision.scaler.is_enabled()
    with pytest.raises(ParameterError, match="precision = float16: only on a GPU"):
        Precision("float16", torch.device("cpu"))
