"""MD5 (RFC 1321) inside compiled loops, for hashes that a benchmark has published; it protects nothing."""

import math

import numpy as np
from numba import njit, uint32

_SINES = np.array([math.floor(abs(math.sin(i + 1)) * 2**32) for i in range(64)], dtype=np.uint32)
_ROTATIONS = np.array([[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]], dtype=np.uint32)
_STEPS = np.array([[1, 0], [5, 1], [3, 5], [7, 0]], dtype=np.int64)
"""Round r reads word (first * i + second) mod 16 in its step i."""
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
BLOCK, TRAILER = 64, 9
"""Bytes of a block; bytes that padding adds at least."""


@njit(cache=True)
def _absorb(message: np.ndarray, start: int, words: np.ndarray, state: np.ndarray) -> None:
    for i in range(16):
        j = start + 4 * i
        words[i] = (
            uint32(message[j])
            | (uint32(message[j + 1]) << uint32(8))
            | (uint32(message[j + 2]) << uint32(16))
            | (uint32(message[j + 3]) << uint32(24))
        )
    a, b, c, d = state[0], state[1], state[2], state[3]
    for step in range(64):
        part = step // 16
        if part == 0:
            mixed = uint32((b & c) | (~b & d))
        elif part == 1:
            mixed = uint32((d & b) | (~d & c))
        elif part == 2:
            mixed = uint32(b ^ c ^ d)
        else:
            mixed = uint32(c ^ (b | ~d))
        word = words[(_STEPS[part, 0] * step + _STEPS[part, 1]) & 15]
        total = uint32(a + mixed + _SINES[step] + word)
        turn = _ROTATIONS[part, step & 3]
        turned = uint32((total << turn) | (total >> uint32(32 - turn)))
        a, d, c, b = d, c, b, uint32(b + turned)
    state[0] = uint32(state[0] + a)
    state[1] = uint32(state[1] + b)
    state[2] = uint32(state[2] + c)
    state[3] = uint32(state[3] + d)


@njit(cache=True)
def md5_hex(message: np.ndarray, length: int, words: np.ndarray, state: np.ndarray, digest: np.ndarray) -> None:
    """Write the MD5 of message[:length] as 32 characters of lower-case hexadecimal to `digest`.

    Args:
        message: bytes, with room for the padding, at most `BLOCK + TRAILER` bytes, which overwrites what follows.
        length: bytes to hash.
        words: scratch of 16 uint32.
        state: scratch of 4 uint32.
        digest: [32] uint8, overwritten.
    """
    blocks = (length + TRAILER + BLOCK - 1) // BLOCK
    end = blocks * BLOCK
    message[length] = 0x80
    for j in range(length + 1, end):
        message[j] = 0
    bits = 8 * length
    for j in range(8):
        message[end - 8 + j] = (bits >> (8 * j)) & 255
    state[0], state[1], state[2], state[3] = 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476
    for block in range(blocks):
        _absorb(message, block * BLOCK, words, state)
    for i in range(16):
        value = (state[i // 4] >> uint32(8 * (i % 4))) & uint32(255)
        digest[2 * i] = _HEX[value >> 4]
        digest[2 * i + 1] = _HEX[value & 15]
