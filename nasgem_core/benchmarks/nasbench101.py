"""NAS-Bench-101 (Ying et al. 2019) as a tabular space: 423,624 cells of at most 7 vertices and 9 edges on CIFAR-10.

A cell of the benchmark is a labelled DAG as ours is, with one difference: its output is a vertex. It stays one here,
with the operation `nb101_output`, because which vertices feed it, and how many, decides the widths of all others. The
operations are not those of the free space: inputs of a vertex are summed, not concatenated, and those from the cell's
input are projected first. So they have names of their own, which only tables carry.
"""

import base64
import binascii
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nasgem_core.benchmarks.graph_hash import graph_hashes
from nasgem_core.benchmarks.model_metrics import Training, decode_training
from nasgem_core.benchmarks.nasbench101_costs import nasbench101_costs
from nasgem_core.benchmarks.table import HASH_BYTES, TabularSpace
from nasgem_core.benchmarks.tfrecord import read_records
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE, INPUT_CODE, PADDING_CODE
from nasgem_core.errors import DataError
from nasgem_core.operations.registry import register_tabular

NAME = "nasbench101"
OPERATIONS = ("nb101_conv3x3", "nb101_conv1x1", "nb101_maxpool3x3", "nb101_output")
OFFICIAL_NAMES = ("input", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3", "output")
"""The benchmark's names of codes 1 to 5."""
MAX_VERTICES, REPEATS, EPOCHS = 7, 3, 108
LABEL, TRUTH = "test_acc_run0", "test_acc_mean3"
HASH_LABELS = np.array([0, -1, 0, 1, 2, -2])
"""The integers by which the benchmark's hash knows padding (none), the input, three operations and the output."""
_KERNEL_SIZES = np.array([0, 0, 3, 1, 0, 0])

for _name in OPERATIONS:
    register_tabular(_name)


def import_npz(path: Path) -> TabularSpace:
    """Read the arrays `hash16`, `adjacency`, `ops`, `op_names`, `test_acc_run0` and `test_acc_mean3` of an npz file.

    Rows keep their order. The hashes are computed and compared. Parameters and MACs are computed; the array `macs` of
    some such files is larger, as it counts two more operations for each number that is normalised.

    Raises:
        DataError: the file is missing or altered, an array is missing or of another shape, or a hash differs.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ("hash16", "adjacency", "ops", "op_names", LABEL, TRUTH)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no npz file of NAS-Bench-101: {error}") from None
    if tuple(arrays["op_names"].tolist()) != OFFICIAL_NAMES:
        raise DataError(f"{path}: op_names must be {', '.join(OFFICIAL_NAMES)}, in this order")
    rows = len(arrays["ops"])
    shapes = {"hash16": (rows, HASH_BYTES), "ops": (rows, MAX_VERTICES), LABEL: (rows,), TRUTH: (rows,)}
    shapes["adjacency"] = (rows, MAX_VERTICES, MAX_VERTICES)
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise DataError(f"{path}: {name} has shape {arrays[name].shape}, not {shape}")
    codes = np.where(arrays["ops"] == 255, PADDING_CODE, arrays["ops"] + INPUT_CODE).astype(np.uint8)
    cells = CellBatch(arrays["adjacency"].astype(np.uint8), codes, OPERATIONS)
    metrics = {name: arrays[name] for name in (LABEL, TRUTH)}
    return _space(cells, arrays["hash16"].astype(np.uint8), metrics, path)


def import_tfrecord(path: Path) -> TabularSpace:
    """Read the benchmark's own file, `nasbench_only108.tfrecord` or `nasbench_full.tfrecord`; rows are sorted by hash.

    Only trainings of 108 epochs are taken. Beside the test accuracies the space holds the validation accuracies
    `val_acc_run0` and `val_acc_mean3` and the mean `training_seconds`.

    Raises:
        DataError: the file is missing, truncated or altered, or a record is not as the benchmark writes it; it names
            the record.
    """
    rows: dict[str, int] = {}
    graphs: list[tuple[str, str]] = []
    trainings: list[list[Training]] = []
    for number, record in enumerate(read_records(path), start=1):
        try:
            key, epochs, adjacency, operations, metrics = json.loads(record)
            if epochs != EPOCHS:
                continue
            training = decode_training(base64.b64decode(metrics, validate=True))
        except (ValueError, TypeError, binascii.Error, DataError) as error:
            raise DataError(f"{path}: record {number} is none of NAS-Bench-101: {error}") from None
        row = rows.setdefault(key, len(rows))
        if row == len(graphs):
            graphs.append((adjacency, operations))
            trainings.append([])
        trainings[row].append(training)
    if not rows:
        raise DataError(f"{path} has no training of {EPOCHS} epochs: it is not the benchmark's file")
    for key, row in rows.items():
        if len(trainings[row]) != REPEATS:
            raise DataError(f"{path}: cell {key} has {len(trainings[row])} trainings, not {REPEATS}: download it again")
    try:
        hashes = np.frombuffer(bytes.fromhex("".join(rows)), dtype=np.uint8).reshape(len(rows), HASH_BYTES)
    except ValueError:
        raise DataError(f"{path}: a key is no hash of {2 * HASH_BYTES} hexadecimal digits") from None
    order = np.lexsort(hashes.T[::-1])
    test = np.array([[run.test_accuracy for run in runs] for runs in trainings])
    validation = np.array([[run.validation_accuracy for run in runs] for runs in trainings])
    figures = {
        LABEL: test[:, 0],
        TRUTH: test.mean(axis=1),
        "val_acc_run0": validation[:, 0],
        "val_acc_mean3": validation.mean(axis=1),
        "training_seconds": np.array([[run.seconds for run in runs] for runs in trainings]).mean(axis=1),
    }
    params = np.array([runs[0].params for runs in trainings])
    space = _space(
        _graphs(graphs, list(rows), path)[order],
        hashes[order],
        {name: values[order] for name, values in figures.items()},
        path,
    )
    differing = np.flatnonzero(params[order].astype(np.float32) != space.metrics["params"])
    if len(differing):
        key = hashes[order][differing[0]].tobytes().hex()
        raise DataError(f"{path}: cell {key} has other parameters than its graph: download it again")
    return space


def _graphs(graphs: list[tuple[str, str]], keys: list[str], path: Path) -> CellBatch:
    """Return the cells of the file's texts: the matrix row by row as digits, the operations separated by commas."""
    code_of = {name: code for code, name in enumerate(OFFICIAL_NAMES, start=INPUT_CODE)}
    adjacency = np.zeros((len(graphs), MAX_VERTICES, MAX_VERTICES), dtype=np.uint8)
    codes = np.zeros((len(graphs), MAX_VERTICES), dtype=np.uint8)
    for row, (digits, operations) in enumerate(graphs):
        try:
            names = operations.split(",")
            size = len(names)
            matrix = np.frombuffer(digits.encode(), dtype=np.uint8) - ord("0")
            adjacency[row, :size, :size] = matrix.reshape(size, size)
            codes[row, :size] = [code_of[name] for name in names]
        except (ValueError, KeyError, AttributeError) as error:
            raise DataError(f"{path}: cell {keys[row]} has no graph of the benchmark: {error}") from None
    return CellBatch(adjacency, codes, OPERATIONS)


def _space(cells: CellBatch, hashes: np.ndarray, metrics: Mapping[str, np.ndarray], path: Path) -> TabularSpace:
    """Return the space with computed costs, after every graph has been checked and hashed."""
    wrong = _invalid(cells)
    if len(wrong):
        raise DataError(f"{path}: cell {hashes[wrong[0]].tobytes().hex()} is no graph from an input to an output")
    differing = np.flatnonzero((graph_hashes(cells, HASH_LABELS) != hashes).any(axis=1))
    if len(differing):
        key = hashes[differing[0]].tobytes().hex()
        raise DataError(f"{path}: {len(differing)} cells are not the graphs of their hashes, the first is {key}")
    params, macs = nasbench101_costs(cells, _KERNEL_SIZES)
    columns = {
        name: values.astype(np.float32) for name, values in (*metrics.items(), ("params", params), ("macs", macs))
    }
    return TabularSpace(NAME, cells, columns, LABEL, TRUTH, hashes)


def _invalid(cells: CellBatch) -> np.ndarray:
    """Return the cells that are no DAG in topological order from a first vertex "input" to a last one "output"."""
    codes, adjacency, sizes = cells.codes, cells.adjacency, cells.num_vertices
    output = FIRST_OPERATION_CODE + OPERATIONS.index("nb101_output")
    places = np.arange(cells.width)
    last = np.maximum(sizes - 1, 0)[:, None]
    own = places < sizes[:, None]
    right = (codes[:, 0] == INPUT_CODE) & (codes <= output).all(axis=1) & (sizes >= 2)
    right &= ((codes != PADDING_CODE) == own).all(axis=1)
    right &= ((codes == INPUT_CODE) == (places == 0)).all(axis=1) & ((codes == output) == (places == last)).all(axis=1)
    right &= (adjacency <= 1).all(axis=(1, 2)) & ~np.tril(adjacency).any(axis=(1, 2))
    right &= (adjacency.any(axis=1) == (own & (places > 0))).all(axis=1)
    right &= (adjacency.any(axis=2) == (places < last)).all(axis=1)
    return np.flatnonzero(~right)
