import pytest
import torch
from safetensors.torch import save_file

from nasgem_core.deployment.standalone.weights import read_weights


def test_it_reads_what_safetensors_wrote(tmp_path):
    tensors = {
        "weight": torch.randn(3, 4),
        "half": torch.randn(5).half(),
        "brain": torch.randn(2, 2).bfloat16(),
        "double": torch.randn(2, 1, 3).double(),
        "count": torch.tensor(7),
        "int": torch.arange(3, dtype=torch.int32),
        "byte": torch.arange(3, dtype=torch.uint8),
        "mask": torch.tensor([True, False]),
        "none": torch.empty(0, 3),
    }
    save_file(tensors, tmp_path / "a.safetensors", metadata={"card": "{}"})
    found = read_weights(tmp_path / "a.safetensors")
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor)
    found["weight"].add_(1)  # tensors can be written to, and do not share memory
    assert torch.equal(found["half"], tensors["half"])


def test_a_truncated_file_is_refused(tmp_path):
    save_file({"weight": torch.randn(30)}, tmp_path / "a.safetensors")
    content = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "a.safetensors").write_bytes(content[:-1])
    with pytest.raises(ValueError, match="damaged: tensor weight does not lie inside the file"):
        read_weights(tmp_path / "a.safetensors")
