import pytest
import torch

from nasgem_core.deployment.device import device_name


def test_the_processor_has_its_name():
    name = device_name("cpu")
    assert name.startswith("cpu (") and len(name) > len("cpu ()") and "\n" not in name


def test_other_devices_have_their_kind():
    assert device_name("meta") == "meta"


@pytest.mark.gpu
def test_a_gpu_has_its_name():
    assert torch.cuda.get_device_name(0) in device_name("cuda:0")
