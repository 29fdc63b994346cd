"""What the command line does around a flow: folder, parameters, server, session."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from flows.cli import run_flows
from flows.cli.run_flows import parse_macs, run_search, run_select, run_stage
from flows.runtime import session as sessions
from flows.runtime.lock import folder_lock
from flows.stages.catalogue import Stage
from nasgem_core.errors import ParameterError
from tasks.run import tentative


@pytest.fixture
def happened(tmp_path, monkeypatch):
    """Run in an empty folder without a server or a session; give what happens, in order."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").touch()
    for name in ("WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)
    events: list[str] = []

    @contextmanager
    def server():
        events.append("server starts")
        yield lambda: events.append("server answers")

    @contextmanager
    def session():
        yield SimpleNamespace(engine=SimpleNamespace(run=lambda flow: events.append(f"run {flow}")), checked=set())

    monkeypatch.setattr(run_flows, "prepare_environment", lambda: events.append("environment"))
    monkeypatch.setattr(run_flows, "prefect_server", server)
    for module in (run_flows, tentative):
        monkeypatch.setattr(module, "load_config", lambda: events.append("parameters checked"))
    monkeypatch.setattr(tentative, "_own_images", dict)  # it reads the parameters, too
    monkeypatch.setattr(sessions, "open_session", session)
    monkeypatch.setattr(Stage, "flow", lambda stage: f"flow of {stage.name}")
    monkeypatch.setattr(Stage, "function", lambda stage, name: lambda config: events.append(f"{stage.name}.{name}"))
    return events


def test_a_stage_runs_when_its_parameters_are_checked_and_the_server_answers(happened):
    run_stage("pairs")
    assert happened == ["environment", "parameters checked", "server starts", "server answers", "run flow of pairs"]


def test_changes_are_written_first(happened, monkeypatch):
    monkeypatch.setattr(tentative, "change_parameters", lambda changes: bool(happened.append(f"set {changes}")))
    run_stage("pairs", {"seed": 3})
    assert happened[:3] == ["environment", "set {'seed': 3}", "parameters checked"]


def test_the_first_process_of_torchrun_runs_the_stage_and_the_others_take_part(happened, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    run_stage("imagenet")
    assert happened[-2:] == ["server answers", "run flow of imagenet"] and "imagenet.check_images" in happened
    with pytest.raises(ParameterError, match="--set cannot be given to processes of torchrun"):
        run_stage("imagenet", {"seed": 3})
    happened.clear()
    monkeypatch.setenv("RANK", "1")
    run_stage("imagenet")
    assert happened == ["environment", "parameters checked", "imagenet.take_part"]


def test_processes_of_torchrun_share_trainings_only(happened, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ParameterError, match="stage pairs cannot be shared by processes: run it without torchrun"):
        run_stage("pairs")
    assert happened == []


def test_a_search_takes_its_profile_then_the_changes(happened, monkeypatch):
    from flows import search as searches

    said = []
    monkeypatch.setattr(searches, "search", lambda: happened.append("search"))
    monkeypatch.setattr(searches, "check_stages", lambda session: happened.append("stages checked"))
    monkeypatch.setattr(tentative, "say", said.append)
    monkeypatch.setattr(tentative, "use_profile", lambda name: bool(happened.append(f"profile {name}")) or True)
    monkeypatch.setattr(tentative, "change_parameters", lambda changes: bool(happened.append(f"set {changes}")) or True)
    run_search("tiny", {"seed": 3})
    assert happened == [
        "environment",
        "profile tiny",
        "set {'seed': 3}",
        "parameters checked",
        "server starts",
        "stages checked",
        "server answers",
        "search",
    ]
    assert said == ["params.yaml is now the tiny profile", "params.yaml: set seed"]


@pytest.mark.parametrize("penalty", [-0.1, 100.5, float("nan")])
def test_a_penalty_out_of_range_is_named(happened, penalty):
    with pytest.raises(ParameterError, match=rf"^penalty = {penalty}: must be between 0 and 100$"):
        run_select(None, penalty, 5)
    assert happened == ["environment"]


def test_a_selection_neither_waits_for_a_search_nor_holds_it_up(happened, monkeypatch):
    from flows import selection

    def select(*asked: object) -> str:
        with folder_lock():  # what a stage of `dvc repro` does meanwhile
            return f"selected {asked}"

    monkeypatch.setattr(selection, "select", select)
    monkeypatch.setattr(run_flows, "say", happened.append)
    with folder_lock():
        assert run_select("1M", None, 5) == "selected (None, 1000000, 5)"
    assert happened[1].startswith("process ") and happened[1].endswith("chooses from may change meanwhile")
    happened.clear()
    assert run_select(None, 0.5, 5) == "selected (0.5, 0, 5)"
    assert happened == ["environment", "server starts", "server answers"]


@pytest.mark.parametrize(
    ("text", "macs"),
    [("10M", 10_000_000), ("800k", 800_000), ("1.5G", 1_500_000_000), (" 2 m", 2_000_000), ("7", 7), ("0.5K", 500)],
)
def test_budgets_are_read(text, macs):
    assert parse_macs(text) == macs


@pytest.mark.parametrize("text", ["", "M", "-1M", "0", "0.0G", "0.4", "10T", "ten", "1e6", "10 M B", "nan", "inf"])
def test_what_is_not_a_budget_is_refused(text):
    with pytest.raises(ParameterError, match="must be a number of at least 1, such as 10M"):
        parse_macs(text)
