"""Random numbers inside compiled loops: one independent stream per cell, the same in every process.

The generator is SplitMix64 (Steele, Lea, Flood 2014): the state advances by a constant, and a mixing function makes the
output. The state is a single uint64, and each cell has its own, so its draws never depend on the rest of the batch.
"""

from typing import Any

import numpy as np
from numba import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)


@njit(cache=True)
def mix(x: np.uint64) -> np.uint64:
    """Map 64 bits to 64 bits, one to one, so that each output bit depends on every input bit."""
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return x ^ (x >> _S31)


def mix_words(words: np.ndarray) -> np.ndarray:
    """Return `mix` of each word of a uint64 array; outside of compiled loops it needs no compilation."""
    elementwise: Any = mix.py_func
    return elementwise(words)


@njit(cache=True)
def next_word(state: np.ndarray) -> np.uint64:
    """Advance a stream (array of one uint64) and return 64 random bits."""
    state[0] += GOLDEN
    return mix(state[0])


@njit(cache=True)
def uniform(state: np.ndarray) -> float:
    """Return a number in [0, 1)."""
    return float(next_word(state) >> _S11) * (1.0 / 9007199254740992.0)


@njit(cache=True)
def below(state: np.ndarray, limit: int) -> int:
    """Return an integer in 0..limit-1."""
    return int(uniform(state) * limit)


@njit(cache=True)
def start_stream(state: np.ndarray, seed: np.uint64, index: int) -> None:
    """Set `state` to the start of stream number `index` of `seed`."""
    state[0] = mix(mix(seed) ^ (np.uint64(index) * GOLDEN))
