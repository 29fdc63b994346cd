"""NAS-Bench-201 (Dong and Yang 2020) as a tabular space: 15,625 cells on CIFAR-10, CIFAR-100 and ImageNet16-120.

`nasgem_core.benchmarks.nasbench201_cells` says how its cells become labelled graphs, and what the two forms are. Of the
contracted form many rows share one graph, and one hash: 5,425 of 15,625 differ.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nasgem_core.benchmarks.benchmark import Benchmark
from nasgem_core.benchmarks.nasbench201_cells import OPERATIONS, contracted_cells, parse_architectures, raw_cells
from nasgem_core.benchmarks.nasbench201_costs import nasbench201_costs
from nasgem_core.benchmarks.published_file import read_arrays, require_accuracies, require_kind
from nasgem_core.benchmarks.rows import key_hashes
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.errors import DataError
from nasgem_core.predictors.notation import Notation

FORMS = {"contracted": contracted_cells, "raw": raw_cells}
NAMES = {"contracted": "nasbench201", "raw": "nasbench201-raw"}
TRUTH = "c10_test"
_KERNEL_SIZES = np.array([0, 0, 1, 3, 0])
_ACCURACIES = {
    "c10_test": "c10_test",
    "c10_val": "c10valid_gennas",
    "c10_val_naslib": "c10_val_naslib",
    "c100_test": "c100_test",
    "c100_val": "c100_gennas",
    "in16_test": "in16_test",
    "in16_val": "in16_gennas",
}
"""Our metrics and the arrays of the npz file, in per cent there."""
_MEASURED = "hw_"
"""Start of the names of latencies (ms) and energies (mJ) of HW-NAS-Bench, taken as they are; -1 is "does not run"."""
_EVALUATED = {
    "c10_test": ("cifar10", "ori-test"),
    "c10_val": ("cifar10-valid", "x-valid"),
    "c100_test": ("cifar100", "x-test"),
    "c100_val": ("cifar100", "x-valid"),
    "in16_test": ("ImageNet16-120", "x-test"),
    "in16_val": ("ImageNet16-120", "x-valid"),
}
"""Our metrics and the data set and split of the official file; a metric is the mean of its trainings."""
_FIRST_RUN = "c10_val_run0"


def import_npz(path: Path, form: str = "contracted") -> TabularSpace:
    """Read the arrays `arch_str`, accuracies in per cent and `hw_*` of an npz file; rows keep their order.

    The label is `c10_val_naslib`, the validation accuracy of one training. Parameters and MACs are computed.

    Raises:
        DataError: the file is missing or altered, an array is missing or of another shape, or a cell is wrong.
    """
    what = "an npz file of NAS-Bench-201"
    arrays = read_arrays(path, what, ("arch_str", *_ACCURACIES.values()), _MEASURED)
    texts = arrays["arch_str"].reshape(-1)
    require_kind(f"{path}: arch_str", texts, "US")
    if texts.dtype.kind == "S":
        texts = np.char.decode(texts, "ascii", "replace")
    metrics = {ours: _fractions(f"{path} is not {what}: {name}", arrays[name]) for ours, name in _ACCURACIES.items()}
    for name in (name for name in arrays if name.startswith(_MEASURED)):
        require_kind(f"{path}: {name}", arrays[name], "iuf")
        metrics[name] = arrays[name]
    for name, values in metrics.items():
        if values.shape != texts.shape:
            raise DataError(f"{path}: {name} has shape {values.shape}, not {texts.shape}: one number for each cell")
    return _space(texts.tolist(), metrics, "c10_val_naslib", form, path)


def import_pth(path: Path, form: str = "contracted") -> TabularSpace:
    """Read an official file such as `NAS-Bench-201-v1_1-096897.pth`, trainings of 200 epochs, where it loads safely.

    The label is `c10_val_run0`, the validation accuracy of the first training on `cifar10-valid`.

    Raises:
        DataError: the file is missing or altered, holds objects that could run code, or is another file.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}: download the benchmark's .pth file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # Torch lets out whatever its parsers meet in a file that is not its own.
        reason = str(error).splitlines()[-1] if str(error) else type(error).__name__
        raise DataError(
            f"{path} cannot be loaded without running code that it may hold, and is not: import the .npz, "
            f"or a copy of the file that holds plain numbers only ({reason})"
        ) from None
    try:
        texts = [str(text) for text in content["meta_archs"]]
        results = [content["arch2infos"][row]["full"] for row in range(len(texts))]
        metrics = {
            ours: _fractions(f"{path}: {ours}", np.array([np.mean(_final(result, *where)) for result in results]))
            for ours, where in _EVALUATED.items()
        }
        first = np.array([_final(result, *_EVALUATED["c10_val"])[0] for result in results])
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError) as error:
        raise DataError(f"{path} is not a file of NAS-Bench-201, or lacks results: {error!r}") from None
    return _space(texts, metrics | {_FIRST_RUN: _fractions(f"{path}: {_FIRST_RUN}", first)}, _FIRST_RUN, form, path)


def _final(result: Mapping[str, Any], dataset: str, split: str) -> list[float]:
    """Return the accuracies (%) after the last epoch, one per training, by ascending seed."""
    trainings = [result["all_results"][dataset, seed] for seed in sorted(result["dataset_seed"][dataset])]
    return [float(training["eval_acc1es"][f"{split}@{training['epochs'] - 1}"]) for training in trainings]


def _fractions(place: str, per_cent: np.ndarray) -> np.ndarray:
    require_accuracies(place, per_cent, 100)
    return per_cent / 100


def _space(texts: list[str], metrics: Mapping[str, np.ndarray], label: str, form: str, path: Path) -> TabularSpace:
    if form not in FORMS:
        raise DataError(f"form {form!r} of NAS-Bench-201 is unknown: choose {' or '.join(FORMS)}")
    try:
        operations = parse_architectures(texts)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    _, first = np.unique(operations, axis=0, return_index=True)
    if not len(first) or len(first) != len(texts):
        raise DataError(f"{path} has {len(texts)} cells, {len(first)} of them different: all must differ")
    params, macs = nasbench201_costs(operations, _KERNEL_SIZES)
    columns = {**metrics, "params": params, "macs": macs}
    cells = FORMS[form](operations)
    return TabularSpace(
        NAMES[form],
        cells,
        {name: values.astype(np.float32) for name, values in columns.items()},
        label,
        TRUTH,
        key_hashes(cells),
    )


def _readers(form: str) -> dict[str, Callable[[Path], TabularSpace]]:
    return {".pth": partial(import_pth, form=form), ".npz": partial(import_npz, form=form)}


_NONE, _SKIP, _CONV1X1, _CONV3X3, _POOLING, _OUTPUT = OPERATIONS
CONTRACTED = Benchmark(
    readers=_readers("contracted"),
    # A skip stands for a tensor that a sum holds once more.
    notation=Notation((_CONV3X3, _CONV1X1, _POOLING, _SKIP), (9.0, 1.0, 0.0, 0.0), _OUTPUT, zero=(_NONE,)),
    sizes=(78, 156, 469, 1563),
)
"""The sizes are .5, 1, 3 and 10 % of the cells."""
RAW = Benchmark(readers=_readers("raw"), read_instead=NAMES["contracted"])
