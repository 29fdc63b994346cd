import hashlib

import numpy as np
import pytest

from nasgem_core.benchmarks.md5 import BLOCK, TRAILER, md5_hex


def md5_of(content: bytes) -> str:
    message = np.full(len(content) + BLOCK + TRAILER, 0xFF, dtype=np.uint8)
    message[: len(content)] = np.frombuffer(content, dtype=np.uint8)
    digest = np.zeros(32, dtype=np.uint8)
    md5_hex(message, len(content), np.empty(16, np.uint32), np.empty(4, np.uint32), digest)
    return digest.tobytes().decode()


@pytest.mark.parametrize("length", [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 300])
def test_digests_are_those_of_hashlib(length):
    content = np.random.default_rng(length).integers(0, 256, length, np.uint8).tobytes()
    assert md5_of(content) == hashlib.md5(content).hexdigest()
