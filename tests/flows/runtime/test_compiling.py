import sys

import numba
import pytest

from flows.runtime import compiling
from flows.runtime.compiling import WORDS, announced_compiling


@pytest.fixture
def said(monkeypatch):
    lines: list[str] = []
    monkeypatch.setattr(compiling, "say", lines.append)
    monkeypatch.setattr(compiling, "_said", [])
    return lines


def test_compiling_is_announced_once_and_only_when_it_happens(said):
    kernel, other = numba.njit(lambda x: x + 1), numba.njit(lambda x: x + 2)
    with announced_compiling():
        assert said == []
        assert kernel(1) == 2 and said == [WORDS]
        other(1)
    with announced_compiling():
        kernel(1.0)
    assert said == [WORDS]


def test_what_was_compiled_before_is_not_announced(said):
    kernel = numba.njit(lambda x: x + 3)
    kernel(1)
    with announced_compiling():
        kernel(1)
    assert said == []


def test_without_numba_nothing_is_imported(said, monkeypatch):
    monkeypatch.delitem(sys.modules, "numba")
    with announced_compiling():
        assert "numba" not in sys.modules
