"""Stage `labels`: label each pair with its Weisfeiler-Lehman similarity."""

from flows.session import Session, stage_flow
from tasks.fingerprint import fingerprint
from tasks.labels import LABELLED_PAIRS_FILE, METRICS_FILE, label_pairs, similarity_summary, write_labels
from tasks.outbox import Dataset
from tasks.pairs import read_pairs
from tasks.records import finite


@stage_flow("labels")
def labels(session: Session) -> None:
    """Read data/pairs, write data/labels."""
    packed = read_pairs()
    labelled = label_pairs(packed, session.config.labels)
    write_labels(packed, labelled)
    session.records.stage(
        "labels",
        finite(similarity_summary(labelled["similarity"])),
        artifacts=[METRICS_FILE],
        inputs=[Dataset("labelled pairs", fingerprint([packed, labelled]), str(LABELLED_PAIRS_FILE))],
    )
