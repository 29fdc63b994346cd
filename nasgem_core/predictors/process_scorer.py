"""A Gaussian process as the predictor of a search: from a cell's analytic features and subtrees to its score.

Features are standardised over cells drawn from the search space, whatever was trained. What a process that was fitted
to the cells of an earlier search expects of a cell is one feature more. How much it counts is learned from the new
labels, as for any other feature: where the two searches rank cells alike it leads, and else it fades.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.packing import pack_cells, unpack_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.documents import DocumentKind
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from nasgem_core.predictors.gp import GaussianProcess
from nasgem_core.predictors.notation import free_notation, lay_out
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space, Standard, raw_features
from nasgem_core.search.score import Measured
from nasgem_core.search.target import Target

SCHEMA = "nasgem.process/2"
_KIND = DocumentKind("a process", SCHEMA)
_COVARIANCE = "arc_cosine"
_REFERENCE = 4096
"""Cells that features are standardised over."""
EARLIER = "earlier"
"""The group of what earlier searches expect, and by how much more than of others its relevance is expected to be."""
_PRIOR = Relevances({EARLIER: 2.0})
_WEIGHT = "weight."
"""Start of the names of what was learned, among the arrays."""


@dataclass(frozen=True, eq=False)
class EarlierSearch:
    """What an earlier search has measured, on whatever images and by whatever trainings.

    Args:
        cells: N cells, at least 4, of any space.
        values: float64 [N], their targets, of about zero mean and unit variance.
    """

    cells: CellBatch
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class ProcessScorer:
    """A process conditioned on trained cells.

    Args:
        cells: the N trained cells.
        values: float64 [N], their standardised targets.
        target: what the values are.
        standard: of the features.
        process: fitted on the cells in the space that `standard` makes of them.
        earlier: those of earlier searches, whose expectations are features.
    """

    cells: CellBatch
    values: np.ndarray
    target: Target
    standard: Standard
    process: GaussianProcess
    earlier: tuple["ProcessScorer", ...] = ()

    @property
    def needs_costs(self) -> bool:
        """Whether `score` reads the costs."""
        return self.target.needs_costs

    def score(self, cells: CellBatch, costs: np.ndarray | None, penalty: float) -> np.ndarray:
        """Return the predicted efficiency scores, float32 [B]; see `Target.scores`."""
        return self.target.scores(self.expected(cells), costs, penalty)

    def expected(self, cells: CellBatch) -> np.ndarray:
        """Return the expected standardised targets, float32 [B].

        Raises:
            CellError: a cell has an operation that the search space does not have.
        """
        known = cells.with_operations(self.cells.operation_names)
        return self.process.predict(np.arange(len(cells)), _features(known, self.standard, self.earlier))

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return all arrays, and everything else as plain JSON values."""
        arrays = {"values": self.values}
        arrays |= {f"cells.{name}": array for name, array in pack_cells(self.cells).items()}
        arrays |= {f"standard.{name}": array for name, array in vars(self.standard).items()}
        arrays |= {_WEIGHT + name: weight.numpy() for name, weight in self.process.weights.items()}
        document: dict[str, Any] = {"schema": SCHEMA}
        document |= {"operations": list(self.cells.operation_names), "target": asdict(self.target)}
        if self.earlier:
            document[EARLIER] = []
        for i, one in enumerate(self.earlier):
            own, words = one.to_arrays()
            arrays |= {f"{EARLIER}{i}.{name}": array for name, array in own.items()}
            document[EARLIER].append(words)
        return arrays, document

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> "ProcessScorer":
        """Read what `to_arrays` wrote; raises `DataError` when it is another predictor or incomplete."""
        values = _KIND.fields_of(metadata)
        before = values.get(EARLIER, [])
        names = ("cells", "standard", "weight", *(f"{EARLIER}{i}" for i in range(len(before))))
        parts: dict[str, dict[str, np.ndarray]] = {name: {} for name in names}
        try:
            for name, array in arrays.items():
                group, _, rest = name.partition(".")
                if rest:
                    parts[group][rest] = array
            cells = unpack_cells(parts["cells"], tuple(values["operations"]))
            standard, target = Standard(**parts["standard"]), Target(**values["target"])
            weights = {name: torch.from_numpy(np.array(array)) for name, array in parts["weight"].items()}
            earlier = tuple(cls.from_arrays(parts[f"{EARLIER}{i}"], words) for i, words in enumerate(before))
            features = _features(cells, standard, earlier)
            process = _process(features).condition(np.arange(len(cells)), arrays["values"], weights)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"the process is incomplete or of another version: {error}") from None
        return cls(cells, arrays["values"], target, standard, process, earlier)


def fit_process(
    cells: CellBatch,
    measured: Measured,
    space: CellsConfig,
    target: str,
    seed: int,
    *,
    earlier: Sequence[EarlierSearch] = (),
) -> ProcessScorer:
    """Fit a process to trained cells.

    Args:
        cells: N trained cells, at least 4.
        measured: their accuracies and costs.
        space: what the reference cells are drawn from.
        target: `score` or `accuracy`, see `nasgem_core.search.target`.
        seed: of the reference cells.
        earlier: what earlier searches have measured.

    Raises:
        DataError: a row is not finite, or all spaces together have more operations than features can tell apart.
    """
    goal, values = Target.of(target, measured)
    reference = sample_cells(space, _REFERENCE, seed)
    before = tuple(_fit_earlier(one, reference) for one in earlier)
    standard = _standard(reference, before)
    process = _process(_features(cells, standard, before)).regress(np.arange(len(cells)), values)
    return ProcessScorer(cells, values, goal, standard, process, before)


def _fit_earlier(search: EarlierSearch, reference: CellBatch) -> ProcessScorer:
    """Fit a process to an earlier search; it reads the operations of both spaces."""
    names = tuple(dict.fromkeys((*reference.operation_names, *search.cells.operation_names)))
    cells, standard = search.cells.with_operations(names), _standard(reference.with_operations(names), ())
    process = _process(_features(cells, standard, ())).regress(np.arange(len(cells)), search.values)
    return ProcessScorer(cells, search.values, Target("score", 0.0, 0.0, 1.0, 0.0), standard, process)


def _standard(reference: CellBatch, earlier: Sequence[ProcessScorer]) -> Standard:
    notation = free_notation(reference.operation_names)
    return Standard.of(raw_features(lay_out(reference, notation), notation, _columns(reference, earlier)))


def _features(cells: CellBatch, standard: Standard, earlier: Sequence[ProcessScorer]) -> Space:
    return Space.build(cells, free_notation(cells.operation_names), _columns(cells, earlier), standard)


def _columns(cells: CellBatch, earlier: Sequence[ProcessScorer]) -> dict[str, np.ndarray]:
    return {f"{EARLIER}:{i}": one.expected(cells) for i, one in enumerate(earlier)}


def _process(features: Space) -> GaussianProcess:
    return GaussianProcess(features, _COVARIANCE, _PRIOR)
