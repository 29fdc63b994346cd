"""Stage `pairs`: draw the pairs of cells that the encoder learns from."""

from flows.runtime.session import Session, stage_flow
from nasgem_core.seeding import derive_seed
from tasks.mlflow_runs.run_record import Dataset
from tasks.stages.pairs import PAIRS_FILE, generate_pairs, write_pairs
from tasks.store.fingerprint import fingerprint


@stage_flow("pairs")
def pairs(session: Session) -> None:
    """Draw pairs and write data/pairs."""
    config = session.config
    packed = generate_pairs(config.cells, config.pairs, derive_seed(config.seed, "pairs"))
    write_pairs(packed)
    session.records.stage(
        "pairs",
        {"pairs": config.pairs.count},
        inputs=[Dataset("pairs", fingerprint(packed), str(PAIRS_FILE))],
    )
