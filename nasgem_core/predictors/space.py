"""A space laid out for prediction: its cells in one notation and their standardised features in named groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.errors import DataError
from nasgem_core.predictors.features.cell_features import cell_features, feature_names
from nasgem_core.predictors.notation import Notation, lay_out
from nasgem_core.predictors.subtrees import subtree_labels

_LIMIT = 4.0
"""Standard deviations at which a feature is cut: rare path counts would otherwise rule every distance."""
_CONSTANT = 1e-6


@dataclass(frozen=True, eq=False)
class Standard:
    """Means and deviations by which features become comparable.

    Args:
        kept: int64 [F], places of the features that vary, among all of them.
        mean: float32 [F].
        deviation: float32 [F].
    """

    kept: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> "Standard":
        """Return those of features [B, all]."""
        mean = features.mean(0, dtype=np.float64).astype(np.float32)
        centred = features - mean
        squares = np.einsum("bf,bf->f", centred, centred, dtype=np.float64)
        deviation = np.sqrt(squares / max(len(features), 1)).astype(np.float32)
        kept = np.flatnonzero(deviation > _CONSTANT)
        return cls(kept, mean[kept], deviation[kept])

    def apply(self, features: np.ndarray) -> np.ndarray:
        """Return features [B, all] standardised, cut at four deviations, those that vary only, float32 [B, F]."""
        kept = features if len(self.kept) == features.shape[1] else features[:, self.kept]
        standardised = (kept - self.mean) / self.deviation
        return np.clip(standardised, -_LIMIT, _LIMIT, out=standardised)


def raw_features(laid_out: CellBatch, notation: Notation, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the features of B laid-out cells and further columns [B], float32 [B, all].

    Raises:
        DataError: a column has another length or a number that is not finite.
    """
    features = cell_features(laid_out, notation)
    for name, values in columns.items():
        if np.shape(values) != (len(laid_out),) or not np.isfinite(values).all():
            raise DataError(f"column {name!r} must hold one finite number for each of {len(laid_out)} cells")
    if columns:
        own = np.stack([np.asarray(values, dtype=np.float32) for values in columns.values()], 1)
        features = np.concatenate([features, own], 1)
    return features


@dataclass(frozen=True, eq=False)
class Space:
    """All cells that may be labelled or predicted.

    Args:
        cells: B cells as `nasgem_core.predictors.notation.lay_out` returns them.
        features: float32 [B, F] of zero mean and unit variance over the space or over a reference, cut at four
            standard deviations. So they depend on which cells there are, never on an accuracy.
        names: F names, `group:detail`.
        numbered: the cells as their table numbers their vertices, None where numbers mean nothing.
    """

    cells: CellBatch
    features: np.ndarray
    names: tuple[str, ...]
    numbered: CellBatch | None = None

    @classmethod
    def build(
        cls,
        cells: CellBatch,
        notation: Notation,
        columns: Mapping[str, np.ndarray] | None = None,
        standard: Standard | None = None,
        *,
        numbered: bool = False,
    ) -> "Space":
        """Compute the features of B cells; those that are equal in all cells are left out.

        Args:
            cells: as their table holds them.
            notation: what their operations mean.
            columns: further features [B] by name, `group:detail`, such as the logarithm of parameters.
            standard: of a reference with the same features; by default that of these cells.
            numbered: the number of a vertex may mean something, such as the layer that it is.

        Raises:
            DataError: the notation does not fit, or a column has another length or a number that is not finite.
        """
        columns = columns or {}
        laid_out = lay_out(cells, notation)
        names = [*feature_names(len(notation.operations)), *columns]
        features = raw_features(laid_out, notation, columns)
        standard = standard or Standard.of(features)
        kept = tuple(names[i] for i in standard.kept)
        return cls(laid_out, standard.apply(features), kept, cells if numbered else None)

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The group of each feature."""
        return tuple(name.rpartition(":")[0] for name in self.names)

    def subtree_labels(self, rows: np.ndarray) -> np.ndarray:
        """Return the Weisfeiler-Lehman labels of the cells `rows`, see `nasgem_core.predictors.subtrees`."""
        return subtree_labels(self.cells[rows])
