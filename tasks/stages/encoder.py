"""Task "encoder fit" (Eq. 4) and the files of stage `encoder`: the guided encoder and the plain one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.config.search import EncoderConfig
from nasgem_core.encoders.fitted import FittedEncoder
from nasgem_core.encoders.fitting import fit_encoder
from tasks.run.placement import Placement
from tasks.run.progress import progress_bar
from tasks.stages.pairs import unpack_pairs
from tasks.store.artifacts import DATA, METRICS, read_weights, write_json, write_weights
from tasks.store.caching import cached_task

GUIDED, PLAIN = "guided", "plain"
METRICS_FILE = METRICS / "encoder.json"
SCHEMA = "nasgem.encoder/1"


@cached_task("encoder fit")
def fit_encoder_task(
    packed: dict[str, Any], similarity: np.ndarray, config: EncoderConfig, seed: int, placement: Placement
) -> dict[str, Any]:
    """Fit one encoder; returns its weights and metadata."""
    kind = PLAIN if config.similarity_weight == 0 else GUIDED
    with progress_bar(f"fitting the {kind} encoder", config.iterations) as bar:
        fitted = fit_encoder(
            unpack_pairs(packed), similarity, config, seed, device=placement.device, on_progress=bar.update
        )
        bar.update(config.iterations, {"R2": fitted.report.r_squared})
    return encoder_value(fitted)


def plain_config(config: EncoderConfig) -> EncoderConfig:
    """Return the same encoder without guidance: similarity weight 0."""
    return replace(config, similarity_weight=0.0, reconstruction_weight=config.reconstruction_weight or 1.0)


def encoder_of(value: dict[str, Any]) -> FittedEncoder:
    """Return the encoder that `fit_encoder_task` put out."""
    return FittedEncoder.from_arrays(value["weights"], value["metadata"])


def encoder_value(encoder: FittedEncoder) -> dict[str, Any]:
    """Return an encoder in the form that tasks pass on."""
    weights, metadata = encoder.to_arrays()
    return {"weights": weights, "metadata": metadata}


def encoder_file(kind: str) -> Path:
    """Return the file of the guided or the plain encoder."""
    return DATA / "encoder" / f"{kind}.safetensors"


def write_encoders(values: dict[str, dict[str, Any]]) -> None:
    """Write the stage's files; `values` holds one encoder a kind."""
    for kind, value in values.items():
        write_weights(encoder_file(kind), SCHEMA, value["weights"], value["metadata"])
    reports = {kind: dict(value["metadata"]["report"]) for kind, value in values.items()}
    for report in reports.values():
        report.pop("curve")
    write_json(METRICS_FILE, "nasgem.metrics/1", reports)


def read_encoder(kind: str) -> FittedEncoder:
    """Read an encoder of the stage; raises `DataError` when its file is missing or foreign."""
    weights, metadata = read_weights(encoder_file(kind), SCHEMA)
    return FittedEncoder.from_arrays(weights, {"schema": SCHEMA, **metadata})
