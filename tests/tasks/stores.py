"""A store that keeps the records that it is given."""

from tasks.mlflow_runs.run_record import RunRecord


class FakeTracking:
    """Stands for `Tracking` where only what is logged counts."""

    uri = "memory"

    def __init__(self) -> None:
        self.records: list[RunRecord] = []

    def log(self, record: RunRecord) -> None:
        self.records.append(record)
