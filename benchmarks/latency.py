"""How well the latency of an unmeasured cell is predicted, compared with predicting it from its multiply-adds alone.

Proxy networks of random cells of the laptop profile are measured on this device as `nasgem latency` does. The model
(`nasgem_core/search/latency_model.py`) is fitted to the first 10, 20 and 40 of them and predicts 40 others, and so are
a straight line in the multiply-adds and a constant, which also minimise the relative error. Run it on an idle machine
with `python benchmarks/latency.py`; `--quick` takes less time.
"""

import argparse

import numpy as np
from scipy.stats import kendalltau

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import SearchConfig
from nasgem_core.deployment.latency import Setting
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.latency_model import fit_latency
from tasks.deployment.latency import listed_cell, measure_networks

OTHERS = 40


def by_columns(columns: np.ndarray, measured: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return latencies for `wanted` from the linear model of `columns` with the least squared relative error."""
    weights = np.linalg.lstsq(columns / measured[:, None], np.ones(len(measured)), rcond=None)[0]
    return wanted @ weights


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--quick", action="store_true", help="fewer passes, and fewer cells to fit to")
    options = parser.parse_args()
    sizes = (10,) if options.quick else (10, 20, 40)
    config = SearchConfig()
    cells = sample_distinct_cells(config.cells, max(sizes) + OTHERS, seed=0)
    listed = [listed_cell(cell, float("nan"), config) for cell in cells]
    table = measure_networks(listed, Setting(options.device, repeats=10 if options.quick else 50))
    measured = table["median_ms"].to_numpy()
    batch, layout = CellBatch.from_cells(cells), listed[0].spec.layout
    assert isinstance(layout, NetworkLayout)
    ones = np.ones((len(cells), 1))
    line = np.column_stack([table["macs"].to_numpy() / 1e6, ones])
    others = slice(max(sizes), None)
    print(f"{table['device'].iloc[0]}: {OTHERS} other cells, {measured.min():.2f} to {measured.max():.2f} ms")
    print("cells  predicted by  median error  Kendall's tau")
    for size in sizes:
        fitted = slice(size)
        predicted = {
            "the model": fit_latency(batch[fitted], measured[fitted], layout).predict(batch[others]) / 1e6,
            "MACs": by_columns(line[fitted], measured[fitted], line[others]),
            "a constant": by_columns(ones[fitted], measured[fitted], ones[others]),
        }
        for name, values in predicted.items():
            error = np.median(np.abs(values - measured[others]) / measured[others])
            tau = kendalltau(values, measured[others]).statistic if np.ptp(values) else 0.0
            print(f"{size:5}  {name:12}  {100 * error:10.1f} %  {tau:13.2f}")


if __name__ == "__main__":
    main()
