"""Stage `pairs`: draw the pairs of cells that the encoder learns from."""

from flows.session import Session, stage_flow
from nasgem_core.seeding import derive_seed
from tasks.fingerprint import fingerprint
from tasks.outbox import Dataset
from tasks.pairs import PAIRS_FILE, generate_pairs, write_pairs


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
