"""Stage `labels`: label each pair with its Weisfeiler-Lehman similarity."""

from flows.runtime.session import Session, stage_flow
from tasks.mlflow_runs.records import finite
from tasks.mlflow_runs.run_record import Dataset
from tasks.stages.labels import LABELLED_PAIRS_FILE, METRICS_FILE, label_pairs, similarity_summary, write_labels
from tasks.stages.pairs import read_pairs
from tasks.store.fingerprint import fingerprint


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
