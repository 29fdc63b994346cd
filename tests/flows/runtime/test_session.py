"""What the flows of one process share, and what is logged of a stage that stops."""

from contextlib import suppress
from types import SimpleNamespace

import pytest

from flows.runtime import session as module
from flows.runtime.lock import folder_lock
from flows.runtime.session import Session, open_session, stage_flow, status_of
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError
from tests.tasks.stores import FakeTracking


class FakeRecords:
    """Keeps what is logged."""

    def __init__(self, *_: object, device: str) -> None:
        self.stops, self.pauses, self.searches, self.waiting = [], [], 0, 0
        self.device, self.figures = device, {"pairs": {"pairs": 400.0}}

    def search(self) -> None:
        self.searches += 1

    def stopped(self, stage: str, status: str) -> None:
        self.stops.append((stage, status))

    def paused(self, status: str) -> None:
        self.pauses.append(status)

    def close(self) -> int:
        return self.waiting


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Have sessions open in an empty folder without MLflow; give what they say."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").touch()
    monkeypatch.setenv("NASGEM_WORKERS", "3")
    monkeypatch.setenv("NASGEM_DEVICE", "cpu")
    monkeypatch.setattr(module, "prepare_environment", lambda: None)
    monkeypatch.setattr(module, "load_config", SearchConfig)
    monkeypatch.setattr(module, "start_tracking", lambda *_: FakeTracking())
    monkeypatch.setattr(
        module, "open_images", lambda *_: SimpleNamespace(content_hash="h", image_size=32, classes="ab", remarks=())
    )
    monkeypatch.setattr(module, "SearchRecords", FakeRecords)
    lines: list[str] = []
    monkeypatch.setattr(module, "say", lines.append)
    return lines


def test_a_session_has_what_params_and_the_environment_ask_for(said):
    with open_session() as session:
        assert session.config == SearchConfig() and session.placement.device == "cpu"
        assert session.engine.workers == 3 and session.records.searches == 1
        assert session.networks.layout.image_size == 32
        assert (module.Path(".nasgem") / "holder").is_file(), "the folder is held"


def test_one_that_only_reads_holds_nothing_and_logs_nothing(said, monkeypatch):
    monkeypatch.setattr(module, "start_tracking", lambda *_: pytest.fail("MLflow is not needed"))
    with folder_lock(), open_session(only_reads=True) as session:
        (module.Path(".nasgem") / "holder").unlink()
    with open_session(only_reads=True):
        assert "records" not in vars(session) and not (module.Path(".nasgem") / "holder").exists()


def test_a_session_inside_another_is_the_same(said):
    with open_session() as outer:
        with open_session() as inner:
            assert inner is outer
        assert module._current == [outer]
    with open_session() as later:
        assert later is not outer


def test_runs_that_wait_are_reported(said):
    with open_session() as session:
        session.records.waiting = 2
    assert said == ["2 runs wait in .nasgem/outbox: they are sent to MLflow at the next start that reaches it"]


def test_a_stage_is_a_flow_of_its_name_with_the_session(said):
    seen: list[Session] = []

    @stage_flow("pairs")
    def pairs(session: Session) -> None:
        """Draw pairs."""
        seen.append(session)

    assert (pairs.name, pairs.description) == ("pairs", "Draw pairs.")
    with open_session() as session:
        pairs.fn()
    assert seen == [session] and session.records.stops == []


@pytest.mark.parametrize(("error", "status"), [(DataError("x"), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_a_stage_that_stops_is_logged(said, error, status):
    @stage_flow("labels")
    def labels(session: Session) -> None:
        raise error

    with open_session() as session:
        with pytest.raises(type(error)):
            labels.fn()
        assert session.records.stops == [("labels", status)]
    assert status_of(type(error)) == status


def test_a_session_that_fails_leaves_nothing_open(said):
    with pytest.raises(ZeroDivisionError), open_session():
        raise ZeroDivisionError
    assert module._current == []


@pytest.mark.parametrize(
    ("error", "pauses"), [(None, ["FINISHED"]), (DataError("x"), ["FAILED"]), (KeyboardInterrupt(), ["KILLED"])]
)
def test_the_search_is_not_left_running_when_a_command_ends(said, error, pauses):
    with suppress(DataError, KeyboardInterrupt), open_session() as session:
        records = session.records
        if error is not None:
            raise error
    assert records.pauses == pauses
