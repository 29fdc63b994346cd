"""NAS-Bench-101 (Ying et al. 2019) as a tabular space: 423,624 cells on CIFAR-10, each trained three times.

`nasgem_core.benchmarks.nasbench101_cells` says how its cells become ours. How predictors read it was chosen on splits
with seeds of 100 and more; `docs/predictors.md` has the measurements.
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nasgem_core.benchmarks.benchmark import Benchmark
from nasgem_core.benchmarks.graph_hash import graph_hashes
from nasgem_core.benchmarks.model_metrics import RunMetrics, decode_training
from nasgem_core.benchmarks.mutation import Mutation
from nasgem_core.benchmarks.nasbench101_cells import (
    HASH_LABELS,
    MAX_VERTICES,
    OFFICIAL_NAMES,
    OPERATIONS,
    invalid_cells,
    parse_graphs,
)
from nasgem_core.benchmarks.nasbench101_costs import nasbench101_costs
from nasgem_core.benchmarks.published_file import read_arrays, require_accuracies, require_kind
from nasgem_core.benchmarks.table import HASH_BYTES, TabularSpace
from nasgem_core.benchmarks.tfrecord import read_records
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import INPUT_CODE, PADDING_CODE
from nasgem_core.errors import DataError
from nasgem_core.json_text import parse_json
from nasgem_core.predictors.notation import Notation
from nasgem_core.predictors.relevances import Relevances

NAME = "nasbench101"
REPEATS, EPOCHS = 3, 108
LABEL, TRUTH, SECONDS = "test_acc_run0", "test_acc_mean3", "training_seconds"
_KERNEL_SIZES = np.array([0, 0, 3, 1, 0, 0])
_STRONG = ("walk", "degree", "depth", "wwalk", "size", "subset:mass")
_MIDDLE = ("chain", "subset:fewest", "prefix", "count")


def import_npz(path: Path) -> TabularSpace:
    """Read the arrays `hash16`, `adjacency`, `ops`, `op_names`, `test_acc_run0` and `test_acc_mean3` of an npz file.

    Rows keep their order. The hashes are computed and compared. Parameters and MACs are computed; the array `macs` of
    some such files is larger, as it counts two more operations for each number that is normalised.

    Raises:
        DataError: the file is missing or altered, an array is missing or of another shape, or a hash differs.
    """
    arrays = read_arrays(path, "an npz file of NAS-Bench-101", ("hash16", "adjacency", "ops", "op_names", LABEL, TRUTH))
    if tuple(arrays["op_names"].reshape(-1).tolist()) != OFFICIAL_NAMES:
        raise DataError(f"{path}: op_names must be {', '.join(OFFICIAL_NAMES)}, in this order")
    rows = arrays["ops"].shape[0] if arrays["ops"].ndim else 0
    shapes = {"hash16": (rows, HASH_BYTES), "ops": (rows, MAX_VERTICES), LABEL: (rows,), TRUTH: (rows,)}
    shapes["adjacency"] = (rows, MAX_VERTICES, MAX_VERTICES)
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise DataError(f"{path}: {name} has shape {arrays[name].shape}, not {shape}")
    for name in ("hash16", "adjacency", "ops"):
        require_kind(f"{path}: {name}", arrays[name], "iub")
        if not ((arrays[name] >= 0) & (arrays[name] <= 255)).all():
            raise DataError(f"{path}: {name} holds numbers that are not bytes, 0 to 255")
    codes = np.where(arrays["ops"] == 255, PADDING_CODE, arrays["ops"] + INPUT_CODE).astype(np.uint8)
    cells = CellBatch(arrays["adjacency"].astype(np.uint8), codes, OPERATIONS)
    metrics = {name: arrays[name] for name in (LABEL, TRUTH)}
    return _space(cells, arrays["hash16"].astype(np.uint8), metrics, path)


def import_tfrecord(path: Path) -> TabularSpace:
    """Read the benchmark's own file, `nasbench_only108.tfrecord` or `nasbench_full.tfrecord`; rows are sorted by hash.

    Only trainings of 108 epochs are taken. Besides the test accuracies the space holds the validation accuracies
    `val_acc_run0` and `val_acc_mean3` and the mean `training_seconds`.

    Raises:
        DataError: the file is missing, truncated or altered, or a record is not as the benchmark writes it; it names
            the record.
    """
    rows: dict[str, int] = {}
    graphs: list[tuple[str, str]] = []
    trainings: list[list[RunMetrics]] = []
    for number, record in enumerate(read_records(path), start=1):
        try:
            key, epochs, adjacency, operations, metrics = parse_json(record)
            if not isinstance(key, str):
                raise ValueError(f"its key is {key!r:.80}")
            if epochs != EPOCHS:
                continue
            training = decode_training(base64.b64decode(metrics, validate=True))
        except (ValueError, TypeError, binascii.Error, DataError) as error:
            raise DataError(f"{path}: record {number} is not one of NAS-Bench-101: {error}") from None
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
        raise DataError(f"{path}: a key is not a hash of {2 * HASH_BYTES} hexadecimal digits") from None
    order = np.lexsort(hashes.T[::-1])
    test = np.array([[run.test_accuracy for run in runs] for runs in trainings])
    validation = np.array([[run.validation_accuracy for run in runs] for runs in trainings])
    figures = {
        LABEL: test[:, 0],
        TRUTH: test.mean(axis=1),
        "val_acc_run0": validation[:, 0],
        "val_acc_mean3": validation.mean(axis=1),
        SECONDS: np.array([[run.seconds for run in runs] for runs in trainings]).mean(axis=1),
    }
    params = np.array([runs[0].params for runs in trainings])
    space = _space(
        _parsed(graphs, list(rows), path)[order],
        hashes[order],
        {name: values[order] for name, values in figures.items()},
        path,
    )
    differing = np.flatnonzero(params[order].astype(np.float32) != space.metrics["params"])
    if len(differing):
        key = hashes[order][differing[0]].tobytes().hex()
        raise DataError(f"{path}: cell {key} has other parameters than its graph: download it again")
    return space


def _parsed(graphs: list[tuple[str, str]], keys: list[str], path: Path) -> CellBatch:
    try:
        return parse_graphs(graphs, keys)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _space(cells: CellBatch, hashes: np.ndarray, metrics: Mapping[str, np.ndarray], path: Path) -> TabularSpace:
    """Return the space with computed costs, after every graph has been checked and hashed."""
    if not len(cells):
        raise DataError(f"{path} has no cells: download the benchmark's file")
    for name in set(metrics) - {SECONDS}:
        require_accuracies(f"{path}: {name}", metrics[name], 1)
    wrong = invalid_cells(cells)
    if len(wrong):
        raise DataError(f"{path}: cell {hashes[wrong[0]].tobytes().hex()} is not a graph from an input to an output")
    differing = np.flatnonzero((graph_hashes(cells, HASH_LABELS) != hashes).any(axis=1))
    if len(differing):
        key = hashes[differing[0]].tobytes().hex()
        raise DataError(f"{path}: {len(differing)} cells are not the graphs of their hashes, the first is {key}")
    _require_distinct(hashes, path)
    params, macs = nasbench101_costs(cells, _KERNEL_SIZES)
    columns = {
        name: values.astype(np.float32) for name, values in (*metrics.items(), ("params", params), ("macs", macs))
    }
    return TabularSpace(NAME, cells, columns, LABEL, TRUTH, hashes)


def _require_distinct(hashes: np.ndarray, path: Path) -> None:
    keys = np.ascontiguousarray(hashes).view(f"V{HASH_BYTES}").reshape(-1)
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[group] != np.arange(len(keys)))
    if len(again):
        row, earlier = again[0], first[group[again[0]]]
        raise DataError(f"{path}: rows {earlier + 1} and {row + 1} hold the same cell, {hashes[row].tobytes().hex()}")


BENCHMARK = Benchmark(
    readers={".tfrecord": import_tfrecord, ".npz": import_npz},
    notation=Notation(OPERATIONS[:3], (9.0, 1.0, 0.0), OPERATIONS[3], divides_output=True),
    # Features of depth, width and bottlenecks are expected to count most.
    prior=Relevances(
        dict.fromkeys(_STRONG, 1.2) | dict.fromkeys(_MIDDLE, 0.0),
        otherwise=-1.0,
        group_spread=0.5,
        feature_spread=0.7,
    ),
    sizes=(100, 172, 424, 4236),
    bias_sizes=(200, 500, 1000, 2000),
    runs=REPEATS,
    edits=Mutation,
)
"""The sizes are about .02, .04, .1 and 1 % of the cells."""
