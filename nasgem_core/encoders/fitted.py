"""A fitted encoder as a value: its weights, what they were fitted on, and how good they are."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.documents import DocumentKind, read_fields
from nasgem_core.config.search import EncoderConfig
from nasgem_core.encoders.autoencoder import Autoencoder
from nasgem_core.encoders.features import cell_features
from nasgem_core.encoders.ordering import order_vertices
from nasgem_core.errors import CellError, DataError, ParameterError

SCHEMA = "nasgem.encoder/1"
_KIND = DocumentKind("an encoder", SCHEMA)
CHUNK = 8192
"""Cells that are embedded at a time; a constant, so that neither memory nor results depend on the number of cells."""


@dataclass(frozen=True)
class CurvePoint:
    """The losses at one moment of training.

    Args:
        step: optimiser steps done.
        similarity_loss: L_s on the training pairs, averaged over the steps since the previous point.
        reconstruction_loss: L_r, likewise; 0 when its weight is 0.
        held_out_similarity_loss: L_s on held-out pairs at this step.
    """

    step: int
    similarity_loss: float
    reconstruction_loss: float
    held_out_similarity_loss: float


@dataclass(frozen=True)
class EncoderReport:
    """How good a fitted encoder is on held-out pairs, compared with constant guesses.

    Args:
        held_out_pairs: number of pairs that were not trained on.
        similarity_loss: L_s (Eq. 3).
        constant_similarity_loss: L_s of guessing the training pairs' mean similarity.
        r_squared: share of the variance of S_g that S_e explains, 1 - L_s / variance; below 0 is worse than a constant.
        edge_accuracy: share of edge slots reconstructed.
        constant_edge_accuracy: the same for always guessing "no edge".
        edge_balanced_accuracy: mean of the shares among present and among absent edges; a constant guess has 0.5.
        edge_f1: harmonic mean of precision and recall of present edges.
        operation_accuracy: share of vertices whose operation (or absence) is reconstructed.
        constant_operation_accuracy: the same for always guessing the most frequent class.
        curve: the losses during training.
    """

    held_out_pairs: int
    similarity_loss: float
    constant_similarity_loss: float
    r_squared: float
    edge_accuracy: float
    constant_edge_accuracy: float
    edge_balanced_accuracy: float
    edge_f1: float
    operation_accuracy: float
    constant_operation_accuracy: float
    curve: tuple[CurvePoint, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"curve": [asdict(point) for point in self.curve]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "EncoderReport":
        """Read what `to_dict` wrote."""
        return cls(**{**document, "curve": tuple(CurvePoint(**point) for point in document["curve"])})


@dataclass(frozen=True, eq=False)
class FittedEncoder:
    """The encoder E, ready to embed cells.

    Args:
        config: how it was fitted.
        vertices: n, the largest number of vertices of a cell.
        operation_names: the operations of its cells, in the order of their codes.
        weights: float32 arrays of the autoencoder, `encoder.0.weight` and so on.
        report: its quality on held-out pairs.
    """

    config: EncoderConfig
    vertices: int
    operation_names: tuple[str, ...]
    weights: Mapping[str, np.ndarray]
    report: EncoderReport

    @cached_property
    def autoencoder(self) -> Autoencoder:
        """The fitted model, encoder and decoder, in evaluation mode on the CPU."""
        model = Autoencoder(self.vertices, len(self.operation_names), self.config)
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in self.weights.items()}
        try:
            model.load_state_dict(tensors)
        except RuntimeError as error:
            raise DataError(f"the encoder's weights do not match its parameters: {error}") from None
        return model.eval().requires_grad_(False)

    @property
    def module(self) -> nn.Sequential:
        """The encoder E alone: float32 feature vectors [B, F] to embeddings [B, d]."""
        return self.autoencoder.encoder

    def embed(self, cells: CellBatch) -> np.ndarray:
        """Return the embeddings E(A) as float32 [B, d]; apart from the result, memory does not grow with B.

        Raises:
            CellError: the cells have other operations, or more vertices, than the encoder was fitted on.
        """
        if cells.operation_names != self.operation_names:
            raise CellError(
                f"the cells' operations are {', '.join(cells.operation_names)}, but the encoder was fitted on "
                f"{', '.join(self.operation_names)}: use the same operations in the same order, or fit a new encoder"
            )
        embeddings = np.empty((len(cells), self.config.dimension), dtype=np.float32)
        for start in range(0, len(cells), CHUNK):
            features = cell_features(order_vertices(cells[start : start + CHUNK]), self.vertices)
            with torch.inference_mode():
                embeddings[start : start + CHUNK] = self.module(torch.from_numpy(features).float()).numpy()
        return embeddings

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the weights, and everything else as plain JSON values."""
        return dict(self.weights), {
            "schema": SCHEMA,
            "vertices": self.vertices,
            "operation_names": list(self.operation_names),
            "config": asdict(self.config) | {"hidden": list(self.config.hidden)},
            "report": self.report.to_dict(),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> "FittedEncoder":
        """Read what `to_arrays` wrote; raises `DataError` if it is not an encoder or its parts do not match."""
        values = _KIND.fields_of(metadata)
        try:
            fitted = cls(
                read_fields(EncoderConfig, values["config"], "config"),
                values["vertices"],
                tuple(values["operation_names"]),
                dict(arrays),
                EncoderReport.from_dict(values["report"]),
            )
        except (KeyError, TypeError, ParameterError) as error:
            raise DataError(f"the encoder's metadata is incomplete or of another version: {error}") from None
        fitted.autoencoder  # noqa: B018 - built now, so that wrong weights are rejected here
        return fitted
