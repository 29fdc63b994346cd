import pytest

from nasgem_core.config.search import CellsConfig, PairsConfig
from nasgem_core.kernel.pairs import draw_pairs
from tasks.stages.pairs import generate_pairs, read_pairs, unpack_pairs, write_pairs
from tasks.store.fingerprint import fingerprint

SPACE = CellsConfig(vertices=6)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_task_packs_the_pairs_that_the_core_draws():
    found = unpack_pairs(generate_pairs.fn(SPACE, PairsConfig(count=100), 3))
    expected = draw_pairs(SPACE, PairsConfig(count=100), 3)
    assert found.left.keys == expected.left.keys and found.right.keys == expected.right.keys


def test_the_file_holds_what_the_task_returned():
    packed = generate_pairs.fn(SPACE, PairsConfig(count=100), 3)
    write_pairs(packed)
    assert fingerprint(read_pairs()) == fingerprint(packed)
