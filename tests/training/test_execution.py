import random

import numpy as np
import pytest
import torch

from nasgem_core.errors import ParameterError
from nasgem_core.training.distributed import World
from nasgem_core.training.execution import Precision, execution, lacks_memory, seed_generators


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


@pytest.mark.parametrize(("deterministic", "equal_shapes", "tried"), [(0, 1, True), (0, 0, False), (1, 1, False)])
def test_kernels_are_tried_where_all_batches_have_one_shape(deterministic, equal_shapes, tried):
    before = torch.backends.cudnn.benchmark
    with execution(World(), bool(deterministic), bool(equal_shapes)):
        assert torch.backends.cudnn.benchmark is tried
    assert torch.backends.cudnn.benchmark is before


@pytest.mark.parametrize(("native", "name"), [(True, "bfloat16"), (False, "float16")])
def test_a_gpu_that_only_emulates_bfloat16_takes_float16(monkeypatch, native, name):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: native or including_emulation)
    monkeypatch.setattr(torch.amp, "GradScaler", lambda device, enabled: enabled)
    precision = Precision("auto", torch.device("cuda"))
    assert (precision.name, precision.scaler) == (name, not native)


def test_precision_on_the_cpu():
    images = torch.randn(2, 3)
    for name, kind in (("auto", torch.float32), ("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        precision = Precision(name, torch.device("cpu"))
        with precision.autocast():
            assert (images @ images.T).dtype == kind
        assert not precision.scaler.is_enabled()
    with pytest.raises(ParameterError, match="precision = float16: needs a GPU"):
        Precision("float16", torch.device("cpu"))


@pytest.mark.parametrize(
    ("error", "means"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_missing_memory_is_known_by_the_words_of_each_library(error, means):
    assert lacks_memory(error) is means
