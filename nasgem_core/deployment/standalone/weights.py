"""Reading weights without the safetensors package: part of every exported Python file."""

import json
import math
from pathlib import Path

import torch
from torch import Tensor


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a safetensors file: the length of its header (8 bytes), the header (JSON), then all tensors in a row."""
    types = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64}
    types |= {"I64": torch.int64, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool}
    content = bytearray(Path(path).read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        count, dtype = math.prod(entry["shape"]), types[entry["dtype"]]
        if not 0 <= first <= last <= len(content) - start or last - first != count * dtype.itemsize:
            raise ValueError(f"{path} is damaged: tensor {name} does not lie inside the file")
        values = content[start + first : start + last]
        flat = torch.frombuffer(values, dtype=dtype) if count else torch.empty(0, dtype=dtype)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors
