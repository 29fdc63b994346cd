"""Stage `encoder`: fit the kernel-guided encoder, and the plain autoencoder that figures hold it against."""

from typing import Any

from flows.runtime.session import Session, stage_flow
from nasgem_core.seeding import derive_seed
from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.mlflow_runs.records import finite
from tasks.stages.encoder import (
    GUIDED,
    METRICS_FILE,
    PLAIN,
    encoder_of,
    fit_encoder_task,
    plain_config,
    write_encoders,
)
from tasks.stages.labels import read_labels


@stage_flow("encoder")
def encoder(session: Session) -> None:
    """Read data/labels, write data/encoder."""
    packed, similarity = read_labels()
    config, seed = session.config.encoder, derive_seed(session.config.seed, "encoder")
    values = {
        kind: fit_encoder_task(packed, similarity, chosen, seed, session.placement)
        for kind, chosen in ((GUIDED, config), (PLAIN, plain_config(config)))
    }
    write_encoders(values)
    _log(session, values)


def _log(session: Session, values: dict[str, dict[str, Any]]) -> None:
    report = encoder_of(values[GUIDED]).report
    plain = encoder_of(values[PLAIN]).report
    curves = [
        (name, getattr(point, name), point.step)
        for point in report.curve
        for name in ("similarity_loss", "reconstruction_loss", "held_out_similarity_loss")
    ]
    summary = {name: value for name, value in report.to_dict().items() if name != "similarity_loss"}
    session.records.stage(
        "encoder",
        {**finite(summary), "final_similarity_loss": report.similarity_loss, "plain_r_squared": plain.r_squared},
        curves=curves,
        artifacts=[METRICS_FILE, FullyConnectedModel.from_modules("encoder", encoder_of(values[GUIDED]).module)],
    )
