import numpy as np
from numba import njit
from scipy import stats

from nasgem_core.cells.random_streams import below, mix, mix_words, next_word, start_stream, uniform

WORD = 2**64


def plain_splitmix(state, count):
    """SplitMix64 as published, in whole numbers."""
    words = []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) % WORD
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
        words.append(z ^ (z >> 31))
    return words


@njit
def draw(seed, index, count, limit):
    state = np.zeros(1, dtype=np.uint64)
    start_stream(state, seed, index)
    words = np.empty(count, dtype=np.uint64)
    numbers = np.empty(count)
    whole = np.empty(count, dtype=np.int64)
    for i in range(count):
        words[i] = next_word(state)
    for i in range(count):
        numbers[i] = uniform(state)
    for i in range(count):
        whole[i] = below(state, limit)
    return words, numbers, whole


def test_words_are_those_of_the_published_generator():
    # SplitMix64 from state 0 starts with this well-known word.
    assert plain_splitmix(0, 1)[0] == 0xE220A8397B1DCDAF
    state = np.array([12345], dtype=np.uint64)
    assert [int(next_word(state)) for _ in range(5)] == plain_splitmix(12345, 5)


def test_numbers_are_uniform():
    _, numbers, whole = draw(np.uint64(1), 0, 20_000, 7)
    assert stats.kstest(numbers, "uniform").pvalue > 1e-3
    assert stats.chisquare(np.bincount(whole, minlength=7)).pvalue > 1e-3


def test_streams_differ_by_seed_and_index():
    firsts = {int(draw(np.uint64(seed), index, 1, 2)[0][0]) for seed in range(20) for index in range(20)}
    assert len(firsts) == 400
    assert mix(np.uint64(1)) != mix(np.uint64(2))


def test_arrays_are_mixed_like_single_words():
    words = np.random.default_rng(0).integers(0, 2**64, (3, 4), dtype=np.uint64)
    mixed = mix_words(words)
    assert mixed.dtype == np.uint64
    assert mixed.tolist() == [[int(mix(word)) for word in row] for row in words]
