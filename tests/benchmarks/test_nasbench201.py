import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from nasgem_core.benchmarks.nasbench201 import import_npz, import_pth
from nasgem_core.benchmarks.table import read_table, write_table
from nasgem_core.errors import DataError
from tests.benchmarks.official import official

TEXTS = [
    "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|",
    "|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|",
]
SPLITS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}


def training(dataset: str, accuracy: float) -> dict:
    last = {f"{split}@199": accuracy for split in SPLITS[dataset]}
    return {"epochs": 200, "eval_acc1es": {f"{SPLITS[dataset][0]}@198": 1.0, **last}, "net_state_dict": None}


def official_content() -> dict:
    """Return what an official file holds of two cells, with two trainings on cifar10-valid and one on the others."""
    infos = OrderedDict()
    for row in range(len(TEXTS)):
        seeds = {dataset: [888, 777] if dataset == "cifar10-valid" else [777] for dataset in SPLITS}
        results = {
            (dataset, seed): training(dataset, 50.0 + 10 * row + (seed == 888))
            for dataset in SPLITS
            for seed in seeds[dataset]
        }
        full = {"arch_index": row, "arch_str": TEXTS[row], "dataset_seed": seeds, "all_results": results}
        infos[row] = {"full": full, "less": {}}
    return {"meta_archs": TEXTS, "arch2infos": infos, "evaluated_indexes": {0, 1}}


def test_official_files_are_read(tmp_path):
    torch.save(official_content(), tmp_path / "a.pth")
    space = import_pth(tmp_path / "a.pth")
    assert space.label == "c10_val_run0" and space.truth == "c10_test"
    for name, expected in {
        "c10_val_run0": [0.5, 0.6],
        "c10_val": [0.505, 0.605],
        "c10_test": [0.5, 0.6],
        "in16_val": [0.5, 0.6],
    }.items():
        np.testing.assert_allclose(space.metrics[name], expected, rtol=1e-6)
    assert space.cells.cell(0).operations[1:3] == ("nb201_conv3x3", "nb201_conv1x1")
    assert import_pth(tmp_path / "a.pth", "raw").cells.num_vertices.tolist() == [8, 8]


class Harmful:
    def __reduce__(self):
        return (open, ("harm", "w"))


def test_files_that_could_run_code_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(official_content() | {"extra": Harmful()}, tmp_path / "a.pth")
    with pytest.raises(DataError, match=r"a.pth cannot be loaded without running code that it may hold"):
        import_pth(tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(DataError, match=r"b.pth cannot be loaded without running code"):
        import_pth(tmp_path / "b.pth")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pth", "b.pth"]


def test_wrong_official_files_are_refused(tmp_path):
    path = tmp_path / "a.pth"
    with pytest.raises(DataError, match="there is no file"):
        import_pth(path)
    torch.save(official_content(), path)
    content = path.read_bytes()
    for size in (0, 10, len(content) // 2, len(content) - 30):
        path.write_bytes(content[:size])
        with pytest.raises(DataError, match=r"a.pth"):
            import_pth(path)
    for change in ({"meta_archs": 3}, {"arch2infos": {}}, {"meta_archs": [*TEXTS, TEXTS[0]]}):
        torch.save(official_content() | change, path)
        with pytest.raises(DataError, match=r"a.pth is not a file of NAS-Bench-201, or lacks results"):
            import_pth(path)
    altered = official_content()
    altered["arch2infos"][1]["full"]["all_results"]["cifar10", 777]["eval_acc1es"]["ori-test@199"] = float("nan")
    torch.save(altered, path)
    with pytest.raises(DataError, match="not between 0 and 100"):
        import_pth(path)


def test_the_whole_benchmark(tmp_path):
    space = import_npz(official("nasbench201.npz"))
    assert len(space) == 15_625 and len(np.unique(space.hashes, axis=0)) == 5425
    assert space.metrics["c10_test"].max() == pytest.approx(0.943733, abs=1e-6)
    assert space.metrics["c100_test"].max() == pytest.approx(0.735133, abs=1e-6)
    assert spearmanr(space.metrics["macs"], space.metrics["params"]).statistic > 0.99
    write_table(space, tmp_path / "nasbench201.parquet")
    again = read_table(tmp_path / "nasbench201.parquet")
    assert np.array_equal(again.cells.adjacency, space.cells.adjacency) and again.label == "c10_val_naslib"


def test_cells_of_one_hash_are_one_network():
    # Trained apart, rows of one graph differ by the noise of training; rows of different graphs by far more.
    space = import_npz(official("nasbench201.npz"))
    accuracy = 100 * space.metrics["c10_test"].astype(np.float64)
    group, size = np.unique(space.hashes, axis=0, return_inverse=True, return_counts=True)[1:]
    mean = np.bincount(group.reshape(-1), accuracy) / size
    within = ((accuracy - mean[group.reshape(-1)]) ** 2).sum() / (len(space) - len(size))
    assert np.sqrt(within) < 0.25 and accuracy.std() > 10


def test_raw_form_keeps_all_operations():
    space = import_npz(official("nasbench201.npz"), "raw")
    assert space.name == "nasbench201-raw" and len(np.unique(space.hashes, axis=0)) == 15_625


def test_wrong_npz_files_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    names = ("c10_test", "c10valid_gennas", "c10_val_naslib", "c100_test", "c100_gennas", "in16_test", "in16_gennas")
    arrays = {"arch_str": np.array(TEXTS), **{name: np.array([50.0, 60.0]) for name in names}}
    np.savez(path, **arrays)
    assert len(import_npz(path)) == 2
    np.savez(path, **arrays | {"arch_str": np.array(TEXTS).astype(bytes)})
    assert len(import_npz(path)) == 2
    np.savez(path, **arrays)
    with pytest.raises(DataError, match="form 'flat' of NAS-Bench-201 is unknown: choose contracted or raw"):
        import_npz(path, "flat")
    for change, message in [
        ({"arch_str": np.array([TEXTS[0], "x"])}, r"a.npz: 'x' is not a cell"),
        ({"arch_str": np.array([TEXTS[0]] * 2)}, "has 2 cells, 1 of them different"),
        (
            {"c10_test": np.array([50.0, 600.0])},
            r"a.npz is not an npz file of NAS-Bench-201: c10_test is 600.0, not between",
        ),
        ({"c10_test": np.array([0.5, 0.6])}, "c10_test is at most 0.6 %: these are fractions, it seems"),
        ({"c10_test": np.array([-1, 60])}, "c10_test is -1, not between 0 and 100 %, in row 1"),
        ({"c10_test": np.array(["50", "60"])}, "c10_test holds values of type str"),
        ({"hw_ms": np.array(["50", "60"])}, "hw_ms holds values of type str"),
        ({"hw_ms": np.array([5.0, 6.0, 7.0])}, r"hw_ms has shape \(3,\), not \(2,\)"),
        ({"arch_str": np.array([1, 2])}, "arch_str holds values of type int64, not text"),
        ({"arch_str": np.array([TEXTS[0], TEXTS[1].replace("none~1", "none~0", 1)])}, "it has the edge 0 -> 2 twice"),
        ({"c10_test": np.array([50.0])}, r"c10_test has shape \(1,\), not \(2,\)"),
    ]:
        np.savez(path, **arrays | change)
        with pytest.raises(DataError, match=message):
            import_npz(path)
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=r"a.npz is not an npz file"):
        import_npz(path)
    with pytest.raises(DataError, match=r"none.npz is not an npz file"):
        import_npz(tmp_path / "none.npz")
